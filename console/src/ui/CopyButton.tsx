import { CheckOutlined, CopyOutlined } from "@ant-design/icons";
import { Button, type ButtonProps, Tooltip } from "antd";
import { useEffect, useState } from "react";
import { useTexts } from "@/app/texts";
import { texts } from "./texts";

type Props = Omit<ButtonProps, "onClick" | "icon"> & {
  /** The text, or how to get it when it is asked for. */
  text: string | (() => Promise<string>);
  /** What is copied, for those who hear the page. */
  label?: string;
};

export function CopyButton({ text, label, ...rest }: Props) {
  const t = useTexts(texts);
  const [isDone, setIsDone] = useState(false);
  useEffect(() => {
    if (!isDone) return;
    const timer = setTimeout(() => setIsDone(false), 1500);
    return () => clearTimeout(timer);
  }, [isDone]);
  const copy = async () => {
    await copyText(typeof text === "string" ? text : await text());
    setIsDone(true);
  };
  return (
    <Tooltip title={isDone ? t.copied : t.copy}>
      <Button
        type="text"
        size="small"
        {...rest}
        icon={isDone ? <CheckOutlined /> : <CopyOutlined />}
        aria-label={label ?? t.copy}
        onClick={(event) => {
          event.stopPropagation();
          void copy();
        }}
      />
    </Tooltip>
  );
}

/** Also where the clipboard is not offered: a page without TLS on another machine's address. */
export async function copyText(text: string): Promise<void> {
  if (navigator.clipboard && window.isSecureContext) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const field = document.createElement("textarea");
  field.value = text;
  field.style.position = "fixed";
  field.style.opacity = "0";
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}
