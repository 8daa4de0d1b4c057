import { ClearOutlined, SendOutlined, StopOutlined } from "@ant-design/icons";
import { Button, Input, Space } from "antd";
import { useState } from "react";
import { useTexts } from "@/app/texts";
import { Pictures } from "../Pictures";
import { texts } from "./texts";

export interface ComposerProps {
  onSend: (text: string, images: string[]) => void;
  onStop: () => void;
  onClear: (() => void) | null;
  isRunning: boolean;
  /** Why nothing can be sent; empty: it can. */
  hindrance: string;
}

export function Composer({ onSend, onStop, onClear, isRunning, hindrance }: ComposerProps) {
  const t = useTexts(texts);
  const [text, setText] = useState("");
  const [images, setImages] = useState<string[]>([]);
  const isReady = text.trim() !== "" && !isRunning && hindrance === "";
  const send = () => {
    if (!isReady) return;
    onSend(text.trim(), images);
    setText("");
    setImages([]);
  };
  return (
    <div className="composer">
      <Input.TextArea
        aria-label={t.message}
        placeholder={t.placeholder}
        variant="borderless"
        value={text}
        autoSize={{ minRows: 2, maxRows: 10 }}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          // While an input method is choosing characters, Enter is its own.
          if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
          event.preventDefault();
          send();
        }}
      />
      <div className="composer-row">
        <Pictures value={images} onChange={setImages} />
        <Space>
          {hindrance ? <span className="quiet">{hindrance}</span> : null}
          {onClear ? (
            <Button type="text" icon={<ClearOutlined />} onClick={onClear}>
              {t.clear}
            </Button>
          ) : null}
          {isRunning ? (
            <Button icon={<StopOutlined />} onClick={onStop}>
              {t.stop}
            </Button>
          ) : (
            <Button type="primary" icon={<SendOutlined />} disabled={!isReady} onClick={send}>
              {t.send}
            </Button>
          )}
        </Space>
      </div>
    </div>
  );
}
