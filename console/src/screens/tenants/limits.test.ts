import { describe, expect, it } from "vitest";
import { fieldsOf, limitsOf } from "./limits";

describe("limits of a tenant", () => {
  it("come back as they were", () => {
    const limits = {
      quotas: [
        { unit: "tokens" as const, period: "monthly" as const, limit: 1000 },
        { unit: "CNY" as const, period: "total" as const, limit: "100.5" },
      ],
      rpm: 60,
      tpm: null,
      concurrency: 4,
    };
    expect(limitsOf(fieldsOf(limits))).toEqual(limits);
  });

  it("leave out a line that says nothing", () => {
    const quotas = [{ unit: "tokens" as const, period: "daily" as const, limit: null }];
    expect(limitsOf({ quotas })).toEqual({ quotas: [], rpm: null, tpm: null, concurrency: null });
  });
});
