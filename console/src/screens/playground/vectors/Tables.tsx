import { Table, Typography } from "antd";
import { useTexts } from "@/app/texts";
import { CopyButton } from "@/ui/CopyButton";
import { texts } from "./texts";
import type { Vectors } from "./useVectors";
import { cosine, type Input, lengthOf } from "./vectors";

/** Names of the inputs: a text is its own, pictures are numbered. */
function useNames(inputs: Input[]): string[] {
  const t = useTexts(texts);
  return inputs.map((input, at) => (input.kind === "text" ? input.value : t.picture(at + 1)));
}

export function VectorTable({ found }: { found: Vectors }) {
  const t = useTexts(texts);
  const names = useNames(found.inputs);
  const rows = found.vectors.map((vector, at) => ({ key: at, vector, name: names[at] ?? t.vector(at + 1) }));
  return (
    <Table
      size="small"
      pagination={false}
      scroll={{ x: 640 }}
      dataSource={rows}
      columns={[
        { title: t.input, dataIndex: "name", width: 220, ellipsis: true },
        { title: t.all, render: (_, row) => row.vector.length, width: 110 },
        { title: t.length, render: (_, row) => lengthOf(row.vector).toFixed(3), width: 90 },
        {
          title: t.preview,
          render: (_, row) => (
            <span style={{ display: "flex", alignItems: "center" }}>
              <Typography.Text className="mono" ellipsis>
                {row.vector
                  .slice(0, 6)
                  .map((value) => value.toFixed(4))
                  .join(", ")}
              </Typography.Text>
              <CopyButton text={JSON.stringify(row.vector)} label={t.copy(row.name)} />
            </span>
          ),
        },
      ]}
    />
  );
}

export function Similarities({ found }: { found: Vectors }) {
  const t = useTexts(texts);
  const names = useNames(found.inputs);
  if (found.vectors.length < 2) return null;
  return (
    <div style={{ marginTop: 16 }}>
      <h2 style={{ fontSize: 15, margin: 0 }}>{t.similarity}</h2>
      <p className="quiet" style={{ marginTop: 0 }}>
        {t.similarityHint}
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it */}
      <section style={{ overflow: "auto" }} tabIndex={0} aria-label={t.similarity}>
        <table className="matrix number">
          <thead>
            <tr>
              <td />
              {found.vectors.map((_, at) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: the place is what a vector is known by
                <th key={at} scope="col">
                  {at + 1}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {found.vectors.map((one, row) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: the place is what a vector is known by
              <tr key={row}>
                <th scope="row" style={{ textAlign: "start" }}>
                  {row + 1}. {names[row]?.slice(0, 40)}
                </th>
                {found.vectors.map((other, column) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: the place is what a vector is known by
                  <Similarity key={column} value={cosine(one, other)} />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </div>
  );
}

function Similarity({ value }: { value: number | null }) {
  const share = Math.round(Math.max(0, value ?? 0) * 30);
  return (
    <td style={{ background: `color-mix(in srgb, var(--ant-color-primary) ${share}%, transparent)` }}>
      {value === null ? "-" : value.toFixed(3)}
    </td>
  );
}
