/** Words for what the catalogue calls by codes; a code that is not here is shown as it is. */
import { defineTexts } from "@/app/texts";

type Names = Record<string, string>;

export const catalogNames = defineTexts({
  en: {
    kinds: {
      chat: "Text",
      embedding: "Embedding",
      image: "Image",
      video: "Video",
      "3d": "3D",
      audio: "Audio",
      rerank: "Rerank",
    } as Names,
    modalities: {
      text: "text",
      image: "images",
      video: "video",
      audio: "sound",
      document: "documents",
      vector: "vectors",
      "3d": "3D models",
    } as Names,
    abilities: {
      reasoning: "Reasoning",
      tools: "Tools",
      structured_output: "Structured output",
      prompt_cache: "Prompt cache",
      vision: "Vision",
    } as Names,
    interfaces: {
      open_ai: "Chat completions",
      anthropic: "Messages",
      responses: "Responses",
      open_ai_embedding: "Embeddings",
      open_ai_image: "Images (OpenAI)",
      ark_image: "Images (Ark)",
      task: "Tasks (Ark)",
      ark_embedding: "Multimodal embeddings (Ark)",
      dashscope_video: "Video (DashScope)",
      dashscope_embedding: "Multimodal embeddings (DashScope)",
    } as Names,
  },
  zh: {
    kinds: {
      chat: "文本",
      embedding: "向量",
      image: "图片",
      video: "视频",
      "3d": "3D",
      audio: "语音",
      rerank: "重排序",
    },
    modalities: {
      text: "文本",
      image: "图片",
      video: "视频",
      audio: "音频",
      document: "文档",
      vector: "向量",
      "3d": "3D 模型",
    },
    abilities: {
      reasoning: "深度思考",
      tools: "工具调用",
      structured_output: "结构化输出",
      prompt_cache: "提示词缓存",
      vision: "视觉理解",
    },
    interfaces: {
      open_ai: "对话补全",
      anthropic: "Messages",
      responses: "Responses",
      open_ai_embedding: "文本向量",
      open_ai_image: "图片（OpenAI）",
      ark_image: "图片（方舟）",
      task: "任务（方舟）",
      ark_embedding: "多模态向量（方舟）",
      dashscope_video: "视频（DashScope）",
      dashscope_embedding: "多模态向量（DashScope）",
    },
  },
});
