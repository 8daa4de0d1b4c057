/**
 * The screens: one row each. To add one: a folder in `screens/` whose `index.tsx` has a default export, its name in
 * both languages, a row in `SCREENS`, a place in the menu. A screen loads when it is opened.
 */
import type { ComponentType } from "react";
import type { Permission } from "@/api/schema";
import { defineTexts } from "./texts";

export const screenNames = defineTexts({
  en: {
    start: "Get started",
    keys: "API keys",
    models: "Model plaza",
    model: "Model",
    playground: "Playground",
    byok: "BYOK",
    usage: "Usage",
    tasks: "Tasks",
    members: "Members",
    tokens: "API tokens",
    audit: "Audit log",
    providers: "Providers",
    endpoints: "Endpoints",
    prices: "Prices and discounts",
    health: "Health",
    alerts: "Alerts",
    tenants: "Tenants",
    settings: "Settings",
    account: "Account",
  },
  zh: {
    start: "快速开始",
    keys: "API Key 管理",
    models: "模型广场",
    model: "模型",
    playground: "体验中心",
    byok: "BYOK",
    usage: "用量统计",
    tasks: "任务",
    members: "权限管理",
    tokens: "API 令牌",
    audit: "审计日志",
    providers: "供应商",
    endpoints: "端点",
    prices: "价格与折扣",
    health: "健康状态",
    alerts: "告警",
    tenants: "租户",
    settings: "系统设置",
    account: "账号",
  },
});

export type ScreenName = keyof (typeof screenNames)["en"];

export type Load = () => Promise<{ default: ComponentType }>;

export interface Screen {
  name: ScreenName;
  path: string;
  load: Load;
  /** Who lacks it neither sees the screen in the menu nor opens it. */
  permission?: Permission;
}

export const SCREENS: Screen[] = [
  { name: "start", path: "/start", load: () => import("@/screens/start") },
  { name: "keys", path: "/keys", load: () => import("@/screens/keys"), permission: "keys.read" },
  { name: "models", path: "/models", load: () => import("@/screens/models"), permission: "catalog.read" },
  { name: "model", path: "/models/*", load: () => import("@/screens/model"), permission: "catalog.read" },
  {
    name: "playground",
    path: "/playground",
    load: () => import("@/screens/playground"),
    permission: "keys.read",
  },
  { name: "byok", path: "/byok", load: () => import("@/screens/byok"), permission: "byok.read" },
  { name: "usage", path: "/usage", load: () => import("@/screens/usage"), permission: "usage.read" },
  { name: "tasks", path: "/tasks", load: () => import("@/screens/tasks"), permission: "tasks.read" },
  { name: "members", path: "/members", load: () => import("@/screens/members"), permission: "members.write" },
  { name: "tokens", path: "/tokens", load: () => import("@/screens/tokens"), permission: "tokens.read" },
  { name: "audit", path: "/audit", load: () => import("@/screens/audit"), permission: "audit.read" },
  {
    name: "providers",
    path: "/platform/providers",
    load: () => import("@/screens/providers"),
    permission: "credentials",
  },
  {
    name: "endpoints",
    path: "/platform/endpoints",
    load: () => import("@/screens/endpoints"),
    permission: "catalog.write",
  },
  {
    name: "prices",
    path: "/platform/prices",
    load: () => import("@/screens/prices"),
    permission: "prices.write",
  },
  {
    name: "health",
    path: "/platform/health",
    load: () => import("@/screens/health"),
    permission: "monitoring.read",
  },
  { name: "alerts", path: "/platform/alerts", load: () => import("@/screens/alerts"), permission: "alerts" },
  {
    name: "tenants",
    path: "/platform/tenants",
    load: () => import("@/screens/tenants"),
    permission: "tenants",
  },
  {
    name: "settings",
    path: "/platform/settings",
    load: () => import("@/screens/settings"),
    permission: "tenants",
  },
  { name: "account", path: "/account", load: () => import("@/screens/account") },
];
