/** The interfaces over which models are called: their paths, and a body that shows what each is for. */

export type Body = Record<string, unknown>;

interface Interface {
  /** Below the gateway's address. */
  path: string;
  /** Path of a task's state, before its id. */
  taskPath?: string;
  body: (model: string, kind: string) => Body;
}

const PICTURE = "https://example.com/product.png";

function chat(model: string): Body {
  return { model, messages: [{ role: "user", content: "hello" }] };
}

function image(model: string): Body {
  return { model, prompt: "a white teapot on a blue table", size: "2048x2048" };
}

function task(model: string, kind: string): Body {
  // All 3D models take a picture; not all take a text.
  const is3d = kind === "3d" || (kind === "" && /3d/i.test(model));
  const content = is3d
    ? { type: "image_url", image_url: { url: "https://example.com/robot.png" } }
    : { type: "text", text: "a cat runs over a sunny lawn" };
  return { model, content: [content] };
}

function film(model: string): Body {
  const input: Body = { prompt: "a cat runs over a sunny lawn" };
  const url = "https://example.com/cat.png";
  if (model.includes("i2v")) input.media = [{ type: "first_frame", url }];
  else if (model.includes("r2v")) input.media = [{ type: "reference_image", url }];
  return { model, input, parameters: { resolution: "720P", duration: 5 } };
}

const INTERFACES: Record<string, Interface> = {
  open_ai: { path: "/v1/chat/completions", body: chat },
  anthropic: { path: "/v1/messages", body: (model) => ({ ...chat(model), max_tokens: 256 }) },
  responses: { path: "/v1/responses", body: (model) => ({ model, input: "hello" }) },
  open_ai_embedding: {
    path: "/v1/embeddings",
    body: (model) => ({
      model,
      input: "AI Gateway 可以统一管理模型调用、路由和用量统计。",
      encoding_format: "float",
    }),
  },
  open_ai_image: {
    path: "/v1/images/generations",
    body: (model) => ({ ...image(model), size: "1024x1024" }),
  },
  ark_image: { path: "/api/v3/images/generations", body: image },
  task: {
    path: "/api/v3/contents/generations/tasks",
    taskPath: "/api/v3/contents/generations/tasks/",
    body: task,
  },
  ark_embedding: {
    path: "/api/v3/embeddings/multimodal",
    body: (model) => ({
      model,
      input: [
        { type: "image_url", image_url: { url: PICTURE } },
        { type: "text", text: "商品主图" },
      ],
    }),
  },
  dashscope_video: {
    path: "/api/v1/services/aigc/video-generation/video-synthesis",
    taskPath: "/api/v1/tasks/",
    body: film,
  },
  dashscope_embedding: {
    path: "/api/v1/services/embeddings/multimodal-embedding/multimodal-embedding",
    body: (model) => ({ model, input: { contents: [{ image: PICTURE }, { text: "商品主图" }] } }),
  },
};

/** `isArk`: models of Ark are documented below `/api/v3`; the answer is the same on both. */
export function pathOf(name: string, isArk = false): string {
  if (isArk && name === "open_ai") return "/api/v3/chat/completions";
  return INTERFACES[name]?.path ?? "/v1/chat/completions";
}

/** Where the state of a task is read, with its id behind; null: the interface answers at once. */
export function taskPathOf(name: string): string | null {
  return INTERFACES[name]?.taskPath ?? null;
}

/** `kind` is the model's; without it 3D is told by the name. */
export function sampleBody(name: string, model: string, kind = ""): Body {
  return (INTERFACES[name]?.body ?? chat)(model, kind);
}

const STREAMED = new Set(["open_ai", "anthropic", "responses"]);

export function canStream(name: string): boolean {
  return STREAMED.has(name);
}
