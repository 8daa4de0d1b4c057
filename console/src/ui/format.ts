/** Numbers, money and times as people read them. Money comes as decimal text and stays text: no float touches it. */

export interface Format {
  /** 1234567 -> 1,234,567 */
  count: (value: number) => string;
  /** 1234567 -> 1.23M (in Chinese: 123.46万) */
  short: (value: number) => string;
  /** 0.1234 -> 12.3% */
  percent: (share: number) => string;
  /** Decimal text and currency -> ¥1.20; small amounts keep their digits. */
  money: (amount: string, currency: string) => string;
  /** Milliseconds -> 320 ms, 1.24 s, 2 min 5 s */
  duration: (milliseconds: number) => string;
  /** ISO text -> 2026-11-24 16:05:09 in the browser's time zone */
  time: (iso: string) => string;
  /** ISO text -> 2026-11-24 */
  day: (iso: string) => string;
  bytes: (count: number) => string;
}

const SIGNS: Record<string, string> = { CNY: "¥", USD: "$" };

export function makeFormat(language: "en" | "zh"): Format {
  const locale = language === "zh" ? "zh-CN" : "en-US";
  const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 3 });
  const compact = new Intl.NumberFormat(locale, { notation: "compact", maximumFractionDigits: 2 });
  const share = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1 });
  return {
    count: (value) => whole.format(value),
    short: (value) => (Math.abs(value) < 10_000 ? whole.format(value) : compact.format(value)),
    percent: (value) => share.format(value),
    money: (amount, currency) => `${SIGNS[currency] ?? `${currency} `}${readableAmount(amount)}`,
    duration: readableDuration,
    time: (iso) => localTime(new Date(iso)),
    day: (iso) => localTime(new Date(iso)).slice(0, 10),
    bytes: readableBytes,
  };
}

/** Two digits after the point from 1 on; below, four that say something: 0.0000123 stays 0.0000123. */
export function readableAmount(amount: string): string {
  const isNegative = amount.startsWith("-");
  const [units = "0", fraction = ""] = amount.replace("-", "").split(".");
  const grouped = units.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
  const digits = units === "0" ? Math.max(2, fraction.search(/[1-9]/) + 4) : 2;
  const kept = roundText(fraction, digits);
  if (kept === null) return `${isNegative ? "-" : ""}${addOne(units)}.00`;
  const shown = kept.replace(/0+$/, "").padEnd(2, "0");
  return `${isNegative ? "-" : ""}${grouped}.${shown}`;
}

/** The fraction cut to `digits`, rounded half up; null when it rounds up to the next whole. */
function roundText(fraction: string, digits: number): string | null {
  const kept = fraction.slice(0, digits).padEnd(digits, "0");
  if ((fraction[digits] ?? "0") < "5") return kept;
  const next = (BigInt(kept) + 1n).toString().padStart(digits, "0");
  return next.length > digits ? null : next;
}

function addOne(units: string): string {
  return (BigInt(units) + 1n).toString().replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

function readableDuration(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 60_000) return `${(milliseconds / 1000).toFixed(milliseconds < 10_000 ? 2 : 1)} s`;
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

function readableBytes(count: number): string {
  const units = ["B", "KiB", "MiB", "GiB"];
  let size = count;
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${unit ? size.toFixed(1) : size} ${units[unit]}`;
}

function localTime(date: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}
