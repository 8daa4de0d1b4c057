/** Server-sent events, read as they come in: pieces may be cut anywhere, even inside a line's end. */

export interface Frame {
  /** The name of `event:`; empty where the stream gives none. */
  event: string;
  /** The lines of `data:`, joined. */
  data: string;
  /** `data` as JSON; undefined when it is none (`[DONE]`). */
  json: unknown;
}

export interface FrameReader {
  /** What the next piece of text completes. */
  push: (piece: string) => Frame[];
  /** What is left at the end: a last frame without its empty line. */
  end: () => Frame[];
}

export function makeFrameReader(): FrameReader {
  let rest = "";
  let event = "";
  let data: string[] = [];
  const finish = (): Frame[] => {
    const lines = data;
    const name = event;
    event = "";
    data = [];
    if (lines.length === 0) return [];
    const text = lines.join("\n");
    return [{ event: name, data: text, json: parse(text) }];
  };
  const take = (line: string): Frame[] => {
    if (line === "") return finish();
    const colon = line.indexOf(":");
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") event = value;
    if (field === "data") data.push(value);
    return [];
  };
  return {
    push(piece) {
      rest += piece;
      // A CR at the very end may be half of CR LF: it waits.
      const isHalf = rest.endsWith("\r");
      const lines = (isHalf ? rest.slice(0, -1) : rest).split(/\r\n|\n|\r/);
      rest = (lines.pop() ?? "") + (isHalf ? "\r" : "");
      return lines.flatMap(take);
    },
    end() {
      const last = rest.replace(/\r$/, "");
      rest = "";
      return [...(last === "" ? [] : take(last)), ...finish()];
    },
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
