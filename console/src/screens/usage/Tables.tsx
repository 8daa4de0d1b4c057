/** The five dimensions and the calls, as tabs of one place. */
import { Card, Grid, Segmented, Select, Tabs } from "antd";
import { useTexts } from "@/app/texts";
import { Breakdown } from "./Breakdown";
import { Calls } from "./Calls";
import { DIMENSIONS, type RowGrain, type UsageState } from "./state";
import { texts } from "./texts";
import { tableTexts } from "./texts-tables";

const GRAINS = ["whole", "day", "hour"] as const;

const TABS = [...DIMENSIONS, "calls" as const];

export function Tables({ state }: { state: UsageState }) {
  const t = useTexts(tableTexts);
  const isWide = Grid.useBreakpoint().md ?? true;
  const { tab, change } = state;
  const choose = (next: string) => change({ tab: next, rows: null });
  if (isWide) {
    return (
      <Card size="small">
        <Tabs
          activeKey={tab}
          onChange={choose}
          items={TABS.map((key) => ({
            key,
            label: t.tabs[key],
            children: key === tab ? <Shown state={state} /> : null,
          }))}
        />
      </Card>
    );
  }
  return (
    <Card size="small">
      <Select
        aria-label={t.dimension}
        value={tab}
        options={TABS.map((value) => ({ value, label: t.tabs[value] }))}
        style={{ width: "100%", marginBottom: 12 }}
        onChange={choose}
      />
      <Shown state={state} />
    </Card>
  );
}

function Shown({ state }: { state: UsageState }) {
  const t = useTexts(texts);
  const tt = useTexts(tableTexts);
  const { tab, change } = state;
  if (tab === "calls") return <Calls state={state} />;
  return (
    <>
      <Segmented<RowGrain>
        size="small"
        aria-label={tt.rows}
        value={state.rows}
        options={GRAINS.map((value) => ({ value, label: t.grains[value] }))}
        onChange={(rows) => change({ rows })}
        style={{ marginBottom: 12 }}
      />
      <Breakdown state={state} dimension={tab} />
    </>
  );
}
