import { expect, it } from "vitest";
import type { MonitoringPoint } from "@/api/schema";
import { hasLonePoints, timeOption } from "./charts";

function points(...rates: (number | null)[]): MonitoringPoint[] {
  const start = "2026-01-01T00:00:00Z";
  return rates.map((success_rate) => ({ start, success_rate }) as MonitoringPoint);
}

it.each([
  [[null, 1, null], true],
  [[1, 1, null], false],
  [[1, null, 1], true],
  [[null, null], false],
])("marks %j: %s", (rates, isLone) => {
  expect(hasLonePoints(points(...rates), (point) => point.success_rate)).toBe(isLone);
});

it("leaves gaps where nothing was called", () => {
  const line = { name: "rate", of: (point: MonitoringPoint) => point.success_rate };
  const option = timeOption(points(50, null), [line], String, 100);
  expect(option.series).toMatchObject([
    {
      connectNulls: false,
      data: [
        [expect.any(String), 50],
        [expect.any(String), null],
      ],
    },
  ]);
});
