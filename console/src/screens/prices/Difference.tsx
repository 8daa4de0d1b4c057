import { Alert, Button, Space } from "antd";
import type { PricedSum, RepricedEndpoint } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { platformTexts } from "@/screens/platform/texts";
import { useConfirm } from "@/screens/platform/useConfirm";
import { WideTable } from "@/screens/platform/WideTable";
import { Money } from "@/ui/Money";
import { useFormat } from "@/ui/useFormat";
import type { Repriced } from "./amounts";
import { texts } from "./texts";

interface Props {
  sum: Repriced;
  isBusy: boolean;
  /** All of it is there, and nothing was done yet. */
  isShown: boolean;
  onRun: () => Promise<void>;
}

export function Difference({ sum, isBusy, isShown, onRun }: Props) {
  const t = useTexts(texts).again;
  const common = useTexts(platformTexts);
  const format = useFormat();
  const confirm = useConfirm();
  const count = format.count(sum.changed);
  if (isBusy) return <Alert type="info" showIcon title={t.running(format.count(sum.examined))} />;
  if (sum.changed === 0) {
    return isShown ? (
      <Alert
        type="success"
        showIcon
        title={t.nothing}
        description={t.nothingHint(format.count(sum.examined))}
      />
    ) : (
      <Alert type="success" showIcon title={t.doneAgain} />
    );
  }
  const ask = () =>
    confirm({
      title: t.askTitle(count),
      content: t.ask,
      ok: t.run(count),
      isDanger: true,
      run: onRun,
      done: t.done(count),
    });
  return (
    <Space orientation="vertical" size="middle" style={{ width: "100%" }}>
      <Alert
        type="warning"
        showIcon
        title={t.summary(count, format.count(sum.examined))}
        description={sum.kept > 0 ? t.kept(format.count(sum.kept)) : undefined}
        action={
          <Button danger disabled={!isShown} onClick={ask}>
            {t.run(count)}
          </Button>
        }
      />
      <WideTable<RepricedEndpoint>
        rowKey="endpoint"
        size="small"
        dataSource={sum.endpoints}
        pagination={{ pageSize: 50, hideOnSinglePage: true, showSizeChanger: false }}
        scroll={{ x: 860 }}
        columns={[
          { title: common.endpoint, render: (_, one) => <span className="mono">{one.endpoint}</span> },
          { title: t.records, width: 100, align: "right", render: (_, one) => format.count(one.records) },
          { title: t.before, width: 150, align: "right", render: (_, one) => <Costs sum={one.before} /> },
          { title: t.after, width: 150, align: "right", render: (_, one) => <Costs sum={one.after} /> },
          {
            title: t.unpriced,
            width: 130,
            align: "right",
            render: (_, one) => `${format.count(one.before.unpriced)} → ${format.count(one.after.unpriced)}`,
          },
        ]}
      />
    </Space>
  );
}

function Costs({ sum }: { sum: PricedSum }) {
  const costs = Object.entries(sum.cost);
  if (costs.length === 0) return <span className="quiet">-</span>;
  return costs.map(([currency, amount]) => (
    <div key={currency}>
      <Money amount={amount} currency={currency} />
    </div>
  ));
}
