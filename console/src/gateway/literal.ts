/** Values as source text of a language: on one line where that fits, else an entry a line. */

export type Language = "json" | "python" | "js";

const WIDTH = 88;
const STEP: Record<Language, number> = { json: 2, python: 4, js: 2 };

/** `indent`: the column at which the line begins that the value stands on; `used`: what stands before it there. */
export function literal(value: unknown, language: Language, indent = 0, used = indent): string {
  const flat = flatLiteral(value, language);
  if (used + flat.length <= WIDTH || !isNested(value)) return flat;
  const inner = indent + STEP[language];
  const pad = " ".repeat(inner);
  const comma = language === "json" ? "" : ",";
  const entries = Array.isArray(value)
    ? value.map((each) => `${pad}${literal(each, language, inner)}`)
    : entriesOf(value).map(([name, each]) => {
        const head = `${pad}${nameText(name, language)}: `;
        return `${head}${literal(each, language, inner, head.length)}`;
      });
  const [open, close] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  return `${open}\n${entries.join(",\n")}${comma}\n${" ".repeat(indent)}${close}`;
}

function flatLiteral(value: unknown, language: Language): string {
  if (Array.isArray(value)) return `[${value.map((each) => flatLiteral(each, language)).join(", ")}]`;
  if (isNested(value)) {
    const entries = entriesOf(value).map(
      ([name, each]) => `${nameText(name, language)}: ${flatLiteral(each, language)}`,
    );
    if (entries.length === 0) return "{}";
    return language === "js" ? `{ ${entries.join(", ")} }` : `{${entries.join(", ")}}`;
  }
  if (language === "python") {
    if (value === true) return "True";
    if (value === false) return "False";
    if (value === null || value === undefined) return "None";
  }
  return JSON.stringify(value ?? null);
}

function nameText(name: string, language: Language): string {
  return language === "js" && isIdentifier(name) ? name : JSON.stringify(name);
}

export function isIdentifier(name: string): boolean {
  return /^[A-Za-z_]\w*$/.test(name);
}

function isNested(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** What JSON leaves out is left out here too. */
function entriesOf(value: object): [string, unknown][] {
  return Object.entries(value).filter(([, each]) => each !== undefined);
}
