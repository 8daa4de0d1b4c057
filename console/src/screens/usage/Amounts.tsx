import { useTexts } from "@/app/texts";
import { Money } from "@/ui/Money";
import { texts } from "@/ui/texts";

/** Amounts of several currencies side by side, never added. None with something unpriced is unknown, not 0. */
export function Amounts({ amounts, unpriced = 0 }: { amounts: Record<string, string>; unpriced?: number }) {
  const t = useTexts(texts);
  const several = Object.entries(amounts);
  if (several.length === 0) {
    return unpriced > 0 ? (
      <span className="quiet" title={t.unknownPrice}>
        {t.unknown}
      </span>
    ) : (
      <span className="number">0</span>
    );
  }
  return (
    <span className="usage-amounts">
      {several.map(([currency, amount]) => (
        <Money key={currency} amount={amount} currency={currency} />
      ))}
    </span>
  );
}
