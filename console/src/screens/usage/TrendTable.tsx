/** The trend in words, for whoever cannot see a chart or wants the numbers. */
import { Button, Table } from "antd";
import type { UsageTrend } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { texts } from "./texts";
import { startName, type TrendWords, textsOf } from "./trend";

interface Row {
  key: string;
  shown: string[];
}

interface Props {
  trend: UsageTrend;
  currency: string;
  words: TrendWords;
  onOpen: (series: string, name: string) => void;
}

export function TrendTable({ trend, currency, words, onOpen }: Props) {
  const t = useTexts(texts);
  const series = trend.series.map((each) => textsOf(trend, each, currency));
  const rows: Row[] = trend.starts
    .map((start, place) => ({
      key: startName(trend, start),
      shown: series.map((each) => words.amount(each[place] ?? "0")),
    }))
    .reverse();
  return (
    <Table<Row>
      size="small"
      dataSource={rows}
      pagination={rows.length > 100 ? { pageSize: 100, showSizeChanger: false } : false}
      scroll={{ x: 200 + series.length * 120, y: 270 }}
      columns={[
        {
          title: t.time,
          width: 160,
          render: (_, row) =>
            trend.grain === "day" ? (
              <Button type="link" size="small" title={t.openDay} onClick={() => onOpen("", row.key)}>
                {row.key}
              </Button>
            ) : (
              <span className="number">{row.key}</span>
            ),
        },
        ...trend.series.map((each, place) => ({
          key: each.name,
          title: words.series(each.name),
          align: "right" as const,
          render: (_: unknown, row: Row) => <span className="number">{row.shown[place]}</span>,
        })),
      ]}
    />
  );
}
