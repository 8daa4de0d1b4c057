/** The five dimensions and the calls, as tabs of one place. */
import { Card, Segmented, Tabs } from "antd";
import { useTexts } from "@/app/texts";
import { Breakdown } from "./Breakdown";
import { Calls } from "./Calls";
import { DIMENSIONS, type RowGrain, type UsageState } from "./state";
import { texts } from "./texts";
import { tableTexts } from "./texts-tables";

const GRAINS = ["whole", "day", "hour"] as const;

export function Tables({ state }: { state: UsageState }) {
  const t = useTexts(texts);
  const tt = useTexts(tableTexts);
  const { tab, change } = state;
  return (
    <Card size="small">
      <Tabs
        activeKey={tab}
        onChange={(next) => change({ tab: next, rows: null })}
        items={[...DIMENSIONS, "calls" as const].map((key) => ({
          key,
          label: tt.tabs[key],
          children:
            key !== tab ? null : key === "calls" ? (
              <Calls state={state} />
            ) : (
              <>
                <Segmented<RowGrain>
                  size="small"
                  aria-label={tt.rows}
                  value={state.rows}
                  options={GRAINS.map((value) => ({ value, label: t.grains[value] }))}
                  onChange={(rows) => change({ rows })}
                  style={{ marginBottom: 12 }}
                />
                <Breakdown state={state} dimension={key} />
              </>
            ),
        }))}
      />
    </Card>
  );
}
