import { describe, expect, it } from "vitest";
import { addDays, dayIn, minuteIn, readRange } from "./range";

const TODAY = "2026-06-05";

describe("the range of the address", () => {
  it.each([
    [{}, "7d", "2026-05-30", TODAY, 7],
    [{ range: "today" }, "today", TODAY, TODAY, 1],
    [{ range: "14d" }, "14d", "2026-05-23", TODAY, 14],
    [{ range: "30d" }, "30d", "2026-05-07", TODAY, 30],
    [{ range: "week" }, "week", "2026-06-01", TODAY, 5],
    [{ range: "month" }, "month", "2026-06-01", TODAY, 5],
    [{ since: "2026-05-29", until: TODAY }, "custom", "2026-05-29", TODAY, 8],
    [{ range: "nonsense" }, "7d", "2026-05-30", TODAY, 7],
    [{ since: TODAY, until: "2026-05-29" }, "7d", "2026-05-30", TODAY, 7],
    [{ since: "2026-99-99", until: TODAY }, "7d", "2026-05-30", TODAY, 7],
  ] as const)("%o", (values, preset, since, until, days) => {
    expect(readRange(values, TODAY)).toEqual({ preset, since, until, days });
  });

  it("begins a week on Monday, on Sunday too", () => {
    expect(readRange({ range: "week" }, "2026-06-07").since).toBe("2026-06-01");
    expect(readRange({ range: "week" }, "2026-06-08").since).toBe("2026-06-08");
  });
});

describe("days", () => {
  it("are those of the installation's time zone", () => {
    expect(dayIn("Asia/Shanghai", "2026-06-04T16:00:00Z")).toBe("2026-06-05");
    expect(dayIn("UTC", "2026-06-04T16:00:00Z")).toBe("2026-06-04");
    expect(minuteIn("Asia/Shanghai", "2026-06-04T16:30:00Z")).toBe("2026-06-05 00:30");
  });

  it("go over ends of months", () => {
    expect(addDays("2026-03-01", -1)).toBe("2026-02-28");
    expect(addDays("2026-12-31", 1)).toBe("2027-01-01");
  });
});
