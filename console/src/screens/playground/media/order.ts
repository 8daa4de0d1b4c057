/** Bodies of calls that make pictures, films and 3D, and what their answers hold. */
import { fieldsOf, listOf, textOf } from "@/gateway/json";

export interface Order {
  model: string;
  prompt: string;
  images: string[];
  /** Empty: as the provider has it. */
  size: string;
  ratio: string;
  resolution: string;
  duration: number | null;
  watermark: boolean;
}

export type TaskState = "queued" | "running" | "succeeded" | "failed" | "cancelled" | "expired" | "unknown";

export interface TaskNow {
  state: TaskState;
  /** Addresses of what was made. */
  files: string[];
  /** Why it failed. */
  problem: { code: string; message: string } | null;
}

export const ENDED: TaskState[] = ["succeeded", "failed", "cancelled", "expired", "unknown"];

export function imageBody(interfaceName: string, order: Order): Record<string, unknown> {
  const { model, prompt, images, size } = order;
  return {
    model,
    prompt,
    ...(size ? { size } : {}),
    ...(interfaceName === "ark_image" ? { watermark: order.watermark } : {}),
    ...(interfaceName === "ark_image" && images.length
      ? { image: images.length === 1 ? images[0] : images }
      : {}),
  };
}

export function readImages(body: unknown): string[] {
  return listOf(fieldsOf(body).data).flatMap((value) => {
    const picture = fieldsOf(value);
    if (textOf(picture.url)) return [textOf(picture.url)];
    return textOf(picture.b64_json) ? [`data:image/png;base64,${textOf(picture.b64_json)}`] : [];
  });
}

export function taskBody(interfaceName: string, order: Order): Record<string, unknown> {
  const { model, prompt, images, ratio, duration } = order;
  if (interfaceName === "dashscope_video") {
    const type = model.includes("r2v") ? "reference_image" : "first_frame";
    return {
      model,
      input: {
        ...(prompt ? { prompt } : {}),
        ...(images.length ? { media: images.map((url) => ({ type, url })) } : {}),
      },
      parameters: {
        ...(order.resolution ? { resolution: order.resolution.toUpperCase() } : {}),
        // A film that begins at a picture has the picture's ratio.
        ...(ratio && !model.includes("i2v") ? { ratio } : {}),
        ...(duration ? { duration } : {}),
      },
    };
  }
  return {
    model,
    content: [
      ...(prompt ? [{ type: "text", text: prompt }] : []),
      ...images.map((url) => ({ type: "image_url", image_url: { url } })),
    ],
    ...(ratio ? { ratio } : {}),
    ...(order.resolution ? { resolution: order.resolution } : {}),
    ...(duration ? { duration } : {}),
  };
}

/** The id in the answer that made a task; empty: there is none. */
export function readTaskId(body: unknown): string {
  const fields = fieldsOf(body);
  return textOf(fieldsOf(fields.output).task_id) || textOf(fields.id);
}

export function readTask(body: unknown): TaskNow {
  const outer = fieldsOf(body);
  const task = outer.output === undefined ? outer : fieldsOf(outer.output);
  const state = stateOf(textOf(task.task_status) || textOf(task.status));
  const content = fieldsOf(task.content);
  const found = [task.video_url, content.video_url, content.file_url, ...listOf(content.file_urls)];
  const error = task.error === undefined || task.error === null ? task : fieldsOf(task.error);
  return {
    state,
    files: found.map(textOf).filter((url) => url !== ""),
    problem:
      state === "failed"
        ? { code: textOf(error.code) || "TASK_FAILED", message: textOf(error.message) || "The task failed." }
        : null,
  };
}

function stateOf(word: string): TaskState {
  const state = word.toLowerCase();
  if (state === "pending" || state === "suspended") return "queued";
  if (state === "canceled") return "cancelled";
  const known: TaskState[] = ["queued", "running", "succeeded", "failed", "cancelled", "expired"];
  return known.find((each) => each === state) ?? "unknown";
}
