/** Ant Design's tokens. Quiet text is darker than its default: 4.5 to 1 on every surface it stands on. */
import { type ThemeConfig, theme } from "antd";

const FONT =
  '-apple-system, BlinkMacSystemFont, "Segoe UI", "PingFang SC", "Noto Sans CJK SC", "Microsoft YaHei", Roboto, sans-serif';
const CODE = 'ui-monospace, SFMono-Regular, "JetBrains Mono", Menlo, Consolas, monospace';

const shared = { fontFamily: FONT, fontFamilyCode: CODE, borderRadius: 8, wireframe: false };

export const light: ThemeConfig = {
  algorithm: theme.defaultAlgorithm,
  token: {
    ...shared,
    colorPrimary: "#4338ca",
    colorLink: "#4338ca",
    colorSuccess: "#15803d",
    colorWarning: "#b45309",
    colorError: "#b91c1c",
    colorTextSecondary: "rgba(0, 0, 0, 0.68)",
    colorTextTertiary: "rgba(0, 0, 0, 0.62)",
    colorTextQuaternary: "rgba(0, 0, 0, 0.6)",
    colorTextPlaceholder: "rgba(0, 0, 0, 0.58)",
    colorTextDescription: "rgba(0, 0, 0, 0.62)",
    colorBgLayout: "#f6f7f9",
  },
};

export const dark: ThemeConfig = {
  algorithm: theme.darkAlgorithm,
  token: {
    ...shared,
    colorPrimary: "#8b8cf8",
    colorLink: "#a5a6fb",
    colorTextLightSolid: "#0b0c10",
    colorTextSecondary: "rgba(255, 255, 255, 0.75)",
    colorTextTertiary: "rgba(255, 255, 255, 0.68)",
    colorTextQuaternary: "rgba(255, 255, 255, 0.65)",
    colorTextPlaceholder: "rgba(255, 255, 255, 0.62)",
    colorTextDescription: "rgba(255, 255, 255, 0.68)",
    colorBgLayout: "#0f1115",
    colorBgContainer: "#16181d",
    colorBgElevated: "#1d2027",
  },
  components: {
    Menu: { itemSelectedColor: "#c7c8fd" },
    Tabs: { itemSelectedColor: "#a5a6fb", itemHoverColor: "#a5a6fb" },
  },
};
