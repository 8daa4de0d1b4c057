/** The masked text of a key; the eye asks for the whole (each time a line in the audit log) and hides it again. */
import { CopyOutlined, EyeInvisibleOutlined, EyeOutlined } from "@ant-design/icons";
import { Button, Flex, Tooltip } from "antd";
import { useEffect, useState } from "react";
import { $api } from "@/api/client";
import type { KeyView } from "@/api/schema";
import { useMay } from "@/app/session";
import { useTexts } from "@/app/texts";
import { copyText } from "@/ui/CopyButton";
import { useSaying } from "@/ui/useSaying";
import { texts } from "./texts";

/** Nobody leaves a secret on the screen for longer by mistake. */
const SHOWN_FOR = 60_000;

export function KeyText({ item }: { item: KeyView }) {
  const t = useTexts(texts);
  const saying = useSaying();
  const mayReveal = useMay()("keys.write");
  const [text, setText] = useState<string | null>(null);
  const reveal = $api.useMutation("post", "/keys/{key_id}/reveal", { onError: saying.failed, gcTime: 0 });
  const [isCopying, setIsCopying] = useState(false);
  useEffect(() => {
    if (text === null) return;
    const timer = setTimeout(() => setText(null), SHOWN_FOR);
    return () => clearTimeout(timer);
  }, [text]);
  const ask = (use: (text: string) => void) =>
    reveal.mutate(
      { params: { path: { key_id: item.id } } },
      {
        onSuccess: (answer) => use(answer.text),
        onSettled: () => {
          setIsCopying(false);
          reveal.reset();
        },
      },
    );
  const copy = () => {
    setIsCopying(true);
    ask((answer) => void copyText(answer).then(() => saying.done(t.copied), saying.failed));
  };
  const eye = text === null ? t.show(item.alias) : t.hide(item.alias);
  return (
    <Flex align="center" gap={2}>
      <span className="mono" style={{ minWidth: 0, wordBreak: "break-all" }}>
        {text ?? item.key}
      </span>
      {mayReveal ? (
        <>
          <Tooltip title={eye}>
            <Button
              type="text"
              size="small"
              aria-label={eye}
              loading={reveal.isPending && !isCopying}
              icon={text === null ? <EyeOutlined /> : <EyeInvisibleOutlined />}
              onClick={() => (text === null ? ask(setText) : setText(null))}
            />
          </Tooltip>
          <Tooltip title={t.copyText(item.alias)}>
            <Button
              type="text"
              size="small"
              aria-label={t.copyText(item.alias)}
              loading={isCopying}
              icon={<CopyOutlined />}
              onClick={copy}
            />
          </Tooltip>
        </>
      ) : null}
    </Flex>
  );
}
