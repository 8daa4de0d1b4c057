import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { App as AntApp, ConfigProvider, type ThemeConfig } from "antd";
import type { Locale } from "antd/es/locale";
import { useEffect, useState } from "react";
import { onSignedOut } from "@/api/client";
import { toProblem } from "@/api/problem";
import { useIsDark, useLanguage } from "./preferences";
import { Router } from "./routes";
import type { Language } from "./texts";
import { dark, light } from "./theme";

const RETRIED = new Set(["UNREACHABLE", "DATABASE_UNAVAILABLE", "CONTROL_UNAVAILABLE"]);

const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      retry: (count, error) => count < 2 && RETRIED.has(toProblem(error).code),
      refetchOnWindowFocus: false,
    },
  },
});

// Reading the session again answers 401, and the gate shows the sign-in.
onSignedOut(() => void client.invalidateQueries({ queryKey: ["get", "/session"] }));

/** Two Chinese characters stay together: what is read aloud is what is seen. */
const BUTTON = { autoInsertSpace: false };
const isStill = window.matchMedia("(prefers-reduced-motion: reduce)").matches;

/** Nothing moves for who asked their system for that. */
function withMotion(theme: ThemeConfig): ThemeConfig {
  return isStill ? { ...theme, token: { ...theme.token, motion: false } } : theme;
}

/** Ant Design's own words; its English ones are built in. */
function useAntLocale(language: Language): Locale | undefined {
  const [chinese, setChinese] = useState<Locale>();
  useEffect(() => {
    if (language === "zh") void import("antd/locale/zh_CN").then((loaded) => setChinese(loaded.default));
  }, [language]);
  return language === "zh" ? chinese : undefined;
}

export function App() {
  const language = useLanguage();
  const isDark = useIsDark();
  const locale = useAntLocale(language);
  useEffect(() => {
    document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  }, [language]);
  useEffect(() => {
    document.documentElement.dataset.theme = isDark ? "dark" : "light";
  }, [isDark]);
  return (
    <ConfigProvider theme={withMotion(isDark ? dark : light)} locale={locale} button={BUTTON}>
      <AntApp className="app">
        <QueryClientProvider client={client}>
          <Router />
        </QueryClientProvider>
      </AntApp>
    </ConfigProvider>
  );
}
