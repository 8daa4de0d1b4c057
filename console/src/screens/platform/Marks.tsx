/** Small signs of providers and endpoints, each with words that explain it. */
import { Badge, Space, Tag, Tooltip } from "antd";
import type { EndpointStatus } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { lowestPrice } from "@/screens/models/price";
import { texts as modelTexts } from "@/screens/models/texts";
import { useFormat } from "@/ui/useFormat";
import { platformTexts } from "./texts";

const BADGES = { active: "success", disabled: "default", unconfigured: "warning" } as const;

export function SupplyStatus({ status, isCooling = false }: { status: EndpointStatus; isCooling?: boolean }) {
  const t = useTexts(platformTexts);
  return (
    <Space size={6} wrap>
      <Tooltip title={t.supplyHints[status]}>
        <Badge status={BADGES[status]} text={t.supply[status]} />
      </Tooltip>
      {isCooling ? (
        <Tooltip title={t.coolingHint}>
          <Tag color="orange">{t.cooling}</Tag>
        </Tooltip>
      ) : null}
    </Space>
  );
}

export function SourceTag({ source }: { source: "built_in" | "database" | "file" }) {
  const t = useTexts(platformTexts);
  return (
    <Tooltip title={t.sourceHints[source]}>
      <Tag color={source === "database" ? "blue" : source === "file" ? "gold" : "default"}>
        {t.sources[source]}
      </Tag>
    </Tooltip>
  );
}

/** Where a price begins, in one line. */
export function PriceWords({ price }: { price: unknown }) {
  const t = useTexts(modelTexts);
  const format = useFormat();
  const lowest = lowestPrice([price], new Date());
  if (lowest === null) return <span className="quiet">{t.unknownPrice}</span>;
  return (
    <span className="number">
      {lowest.isFrom ? `${t.from} ` : null}
      {format.money(lowest.amount, lowest.currency)}
      {lowest.output === null
        ? null
        : ` ${t.input} · ${format.money(lowest.output, lowest.currency)} ${t.output}`}{" "}
      <span className="quiet">{t.units[lowest.unit]}</span>
    </span>
  );
}
