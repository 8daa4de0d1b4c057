import dayjs from "dayjs";
import { describe, expect, it } from "vitest";
import type { KeyView } from "@/api/schema";
import { badLabel, createBody, labelsOf, NEW_KEY, patchBody, valuesOf } from "./form";

const key = {
  alias: "search",
  limits: {
    quotas: [
      { unit: "CNY", period: "daily", limit: "5.00", used: "1" },
      { unit: "tokens", period: "weekly", limit: 100, used: 3 },
    ],
    rpm: 60,
    tpm: null,
    concurrency: null,
  },
  models: ["qwen/*"],
  networks: [],
  expires_at: "2030-01-01T00:00:00Z",
  labels: { team: "a=b" },
} as unknown as KeyView;

describe("a new key", () => {
  it("says only what was filled in", () => {
    expect(createBody({ ...NEW_KEY, alias: " a " })).toEqual({ alias: "a" });
  });

  it("has its quotas, the usual one first", () => {
    const values = {
      ...NEW_KEY,
      alias: "a",
      tokens: 10,
      quotas: [{ unit: "USD" as const, period: "daily" as const, limit: "1.5" }],
    };
    expect(createBody(values).limits?.quotas).toEqual([
      { unit: "tokens", period: "monthly", limit: 10 },
      { unit: "USD", period: "daily", limit: "1.5" },
    ]);
  });
});

describe("an edit", () => {
  it("names nothing when nothing was changed, but for the order of quotas", () => {
    expect(patchBody(key, valuesOf(key))).toEqual({});
  });

  it("names what was changed, and the whole of it", () => {
    const changed = patchBody(key, { ...valuesOf(key), tokens: 200, expires_at: null, labels: [] });
    expect(changed).toEqual({
      limits: {
        quotas: [
          { unit: "tokens", period: "weekly", limit: 200 },
          { unit: "CNY", period: "daily", limit: "5.00" },
        ],
        rpm: 60,
        tpm: null,
        concurrency: null,
      },
      expires_at: null,
      labels: {},
    });
    expect(patchBody(key, { ...valuesOf(key), expires_at: dayjs("2031-01-01T00:00:00Z") })).toEqual({
      expires_at: "2031-01-01T00:00:00.000Z",
    });
  });
});

describe("labels", () => {
  it("are split at the first equals sign", () => {
    expect(labelsOf(["team = a=b", "x="])).toEqual({ team: "a=b", x: "" });
    expect(badLabel(["team=a", "team"])).toBe("team");
    expect(badLabel(["=a"])).toBe("=a");
    expect(badLabel(["a=1"])).toBeUndefined();
  });
});
