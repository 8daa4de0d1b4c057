import { useMemo } from "react";
import { useLanguage } from "@/app/preferences";
import { type Format, makeFormat } from "./format";

export function useFormat(): Format {
  const language = useLanguage();
  return useMemo(() => makeFormat(language), [language]);
}
