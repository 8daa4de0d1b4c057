const LONGEST = 400;

/** The same body with pictures in it cut short: code is to be read, and megabytes are not. */
export function shorten(value: unknown): unknown {
  if (typeof value === "string") {
    if (!value.startsWith("data:") || value.length <= LONGEST) return value;
    return `${value.slice(0, value.indexOf(",") + 1)}<base64>`;
  }
  if (Array.isArray(value)) return value.map(shorten);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, shortenNamed(name, each)]));
}

/** Messages carry the bare base64 as `data`. */
function shortenNamed(name: string, value: unknown): unknown {
  return name === "data" && typeof value === "string" && value.length > LONGEST ? "<base64>" : shorten(value);
}
