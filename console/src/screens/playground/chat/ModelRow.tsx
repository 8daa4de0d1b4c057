import { DeleteOutlined, PlusOutlined } from "@ant-design/icons";
import { Button, Space } from "antd";
import { useState } from "react";
import { useTexts } from "@/app/texts";
import { ModelSelect } from "@/gateway/ModelSelect";
import { MOST_MODELS } from "../place";
import type { WorkProps } from "../work";
import { texts } from "./texts";

/** The models that answer, one column each. */
export function ModelRow({ names, onNames, keyId }: WorkProps) {
  const t = useTexts(texts);
  const [isAdding, setIsAdding] = useState(false);
  const isFull = names.length >= MOST_MODELS;
  return (
    <Space wrap style={{ width: "100%", marginBottom: 12 }}>
      {names.map((name, at) => (
        <Space.Compact key={name}>
          <div style={{ width: 260, maxWidth: "70vw" }}>
            <ModelSelect
              kind="chat"
              keyId={keyId}
              value={name}
              without={names}
              label={t.modelNumber(at + 1)}
              onChange={(next) => onNames(names.map((each) => (each === name ? next : each)))}
            />
          </div>
          {names.length > 1 ? (
            <Button
              icon={<DeleteOutlined />}
              aria-label={t.removeModel(name)}
              onClick={() => onNames(names.filter((each) => each !== name))}
            />
          ) : null}
        </Space.Compact>
      ))}
      {isAdding && !isFull ? (
        <div style={{ width: 260, maxWidth: "70vw" }}>
          <ModelSelect
            kind="chat"
            keyId={keyId}
            value={null}
            without={names}
            label={t.modelNumber(names.length + 1)}
            onChange={(next) => {
              setIsAdding(false);
              onNames([...names, next]);
            }}
          />
        </div>
      ) : null}
      {isFull || isAdding ? null : (
        <Button icon={<PlusOutlined />} onClick={() => setIsAdding(true)}>
          {t.compare}
        </Button>
      )}
    </Space>
  );
}
