import { describe, expect, it } from "vitest";
import { imageBody, type Order, readImages, readTask, readTaskId, taskBody } from "./order";

const order: Order = {
  model: "m",
  prompt: "a fox",
  images: [],
  size: "",
  ratio: "",
  resolution: "",
  duration: null,
  watermark: false,
};

describe("orders", () => {
  it("leave out what was not chosen", () => {
    expect(imageBody("open_ai_image", order)).toEqual({ model: "m", prompt: "a fox" });
    expect(taskBody("task", order)).toEqual({ model: "m", content: [{ type: "text", text: "a fox" }] });
  });

  it("put pictures where each interface has them", () => {
    const full = { ...order, images: ["https://x/y.png"], ratio: "1:1", resolution: "720p", duration: 5 };
    expect(imageBody("ark_image", full)).toMatchObject({ image: "https://x/y.png", watermark: false });
    expect(taskBody("task", full)).toMatchObject({ ratio: "1:1", resolution: "720p", duration: 5 });
    expect(taskBody("dashscope_video", { ...full, model: "h-i2v" })).toEqual({
      model: "h-i2v",
      input: { prompt: "a fox", media: [{ type: "first_frame", url: "https://x/y.png" }] },
      parameters: { resolution: "720P", duration: 5 },
    });
  });
});

describe("answers", () => {
  it("hold pictures by address or whole", () => {
    expect(readImages({ data: [{ url: "https://x" }, { b64_json: "AA" }, { error: {} }] })).toEqual([
      "https://x",
      "data:image/png;base64,AA",
    ]);
  });

  it("tell a task in either provider's words", () => {
    expect(readTaskId({ id: "cgt-1" })).toBe("cgt-1");
    expect(readTaskId({ output: { task_id: "t" }, request_id: "r" })).toBe("t");
    expect(readTask({ status: "succeeded", content: { file_url: "https://x.glb" }, error: null })).toEqual({
      state: "succeeded",
      files: ["https://x.glb"],
      problem: null,
    });
    expect(readTask({ output: { task_status: "PENDING" } }).state).toBe("queued");
    expect(readTask({ output: { task_status: "FAILED", code: "C", message: "m" } })).toMatchObject({
      state: "failed",
      problem: { code: "C", message: "m" },
    });
    expect(readTask({ status: "failed", error: { code: "C", message: "m" } }).problem?.code).toBe("C");
    expect(readTask({}).state).toBe("unknown");
  });
});
