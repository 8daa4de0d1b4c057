import { expect, it } from "vitest";
import type { MonitoredEndpoint } from "@/api/schema";
import { boardRows } from "./board";
import { readRange, sinceOf } from "./range";

function row(name: string, status: MonitoredEndpoint["now"]["status"], requests: number) {
  return { name, now: { status, fault_rate: null }, total: { requests } } as MonitoredEndpoint;
}

const ROWS = [
  row("a@m", "idle", 0),
  row("b@m", "healthy", 9),
  row("c@m", "failing", 3),
  row("d@x", "idle", 5),
];
const names = (rows: MonitoredEndpoint[]) => rows.map((one) => one.name);

it("puts what fails first, then what is called most", () => {
  expect(names(boardRows(ROWS, "", false))).toEqual(["c@m", "b@m", "d@x", "a@m"]);
});

it("hides what was not called, and what does not fit", () => {
  expect(names(boardRows(ROWS, "", true))).toEqual(["c@m", "b@m", "d@x"]);
  expect(names(boardRows(ROWS, " @M ", true))).toEqual(["c@m", "b@m"]);
});

it("reads times, and takes the usual one for what it does not know", () => {
  expect(readRange("24h")).toBe("24h");
  expect(readRange("2y")).toBe("1h");
  expect(sinceOf("5m", Date.UTC(2026, 0, 1, 0, 5))).toBe("2026-01-01T00:00:00.000Z");
});
