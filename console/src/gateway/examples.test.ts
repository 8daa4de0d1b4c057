import { describe, expect, it } from "vitest";
import { examplesFor, pathOf, sampleBody } from "./examples";

const BASE = "https://gateway.example/gateway";
const INTERFACES = [
  "open_ai",
  "anthropic",
  "responses",
  "open_ai_embedding",
  "open_ai_image",
  "ark_image",
  "task",
  "ark_embedding",
  "dashscope_video",
  "dashscope_embedding",
];

function make(name: string, more: object = {}) {
  return examplesFor({ interface: name, model: "some/model", baseUrl: BASE, keyText: "ck-1", ...more });
}

describe.each(INTERFACES)("an example over %s", (name) => {
  it("calls its path with its key and model", () => {
    const { curl, python, node } = make(name);
    expect(curl).toContain(`${BASE}${pathOf(name)}`);
    for (const code of [curl, python, node]) {
      expect(code).toContain("some/model");
      expect(code).toContain("ck-1");
      expect(code).toContain(BASE);
    }
  });

  it("keeps a quote inside a body inside it", () => {
    const body = { ...sampleBody(name, "m"), prompt: `it's "so"` };
    const { curl, python } = make(name, { body });
    expect(curl).toContain(`it'\\''s \\"so\\"`);
    expect(python).toContain(`"it's \\"so\\""`);
  });

  it("has a place for the key where only a shell could put it in", () => {
    const { curl, python, node } = make(name, { keyText: "$API_KEY" });
    expect(curl).toContain("$API_KEY");
    expect(python).toContain('"<your-api-key>"');
    expect(node).toContain('"<your-api-key>"');
  });
});

describe("an example", () => {
  it("streams where the interface can", () => {
    expect(make("open_ai", { stream: true }).curl).toContain('"stream": true');
    expect(make("open_ai", { stream: true }).python).toContain("stream=True");
    expect(make("anthropic", { stream: true }).python).toContain("client.messages.stream(");
    expect(make("ark_image", { stream: true }).curl).not.toContain("stream");
  });

  it("streams when the body says so, and says it once", () => {
    const { curl } = make("open_ai", { body: { model: "m", stream: true, messages: [] } });
    expect(curl.match(/stream/g)).toHaveLength(1);
  });

  it("passes what an SDK does not know beside its arguments", () => {
    const { python } = make("open_ai", { body: { model: "m", messages: [], enable_thinking: true } });
    expect(python).toContain('extra_body={"enable_thinking": True},');
  });

  it("goes below Ark's prefix for Ark's models", () => {
    const { curl, python } = make("open_ai", { isArk: true });
    expect(curl).toContain(`${BASE}/api/v3/chat/completions`);
    expect(python).toContain(`"${BASE}/api/v3"`);
  });

  it.each([
    ["task", "/api/v3/contents/generations/tasks/"],
    ["dashscope_video", "/api/v1/tasks/"],
  ])("of %s asks until it ends", (name, path) => {
    for (const code of Object.values(make(name))) expect(code).toContain(path);
  });

  it("of a 3D model begins with a picture", () => {
    expect(sampleBody("task", "Hyper3d-Gen2")).toMatchObject({ content: [{ type: "image_url" }] });
    expect(sampleBody("task", "some-name", "3d")).toMatchObject({ content: [{ type: "image_url" }] });
    expect(sampleBody("task", "doubao-seedance-2.0")).toMatchObject({ content: [{ type: "text" }] });
  });

  it("is laid out as people write it", () => {
    expect(make("open_ai").python).toBe(`from openai import OpenAI

client = OpenAI(
    base_url="https://gateway.example/gateway/v1",
    api_key="ck-1",
)
response = client.chat.completions.create(
    model="some/model",
    messages=[{"role": "user", "content": "hello"}],
)
print(response.choices[0].message.content)
`);
  });
});
