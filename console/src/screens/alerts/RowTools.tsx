/** On or off, change and delete of one row; off and delete ask first. */
import { MoreOutlined } from "@ant-design/icons";
import { Button, Dropdown, Space, Switch } from "antd";
import { type ReactNode, useState } from "react";
import { useTexts } from "@/app/texts";
import { platformTexts } from "@/screens/platform/texts";
import { useConfirm } from "@/screens/platform/useConfirm";
import { useSaying } from "@/ui/useSaying";
import { texts } from "./texts";

export interface RowWords {
  offTitle: (name: string) => string;
  offHint: string;
  switchOff: string;
  deleteTitle: (name: string) => string;
  deleteHint: string;
}

interface Props {
  name: string;
  isOn: boolean;
  words: RowWords;
  onSwitch: (isOn: boolean) => Promise<unknown>;
  onChange: () => void;
  onDelete: () => Promise<unknown>;
  children?: ReactNode;
}

export function RowSwitch({
  name,
  isOn,
  words,
  onSwitch,
}: Pick<Props, "name" | "isOn" | "words" | "onSwitch">) {
  const t = useTexts(texts);
  const say = useSaying();
  const confirm = useConfirm();
  const [isBusy, setIsBusy] = useState(false);
  const change = (next: boolean) => {
    if (!next) {
      confirm({
        title: words.offTitle(name),
        content: words.offHint,
        ok: words.switchOff,
        isDanger: true,
        run: () => onSwitch(false),
      });
      return;
    }
    setIsBusy(true);
    onSwitch(true)
      .then(() => say.done(t.saved), say.failed)
      .finally(() => setIsBusy(false));
  };
  return (
    <Switch size="small" aria-label={t.switchOf(name)} checked={isOn} loading={isBusy} onChange={change} />
  );
}

export function RowActions({ name, words, onChange, onDelete, children }: Omit<Props, "isOn" | "onSwitch">) {
  const t = useTexts(texts);
  const common = useTexts(platformTexts);
  const confirm = useConfirm();
  const ask = () =>
    confirm({
      title: words.deleteTitle(name),
      content: words.deleteHint,
      ok: common.remove,
      isDanger: true,
      run: onDelete,
      done: t.deleted,
    });
  return (
    <Space size={4}>
      {children}
      <Dropdown
        trigger={["click"]}
        menu={{
          items: [
            { key: "change", label: common.change, onClick: onChange },
            { key: "delete", label: common.remove, danger: true, onClick: ask },
          ],
        }}
      >
        <Button size="small" type="text" icon={<MoreOutlined />} aria-label={t.actionsOf(name)} />
      </Dropdown>
    </Space>
  );
}
