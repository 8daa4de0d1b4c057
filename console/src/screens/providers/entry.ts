/** A provider's change as the form has it: usual fields, and the rest as JSON. */
import type { ProviderDetail } from "@/api/schema";
import { type Entry, readEntry, splitEntry, withoutEmpty, writeEntry } from "@/screens/platform/entryJson";

const TEXTS = ["name", "title_zh", "site", "base_url", "origin", "auth", "environment"] as const;
export const FIELDS = [...TEXTS, "speaks"] as const;

export type ProviderFields = Partial<Record<(typeof TEXTS)[number], string>> & {
  id?: string;
  speaks?: string[];
  rest?: string;
};

export function toFields(entry: ProviderDetail["entry"]): ProviderFields {
  const { known, rest } = splitEntry(entry, TEXTS);
  const speaks = plainInterfaces(rest.speaks);
  if (speaks !== null) delete rest.speaks;
  return { ...known, speaks: speaks ?? [], rest: writeEntry(rest) };
}

export function toEntry({ id: _, rest, speaks, ...texts }: ProviderFields): Entry {
  const read = readEntry(rest ?? "");
  const other = "entry" in read ? read.entry : {};
  const entry = { ...other, ...withoutEmpty(trimmed(texts)) };
  if (!speaks || speaks.length === 0) return entry;
  const paths = typeof other.speaks === "object" ? other.speaks : {};
  return { ...entry, speaks: { ...Object.fromEntries(speaks.map((each) => [each, {}])), ...paths } };
}

/** Interfaces that are served at their usual paths; null where one has paths of its own. */
function plainInterfaces(speaks: unknown): string[] | null {
  if (typeof speaks !== "object" || speaks === null) return [];
  const all = Object.entries(speaks);
  return all.every(([, paths]) => Object.keys(paths ?? {}).length === 0) ? all.map(([name]) => name) : null;
}

function trimmed(texts: Entry): Entry {
  return Object.fromEntries(
    Object.entries(texts).map(([name, value]) => [name, typeof value === "string" ? value.trim() : value]),
  );
}
