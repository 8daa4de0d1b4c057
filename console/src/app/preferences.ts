/** What a person chose for this browser: language, light or dark, the time zone follows the browser. */
import { useSyncExternalStore } from "react";
import type { Language } from "./texts";

export type Theme = "light" | "dark" | "system";

interface Preferences {
  language: Language;
  theme: Theme;
}

const NAME = "aimesh.preferences";
const listeners = new Set<() => void>();
let current = load();

function load(): Preferences {
  const language: Language = navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
  const preferences: Preferences = { language, theme: "system" };
  try {
    const kept = JSON.parse(localStorage.getItem(NAME) ?? "{}");
    if (kept.language === "en" || kept.language === "zh") preferences.language = kept.language;
    if (["light", "dark", "system"].includes(kept.theme)) preferences.theme = kept.theme;
  } catch {
    // A browser without storage, or a stranger's value: the defaults do.
  }
  return preferences;
}

export function prefer(change: Partial<Preferences>): void {
  current = { ...current, ...change };
  try {
    localStorage.setItem(NAME, JSON.stringify(current));
  } catch {
    // It holds until the page is closed.
  }
  for (const told of listeners) told();
}

function subscribe(told: () => void): () => void {
  listeners.add(told);
  return () => listeners.delete(told);
}

function usePreferences(): Preferences {
  return useSyncExternalStore(subscribe, () => current);
}

export function useLanguage(): Language {
  return usePreferences().language;
}

export function useTheme(): Theme {
  return usePreferences().theme;
}

const darkQuery = window.matchMedia("(prefers-color-scheme: dark)");

function subscribeDark(told: () => void): () => void {
  darkQuery.addEventListener("change", told);
  return () => darkQuery.removeEventListener("change", told);
}

/** Whether the page is dark now. */
export function useIsDark(): boolean {
  const theme = useTheme();
  const isSystemDark = useSyncExternalStore(subscribeDark, () => darkQuery.matches);
  return theme === "system" ? isSystemDark : theme === "dark";
}
