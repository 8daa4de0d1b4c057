/**
 * Words in two languages, beside the screen that shows them.
 *
 * A screen has a `texts.ts` with `export const texts = defineTexts({ en: {...}, zh: {...} })` and reads them by
 * `const t = useTexts(texts)`. The compiler refuses a word that one language lacks; a word with a value in it is a
 * function. Words load with their screen.
 */
import { useLanguage } from "./preferences";

export type Language = "en" | "zh";

export interface Texts<T> {
  en: T;
  zh: T;
}

export function defineTexts<T>(texts: { en: T; zh: NoInfer<T> }): Texts<T> {
  return texts;
}

export function useTexts<T>(texts: Texts<T>): T {
  return texts[useLanguage()];
}
