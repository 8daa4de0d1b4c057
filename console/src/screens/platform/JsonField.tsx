import { Form, Input } from "antd";
import type { ReactNode } from "react";
import { useTexts } from "@/app/texts";
import { readEntry } from "./entryJson";
import { platformTexts } from "./texts";

/** A document as JSON in a form; the form's value is its text. */
export function JsonField({
  name,
  label,
  extra,
  rows = 8,
  placeholder,
  isNeeded = false,
}: {
  name: string;
  label: string;
  extra?: ReactNode;
  rows?: number;
  placeholder?: string;
  isNeeded?: boolean;
}) {
  const t = useTexts(platformTexts);
  const check = (_: unknown, text: string | undefined) => {
    const read = readEntry(text ?? "");
    if (!("problem" in read)) return Promise.resolve();
    return Promise.reject(new Error([t[read.problem], read.detail].filter(Boolean).join(": ")));
  };
  return (
    <Form.Item
      name={name}
      label={label}
      extra={extra}
      validateTrigger="onBlur"
      rules={[{ validator: check }, ...(isNeeded ? [{ required: true, message: t.missing }] : [])]}
    >
      <Input.TextArea
        className="mono"
        autoSize={{ minRows: rows, maxRows: 26 }}
        spellCheck={false}
        placeholder={placeholder}
      />
    </Form.Item>
  );
}
