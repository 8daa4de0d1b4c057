/** A model's change as the form has it: usual fields, and the rest as JSON. */
import type { ModelDetail } from "@/api/schema";
import { type Entry, readEntry, splitEntry, withoutEmpty, writeEntry } from "@/screens/platform/entryJson";

export const FIELDS = [
  "name",
  "title",
  "vendor",
  "kind",
  "description",
  "description_zh",
  "aliases",
  "enabled",
] as const;

export interface ModelFields {
  name: string;
  title?: string;
  vendor?: string;
  kind?: string;
  description?: string;
  description_zh?: string;
  aliases?: string[];
  enabled?: "yes" | "no";
  rest?: string;
}

export const NEW_MODEL: ModelFields = {
  name: "",
  kind: "chat",
  rest: writeEntry({
    input: ["text"],
    output: ["text"],
    context: 32768,
    endpoints: [{ provider: "our_cluster", interfaces: ["open_ai"], as: "name-at-the-provider" }],
  }),
};

export function toFields(name: string, entry: ModelDetail["entry"]): ModelFields {
  const { known, rest } = splitEntry(entry, FIELDS);
  const { enabled, ...others } = known;
  const word = enabled === true ? "yes" : enabled === false ? "no" : undefined;
  return { ...others, name, enabled: word, rest: writeEntry(rest) };
}

export function toEntry({ rest, enabled, ...fields }: ModelFields): Entry {
  const read = readEntry(rest ?? "");
  const other = "entry" in read ? read.entry : {};
  const entry = { ...other, ...withoutEmpty({ ...fields, name: fields.name.trim() }) };
  return enabled === undefined || enabled === null ? entry : { ...entry, enabled: enabled === "yes" };
}
