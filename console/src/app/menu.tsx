/** The menu: the screens that a person may open, in groups. */
import {
  AlertOutlined,
  ApartmentOutlined,
  ApiOutlined,
  AppstoreOutlined,
  AuditOutlined,
  BarChartOutlined,
  CloudServerOutlined,
  ExperimentOutlined,
  HeartOutlined,
  KeyOutlined,
  LockOutlined,
  PayCircleOutlined,
  RocketOutlined,
  SafetyOutlined,
  SettingOutlined,
  TeamOutlined,
  VideoCameraOutlined,
} from "@ant-design/icons";
import type { MenuProps } from "antd";
import type { ReactNode } from "react";
import { Link, matchPath } from "react-router";
import { SCREENS, type Screen, type ScreenName, screenNames } from "./screens";
import { useMay } from "./session";
import { useTexts } from "./texts";
import { texts } from "./texts-shell";

const ICONS: Partial<Record<ScreenName, ReactNode>> = {
  start: <RocketOutlined />,
  keys: <KeyOutlined />,
  models: <AppstoreOutlined />,
  playground: <ExperimentOutlined />,
  byok: <LockOutlined />,
  usage: <BarChartOutlined />,
  tasks: <VideoCameraOutlined />,
  members: <TeamOutlined />,
  tokens: <SafetyOutlined />,
  audit: <AuditOutlined />,
  providers: <CloudServerOutlined />,
  endpoints: <ApiOutlined />,
  prices: <PayCircleOutlined />,
  health: <HeartOutlined />,
  alerts: <AlertOutlined />,
  tenants: <ApartmentOutlined />,
  settings: <SettingOutlined />,
};

const GROUPS: { title: "work" | "people" | "platform"; names: ScreenName[] }[] = [
  { title: "work", names: ["start", "keys", "models", "playground", "byok", "usage", "tasks"] },
  { title: "people", names: ["members", "tokens", "audit"] },
  {
    title: "platform",
    names: ["providers", "endpoints", "prices", "health", "alerts", "tenants", "settings"],
  },
];

export function useScreen(path: string): { screen: Screen | undefined; isAllowed: boolean } {
  const may = useMay();
  const screen = SCREENS.find((each) => matchPath(each.path, path) !== null);
  return { screen, isAllowed: screen?.permission === undefined || may(screen.permission) };
}

export function useMenu(path: string): { items: NonNullable<MenuProps["items"]>; selected: string[] } {
  const t = useTexts(texts);
  const names = useTexts(screenNames);
  const may = useMay();
  const { screen } = useScreen(path);
  const items = GROUPS.map((group) => ({
    type: "group" as const,
    key: group.title,
    label: t[group.title],
    children: SCREENS.filter(
      (each) => group.names.includes(each.name) && (each.permission === undefined || may(each.permission)),
    ).map((each) => ({
      key: each.name,
      icon: ICONS[each.name],
      label: <Link to={each.path}>{names[each.name]}</Link>,
    })),
  })).filter((group) => group.children.length > 0);
  const selected = screen ? [screen.name === "model" ? "models" : screen.name] : [];
  return { items, selected };
}
