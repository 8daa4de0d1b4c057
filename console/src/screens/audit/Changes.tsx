import { theme } from "antd";
import type { CSSProperties } from "react";
import { useTexts } from "@/app/texts";
import { type ChangedField, readChanges } from "./changes";
import { texts } from "./texts";

/** The fields of a change, before and after. */
export function Changes({ changes }: { changes: Record<string, unknown> }) {
  const t = useTexts(texts);
  const fields = readChanges(changes);
  const isCompared = fields.some((each) => each.before !== undefined);
  const cell: CSSProperties = { textAlign: "start", padding: "4px 16px 4px 0", verticalAlign: "top" };
  return (
    <table style={{ borderCollapse: "collapse" }}>
      <thead>
        <tr className="quiet">
          <th style={cell}>{t.field}</th>
          {isCompared ? <th style={cell}>{t.before}</th> : null}
          <th style={cell}>{isCompared ? t.after : t.value}</th>
        </tr>
      </thead>
      <tbody>
        {fields.map((field) => (
          <tr key={field.path}>
            <td style={cell} className="mono">
              {field.path}
            </td>
            <Values field={field} isCompared={isCompared} style={cell} />
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Values({
  field,
  isCompared,
  style,
}: {
  field: ChangedField;
  isCompared: boolean;
  style: CSSProperties;
}) {
  const t = useTexts(texts);
  const { token } = theme.useToken();
  if (field.isSecret) {
    return (
      <td style={style} className="quiet" colSpan={isCompared ? 2 : 1}>
        {t.secret}
      </td>
    );
  }
  const text = (value: string | undefined) =>
    value ? value : <span className="quiet">{value === "" ? t.emptyValue : ""}</span>;
  const shown: CSSProperties = { ...style, whiteSpace: "pre-wrap", maxWidth: 480 };
  return (
    <>
      {isCompared ? (
        <td style={{ ...shown, color: token.colorTextSecondary }}>
          <del style={{ textDecoration: field.before ? "line-through" : "none" }}>{text(field.before)}</del>
        </td>
      ) : null}
      <td style={shown}>
        <ins style={{ textDecoration: "none" }}>{text(field.after)}</ins>
      </td>
    </>
  );
}
