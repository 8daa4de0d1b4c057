/** The time that is shown, and how it is cut. */
import { DatePicker, Segmented, Tooltip } from "antd";
import dayjs from "dayjs";
import { useTexts } from "@/app/texts";
import { addDays, MOST_DAYS, MOST_DAYS_BY_HOURS, PRESETS, todayIn } from "./range";
import type { Grain, UsageState } from "./state";
import { texts } from "./texts";

export function Toolbar({ state }: { state: UsageState }) {
  const t = useTexts(texts);
  const { range, change, zone } = state;
  const isLong = range.days > MOST_DAYS_BY_HOURS;
  const today = todayIn(zone, new Date());
  return (
    <>
      <div className="usage-bar">
        <div className="usage-scroll">
          <Segmented
            aria-label={t.range}
            value={range.preset}
            options={PRESETS.map((value) => ({ value, label: t.presets[value] }))}
            onChange={(preset) => change({ range: preset, since: null, until: null })}
          />
        </div>
        <DatePicker.RangePicker
          aria-label={t.custom}
          allowClear={false}
          value={[dayjs(range.since), dayjs(range.until)]}
          minDate={dayjs("2000-01-01")}
          maxDate={dayjs(today)}
          disabledDate={(date, { from }) =>
            from !== undefined && Math.abs(date.diff(from, "day")) >= MOST_DAYS
          }
          onChange={(days) => {
            const [first, last] = days ?? [];
            if (!first || !last) return;
            change({ range: null, since: first.format("YYYY-MM-DD"), until: last.format("YYYY-MM-DD") });
          }}
          presets={[
            {
              label: t.presets["30d"],
              value: [dayjs(addDays(today, -29)), dayjs(today)],
            },
          ]}
        />
        <Tooltip title={isLong ? t.tooManyHours(MOST_DAYS_BY_HOURS) : undefined}>
          <Segmented<Grain>
            aria-label={t.grain}
            value={state.grain}
            options={[
              { value: "day", label: t.grains.day },
              { value: "hour", label: t.grains.hour, disabled: isLong },
            ]}
            onChange={(grain) => change({ grain })}
          />
        </Tooltip>
      </div>
      <p className="quiet number" style={{ margin: "0 0 12px" }} title={t.zone(zone)}>
        {t.span(range.since, range.until, range.days)}
      </p>
    </>
  );
}
