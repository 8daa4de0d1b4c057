/** Right of the head: the tenant that is looked at, language, theme, the person. */
import { BulbOutlined, GlobalOutlined, UserOutlined } from "@ant-design/icons";
import { Button, Dropdown, Flex, type MenuProps } from "antd";
import { useNavigate } from "react-router";
import { prefer, useLanguage, useTheme } from "./preferences";
import { useMay, useSession, useSignOut } from "./session";
import { TenantChoice } from "./TenantChoice";
import { useTexts } from "./texts";
import { texts } from "./texts-shell";

export function HeadTools() {
  const may = useMay();
  return (
    <Flex className="shell-tools" gap={8} align="center">
      {may("any_tenant") ? <TenantChoice /> : null}
      <LanguageButton />
      <ThemeButton />
      <PersonButton />
    </Flex>
  );
}

export function LanguageButton() {
  const t = useTexts(texts);
  const language = useLanguage();
  const items: MenuProps["items"] = [
    { key: "zh", label: "简体中文" },
    { key: "en", label: "English" },
  ];
  return (
    <Dropdown
      menu={{
        items,
        selectedKeys: [language],
        onClick: ({ key }) => prefer({ language: key === "zh" ? "zh" : "en" }),
      }}
      trigger={["click"]}
    >
      <Button type="text" icon={<GlobalOutlined />} aria-label={t.language} />
    </Dropdown>
  );
}

export function ThemeButton() {
  const t = useTexts(texts);
  const theme = useTheme();
  const items = [
    { key: "light" as const, label: t.light },
    { key: "dark" as const, label: t.dark },
    { key: "system" as const, label: t.system },
  ];
  return (
    <Dropdown
      menu={{
        items,
        selectedKeys: [theme],
        onClick: ({ key }) => prefer({ theme: items.find((each) => each.key === key)?.key ?? "system" }),
      }}
      trigger={["click"]}
    >
      <Button type="text" icon={<BulbOutlined />} aria-label={t.theme} />
    </Dropdown>
  );
}

function PersonButton() {
  const t = useTexts(texts);
  const session = useSession();
  const signOut = useSignOut();
  const navigate = useNavigate();
  const items: MenuProps["items"] = [
    { key: "role", label: t.roles[session.role], disabled: true },
    { type: "divider" },
    { key: "account", label: t.account, onClick: () => navigate("/account") },
    { key: "docs", label: <a href="/api/admin/v1/docs">{t.docs}</a> },
    { type: "divider" },
    { key: "out", label: t.signOut, onClick: () => void signOut() },
  ];
  return (
    <Dropdown menu={{ items }} trigger={["click"]}>
      <Button type="text" icon={<UserOutlined />} className="shell-person" title={t.account}>
        <span className="sr-only">{t.account}: </span>
        <span className="shell-person-name">{session.name}</span>
      </Button>
    </Dropdown>
  );
}
