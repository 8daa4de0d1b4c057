/** Quotas with what was used of them. */
import { Flex } from "antd";
import type { LimitsUse, QuotaUse } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { Bar } from "@/ui/Bar";
import { useFormat } from "@/ui/useFormat";
import { shareOf } from "./quota";
import { texts } from "./texts";

export function QuotaBars({ limits }: { limits: LimitsUse }) {
  const t = useTexts(texts);
  const rates = [
    limits.rpm ? `${limits.rpm} RPM` : "",
    limits.tpm ? `${limits.tpm} TPM` : "",
    limits.concurrency ? t.atOnce(limits.concurrency) : "",
  ].filter(Boolean);
  return (
    <Flex vertical gap={6}>
      {limits.quotas.map((quota) => (
        <QuotaBar key={`${quota.unit} ${quota.period}`} quota={quota} />
      ))}
      {limits.quotas.length === 0 ? <span className="quiet">{t.noQuota}</span> : null}
      {rates.length > 0 ? <span className="quiet number">{rates.join(" · ")}</span> : null}
    </Flex>
  );
}

function QuotaBar({ quota }: { quota: QuotaUse }) {
  const t = useTexts(texts);
  const format = useFormat();
  const show = (amount: number | string) =>
    quota.unit === "tokens" ? format.short(Number(amount)) : format.money(String(amount), quota.unit);
  const share = shareOf(quota);
  const isKnown = quota.used !== null && quota.used !== undefined;
  const words = t.usage(isKnown ? show(quota.used ?? 0) : "?", show(quota.limit), t.periods[quota.period]);
  const reset = quota.resets_at ? t.resets(format.time(quota.resets_at).slice(0, 16)) : t.neverResets;
  return (
    <div title={isKnown ? undefined : t.usedUnknown}>
      <span className="number">
        {words}
        {quota.unit === "tokens" ? ` · ${t.units.tokens}` : null}
      </span>
      {share === null ? null : <Bar share={share} isOver={share >= 1} label={words} />}
      <div className="quiet number" style={{ fontSize: 12 }}>
        {share === 1 ? `${t.spent} · ` : null}
        {reset}
      </div>
    </div>
  );
}
