/** What the server says of single fields, put where the fields are. */
import { fieldsOf, listOf, textOf } from "@/gateway/json";

export interface FieldError {
  name: string;
  errors: string[];
}

/** A detail of `rest.of.path` belongs to the field `rest`; of a field the form lacks, to `other`. */
export function fieldErrors(error: unknown, fields: readonly string[], other?: string): FieldError[] {
  const found = new Map<string, string[]>();
  for (const each of listOf(fieldsOf(fieldsOf(error).error).details)) {
    const detail = fieldsOf(each);
    const path = textOf(detail.path);
    const first = path.split(".")[0] ?? "";
    const name = fields.includes(first) ? first : other;
    if (name === undefined || path === "") continue;
    const where = name === path ? "" : `${path}: `;
    const words = [textOf(detail.message), textOf(detail.hint)].filter((text) => text !== "").join(" · ");
    found.set(name, [...(found.get(name) ?? []), `${where}${words}`]);
  }
  return [...found].map(([name, errors]) => ({ name, errors }));
}
