/** The one-time link: what it is for and its token, behind `#`, which no server and no log sees. */

export interface OneTimeLink {
  /** `setup` makes the first administrator, `link` sets somebody's password. */
  kind: "setup" | "link";
  token: string;
}

export function readLink(hash: string): OneTimeLink | null {
  const found = /^#(setup|link)=([A-Za-z0-9_-]+)$/.exec(hash);
  if (!found) return null;
  return { kind: found[1] === "setup" ? "setup" : "link", token: found[2] ?? "" };
}

export const FEWEST_CHARACTERS = 10;

/** 0 to 3, by length first: what the server refuses is 0. */
export function strengthOf(password: string): 0 | 1 | 2 | 3 {
  if (password.length < FEWEST_CHARACTERS || new Set(password).size < 4) return 0;
  const sorts = [/[a-z]/, /[A-Z]/, /\d/, /[^A-Za-z0-9]/].filter((sort) => sort.test(password)).length;
  const points = (password.length >= 14 ? 1 : 0) + (password.length >= 20 ? 1 : 0) + (sorts >= 3 ? 1 : 0);
  return points >= 2 ? 3 : points === 1 ? 2 : 1;
}
