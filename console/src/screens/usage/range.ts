/** Days that usage is shown of. A day is one of the installation's time zone, whole; the last one is included. */

export const PRESETS = ["today", "7d", "14d", "30d", "week", "month"] as const;
export type Preset = (typeof PRESETS)[number] | "custom";

export interface Range {
  preset: Preset;
  /** First and last day, as 2026-05-29. */
  since: string;
  until: string;
  days: number;
}

/** Of one answer of the API. */
export const MOST_DAYS = 1100;
export const MOST_DAYS_BY_HOURS = 92;

const DAY_MS = 86_400_000;
const LENGTHS: Partial<Record<Preset, number>> = { today: 1, "7d": 7, "14d": 14, "30d": 30 };

export function todayIn(zone: string, now: Date): string {
  return dayIn(zone, now.toISOString());
}

/** The day and the minute of a moment in a time zone. */
export function dayIn(zone: string, iso: string): string {
  return partsIn(zone, iso).day;
}

export function minuteIn(zone: string, iso: string): string {
  const { day, minute } = partsIn(zone, iso);
  return `${day} ${minute}`;
}

/** What the address says; the last seven days where it says nothing that makes sense. */
export function readRange(values: Record<string, string>, today: string): Range {
  if (isDay(values.since) && isDay(values.until) && values.since <= values.until) {
    return made("custom", values.since, values.until);
  }
  const preset = PRESETS.find((each) => each === values.range) ?? "7d";
  return made(preset, firstDay(preset, today), today);
}

export function addDays(day: string, count: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + count * DAY_MS).toISOString().slice(0, 10);
}

function firstDay(preset: Preset, today: string): string {
  if (preset === "month") return `${today.slice(0, 8)}01`;
  if (preset === "week") {
    const sinceMonday = (new Date(`${today}T00:00:00Z`).getUTCDay() + 6) % 7;
    return addDays(today, -sinceMonday);
  }
  return addDays(today, 1 - (LENGTHS[preset] ?? 7));
}

function made(preset: Preset, since: string, until: string): Range {
  return { preset, since, until, days: (Date.parse(until) - Date.parse(since)) / DAY_MS + 1 };
}

function isDay(text: string | undefined): text is string {
  return text !== undefined && /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text));
}

const formats = new Map<string, Intl.DateTimeFormat>();

function partsIn(zone: string, iso: string): { day: string; minute: string } {
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat("en-GB", {
      timeZone: zone,
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
    });
    formats.set(zone, format);
  }
  const found = Object.fromEntries(format.formatToParts(new Date(iso)).map((one) => [one.type, one.value]));
  return {
    day: `${found.year}-${found.month}-${found.day}`,
    minute: `${found.hour}:${found.minute}`,
  };
}
