import { Tooltip } from "antd";
import { useTexts } from "@/app/texts";
import { texts } from "./texts";
import { useFormat } from "./useFormat";

/** An amount; null is an unknown price, which is never shown as 0. The tooltip has every digit. */
export function Money({ amount, currency }: { amount: string | null | undefined; currency?: string | null }) {
  const t = useTexts(texts);
  const format = useFormat();
  if (amount === null || amount === undefined || !currency) {
    return (
      <Tooltip title={t.unknownPrice}>
        <span className="quiet">{t.unknown}</span>
      </Tooltip>
    );
  }
  return (
    <Tooltip title={`${amount} ${currency}`}>
      <span className="number">{format.money(amount, currency)}</span>
    </Tooltip>
  );
}
