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
const wideQuery = window.matchMedia("(min-width: 992px)");

function useMatches(query: MediaQueryList): boolean {
  return useSyncExternalStore(
    (told) => {
      query.addEventListener("change", told);
      return () => query.removeEventListener("change", told);
    },
    () => query.matches,
  );
}

/** Whether the page is dark now. */
export function useIsDark(): boolean {
  const theme = useTheme();
  const isSystemDark = useMatches(darkQuery);
  return theme === "system" ? isSystemDark : theme === "dark";
}

/** Whether there is room for a menu beside the screen. */
export function useIsWide(): boolean {
  return useMatches(wideQuery);
}
