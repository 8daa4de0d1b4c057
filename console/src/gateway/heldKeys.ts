/** Texts of keys that this page knows, in memory only: revealed ones, and which of them were just made. */

/** A new key is live on every worker within a second. */
const NEW_FOR = 5_000;

const texts = new Map<string, string>();
const madeAt = new Map<string, number>();
let owner = "";

/** Forgets everything when somebody else is signed in. */
export function holdFor(person: string): void {
  if (person === owner) return;
  owner = person;
  texts.clear();
  madeAt.clear();
}

export function heldText(keyId: string): string | undefined {
  return texts.get(keyId);
}

export function holdText(keyId: string, text: string, isNew = false): void {
  texts.set(keyId, text);
  if (isNew) madeAt.set(text, Date.now());
}

/** Milliseconds since a key was made here; null: it is no new key. */
export function ageOf(text: string): number | null {
  const age = Date.now() - (madeAt.get(text) ?? Number.NEGATIVE_INFINITY);
  return age < NEW_FOR ? age : null;
}
