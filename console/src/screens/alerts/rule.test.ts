import { describe, expect, it } from "vitest";
import type { ChannelAnswer, RuleAnswer } from "@/api/schema";
import { channelBody, NEW_CHANNEL, toFields as toChannelFields } from "./channel";
import { NEW_RULE, ruleBody, toFields } from "./rule";

describe("a rule", () => {
  const base = { ...NEW_RULE, name: " errors ", channels: ["ach_1"] };

  it("sends what its kind looks at", () => {
    const body = ruleBody({ ...base, percent: 20, model: "a/b", provider: "x", key: "k" });
    expect(body).toMatchObject({ name: "errors", percents: [20], model: "a/b", provider: "", key: "" });
  });

  it("takes shares of quotas as they are typed", () => {
    expect(ruleBody({ ...base, kind: "quota_used", percents: ["70", 90] }).percents).toEqual([70, 90]);
    expect(ruleBody({ ...base, kind: "import_lag" }).percents).toBeNull();
  });

  it("comes back as it was", () => {
    const sent = ruleBody({ ...base, kind: "budget_used", percents: [50], key: "key-1", cooldown_min: 30 });
    expect(ruleBody(toFields({ ...sent, id: "r" } as RuleAnswer))).toEqual(sent);
  });
});

describe("a channel", () => {
  it("keeps what is stored where nothing is typed", () => {
    const body = channelBody({ ...NEW_CHANNEL, name: "a", url: " ", secret: "" });
    expect(body).not.toHaveProperty("url");
    expect(body).not.toHaveProperty("secret");
  });

  it("has a mail server only where it is mail", () => {
    const mail = { ...NEW_CHANNEL, kind: "smtp", host: "h", sender: "a@b", recipients: ["c@d"] } as const;
    expect(channelBody({ ...mail, recipients: [...mail.recipients] })).toMatchObject({
      host: "h",
      port: 587,
    });
    expect(channelBody({ ...mail, recipients: [], kind: "webhook", url: "https://x" })).toMatchObject({
      host: "",
      url: "https://x",
    });
  });

  it("is read for a switch without what mail alone has", () => {
    const robot = { name: "r", kind: "dingtalk", port: 0, host: "oapi", recipients: [] as string[] };
    expect(channelBody(toChannelFields(robot as ChannelAnswer))).toMatchObject({ port: 587, host: "" });
  });
});
