import { useLanguage } from "@/app/preferences";

interface Named {
  id: string;
  name: string;
  title_zh: string;
}

/** As people read it; a provider without a name has its id. */
export function useProviderTitle(): (provider: Named) => string {
  const language = useLanguage();
  return ({ id, name, title_zh }) => (language === "zh" && title_zh ? title_zh : name) || id;
}
