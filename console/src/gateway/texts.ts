import { defineTexts } from "@/app/texts";

export const texts = defineTexts({
  en: {
    key: "API key",
    chooseKey: "Choose a key",
    make: "New key",
    makeFirst: "Make a key",
    noKeys: "Calls need an API key, and you have none that is active.",
    notAllowed: "Ask an administrator for a key of your own.",
    model: "Model",
    chooseModel: "Choose a model",
    notCallable: "not callable now",
  },
  zh: {
    key: "API Key",
    chooseKey: "选择 API Key",
    make: "新建 Key",
    makeFirst: "创建 API Key",
    noKeys: "调用模型需要 API Key，您目前没有可用的 Key。",
    notAllowed: "请联系管理员为您创建 Key。",
    model: "模型",
    chooseModel: "选择模型",
    notCallable: "暂不可调用",
  },
});
