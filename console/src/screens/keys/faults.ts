/** What the admin API says is wrong with which field of a form. */
export interface Fault {
  path: string;
  words: string;
}

interface Told {
  path?: unknown;
  message?: unknown;
  hint?: unknown;
}

export function faultsOf(thrown: unknown): Fault[] {
  const details = (thrown as { error?: { details?: Told[] } } | null)?.error?.details;
  if (!Array.isArray(details)) return [];
  return details.map(({ path, message, hint }) => ({
    path: typeof path === "string" ? path : "",
    words: [message, hint].filter((each) => typeof each === "string" && each !== "").join(" - "),
  }));
}

/** Faults for antd's `setFields`, by the field that shows them; `fieldOf` gives null for those without a field. */
export function fieldFaults<Name extends string>(
  thrown: unknown,
  fieldOf: (path: string) => Name | null,
): { name: Name; errors: string[] }[] {
  const byField = new Map<Name, string[]>();
  for (const { path, words } of faultsOf(thrown)) {
    const name = fieldOf(path);
    if (name !== null) byField.set(name, [...(byField.get(name) ?? []), words]);
  }
  return [...byField].map(([name, errors]) => ({ name, errors }));
}

const FIELDS = [
  "alias",
  "models",
  "networks",
  "expires_at",
  "labels",
  "rpm",
  "tpm",
  "concurrency",
  "quotas",
  "route",
] as const;

export type KeyField = (typeof FIELDS)[number];

/** `limits.quotas.0.limit` is shown at `quotas`. */
export function keyField(path: string): KeyField | null {
  const parts = path.replace(/^limits\./, "").split(".");
  return FIELDS.find((name) => name === parts[0]) ?? null;
}
