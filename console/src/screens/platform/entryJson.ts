/** Documents that people edit as JSON: the catalogue's entries and prices. */

export type Entry = Record<string, unknown>;

export type ReadEntry = { entry: Entry } | { problem: "notJson" | "notObject"; detail: string };

/** Empty text is an empty entry. */
export function readEntry(text: string): ReadEntry {
  if (text.trim() === "") return { entry: {} };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { problem: "notJson", detail: error instanceof Error ? error.message : "" };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return { problem: "notObject", detail: "" };
  }
  return { entry: value as Entry };
}

export function writeEntry(entry: Entry | null | undefined): string {
  return entry && Object.keys(entry).length > 0 ? JSON.stringify(entry, null, 2) : "";
}

/** The fields that a form has, and the rest of the entry. */
export function splitEntry(
  entry: Entry | null | undefined,
  fields: readonly string[],
): { known: Entry; rest: Entry } {
  const known: Entry = {};
  const rest: Entry = {};
  for (const [name, value] of Object.entries(entry ?? {})) {
    (fields.includes(name) ? known : rest)[name] = value;
  }
  return { known, rest };
}

/** Without what says nothing: empty texts and lists, null, undefined. */
export function withoutEmpty(entry: Entry): Entry {
  return Object.fromEntries(
    Object.entries(entry).filter(
      ([, value]) =>
        value !== null &&
        value !== undefined &&
        value !== "" &&
        !(Array.isArray(value) && value.length === 0),
    ),
  );
}
