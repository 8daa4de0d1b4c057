/** What can be done to one key. On narrow screens all of it is in the menu. */
import { MoreOutlined } from "@ant-design/icons";
import { App, Button, Dropdown, Flex, type MenuProps } from "antd";
import { lazy, useState } from "react";
import { useNavigate } from "react-router";
import type { KeyView, KeyWithText } from "@/api/schema";
import { useMay } from "@/app/session";
import { useTexts } from "@/app/texts";
import { Later } from "@/ui/Later";
import type { UrlState } from "@/ui/useUrlState";
import { texts } from "./texts";
import { useKeyChanges } from "./useKeyChanges";

const CopyKey = lazy(() => import("./CopyKey").then((each) => ({ default: each.CopyKey })));
const RotateKey = lazy(() => import("./RotateKey").then((each) => ({ default: each.RotateKey })));

interface Props {
  item: KeyView;
  isWide: boolean;
  open: UrlState[1];
  onMade: (key: KeyWithText, isRotated?: boolean) => void;
}

export function usagePath(key: KeyView): string {
  return `/usage?key=${encodeURIComponent(key.id)}`;
}

export function KeyActions({ item, isWide, open, onMade }: Props) {
  const t = useTexts(texts);
  const mayChange = useMay()("keys.write");
  const navigate = useNavigate();
  const ask = useQuestions(item);
  const [dialog, setDialog] = useState<"copy" | "rotate" | null>(null);
  const isOurs = mayChange && item.source === "database";
  const route = { key: "route", label: t.route, onClick: () => open({ route: item.id }) };
  const edit = { key: "edit", label: isOurs ? t.edit : t.view, onClick: () => open({ edit: item.id }) };
  const items: MenuProps["items"] = [
    route,
    ...(isWide ? [] : [edit]),
    ...(mayChange ? [{ key: "copy", label: t.copy, onClick: () => setDialog("copy") }] : []),
    ...(isOurs
      ? [
          item.status === "disabled"
            ? { key: "enable", label: t.enable, onClick: ask.enable }
            : { key: "disable", label: t.disable, onClick: ask.disable },
          { key: "rotate", label: t.rotate, onClick: () => setDialog("rotate") },
        ]
      : []),
    { key: "usage", label: t.viewUsage, onClick: () => void navigate(usagePath(item)) },
    ...(isOurs
      ? [{ type: "divider" as const }, { key: "remove", label: t.remove, danger: true, onClick: ask.remove }]
      : []),
  ];
  const close = () => setDialog(null);
  return (
    <Flex gap={4} align="center">
      {isWide ? (
        <Button size="small" onClick={edit.onClick}>
          {edit.label}
        </Button>
      ) : null}
      <Dropdown menu={{ items }} trigger={["click"]} placement="bottomRight">
        <Button
          type="text"
          size="small"
          icon={<MoreOutlined />}
          loading={ask.isPending}
          aria-label={t.more(item.alias)}
        />
      </Dropdown>
      <Later when={dialog !== null}>
        {dialog === "copy" ? <CopyKey item={item} onClose={close} onMade={onMade} /> : null}
        {dialog === "rotate" ? <RotateKey item={item} onClose={close} onMade={onMade} /> : null}
      </Later>
    </Flex>
  );
}

/** Switching and deleting ask first and say what will happen. */
function useQuestions(item: KeyView) {
  const t = useTexts(texts);
  const { modal } = App.useApp();
  const navigate = useNavigate();
  const { enable, disable, remove, isPending } = useKeyChanges(item);
  const common = { cancelText: t.cancel, focusable: { autoFocusButton: "cancel" as const } };
  return {
    isPending,
    enable: () => void enable(),
    disable: () =>
      void modal.confirm({
        ...common,
        title: t.disableTitle(item.alias),
        content: t.disableHint,
        okText: t.disable,
        okButtonProps: { danger: true },
        onOk: disable,
      }),
    remove: () => {
      const asked = modal.confirm({
        ...common,
        title: t.removeTitle(item.alias),
        content: (
          <>
            {t.removeHint} {/* Questions are drawn outside the router, where no Link works. */}
            <a
              href={usagePath(item)}
              onClick={(event) => {
                event.preventDefault();
                asked.destroy();
                void navigate(usagePath(item));
              }}
            >
              {t.viewUsage}
            </a>
          </>
        ),
        okText: t.remove,
        okButtonProps: { danger: true },
        onOk: remove,
      });
    },
  };
}
