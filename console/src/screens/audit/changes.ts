/** What an audit line says of a change, as lines that people read: one field each. */

export interface ChangedField {
  /** Where, with dots: `limits.quotas`. */
  path: string;
  /** Undefined: there was no value before. */
  before?: string;
  after?: string;
  /** Its values are not written down. */
  isSecret: boolean;
}

export function readChanges(changes: Record<string, unknown>): ChangedField[] {
  return Object.entries(changes).flatMap(([name, change]) => readOne(name, change));
}

function readOne(path: string, change: unknown): ChangedField[] {
  if (isRecord(change)) {
    if ("from" in change && "to" in change) return compare(path, change.from, change.to);
    if (Object.keys(change).length === 1 && change.changed === true) return [{ path, isSecret: true }];
    // Of a new thing, or one that is gone, all fields are written; the first level only says that it is one.
    const inner = path === "terms" ? "" : `${path}.`;
    const fields = Object.entries(change).flatMap(([name, value]) => readOne(`${inner}${name}`, value));
    if (fields.length > 0) return fields;
  }
  return [{ path, after: shown(change), isSecret: false }];
}

/** Goes into what is an object on both sides, so that only what differs is shown. */
function compare(path: string, before: unknown, after: unknown): ChangedField[] {
  if (isRecord(before) && isRecord(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return names
      .filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]))
      .flatMap((name) => compare(`${path}.${name}`, before[name], after[name]));
  }
  return [{ path, before: shown(before), after: shown(after), isSecret: false }];
}

function shown(value: unknown): string {
  if (value === null || value === undefined || value === "") return "";
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return value.map(shown).join("\n");
  if (isRecord(value)) {
    return Object.entries(value)
      .map(([name, inner]) => `${name}: ${shown(inner)}`)
      .join(", ");
  }
  return String(value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
