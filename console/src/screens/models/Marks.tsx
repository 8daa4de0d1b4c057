/** Small signs of a model: what it does, whose credential calls it, whether it can be called. */
import { Badge, Tag, Tooltip } from "antd";
import { useTexts } from "@/app/texts";
import { catalogNames } from "./names";
import { amountText, lowestPrice } from "./price";
import { texts } from "./texts";
import type { EndpointView, ModelView } from "./types";

export function KindTag({ kind }: { kind: string }) {
  const names = useTexts(catalogNames);
  return <Tag>{names.kinds[kind] ?? kind}</Tag>;
}

export function AccessTags({ model }: { model: Pick<ModelView, "built_in" | "byok"> }) {
  const t = useTexts(texts);
  return (
    <>
      {model.built_in ? (
        <Tooltip title={t.builtInHint}>
          <Tag color="blue">{t.builtIn}</Tag>
        </Tooltip>
      ) : null}
      {model.byok ? (
        <Tooltip title={t.byokHint}>
          <Tag>{t.byok}</Tag>
        </Tooltip>
      ) : null}
    </>
  );
}

export function ModelStatus({ model }: { model: ModelView }) {
  const t = useTexts(texts);
  if (model.callable) return <Badge status="success" text={t.callable} />;
  if (!model.enabled) return <Badge status="default" text={t.disabled} />;
  if (model.endpoints.some((each) => each.status === "active")) {
    return <Badge status="warning" text={t.notForKey} />;
  }
  if (model.endpoints.every((each) => each.status === "disabled")) {
    return <Badge status="default" text={t.disabled} />;
  }
  return (
    <Tooltip title={t.unconfiguredHint}>
      <Badge status="warning" text={t.unconfigured} />
    </Tooltip>
  );
}

/** In short; the model's page has all of it. */
export function PriceShort({ model }: { model: { endpoints: EndpointView[] } }) {
  const t = useTexts(texts);
  const usable = model.endpoints.filter((each) => each.status !== "disabled");
  const price = lowestPrice(
    (usable.length > 0 ? usable : model.endpoints).map((each) => each.price),
    new Date(),
  );
  if (price === null) return <span className="quiet">{t.unknownPrice}</span>;
  const amount = (text: string) => <b>{amountText(text, price.currency)}</b>;
  return (
    <span className="number">
      {price.isFrom ? `${t.from} ` : null}
      {amount(price.amount)}
      {price.output === null ? null : (
        <>
          {` ${t.input} · `}
          {amount(price.output)}
          {` ${t.output}`}
        </>
      )}{" "}
      <span className="quiet">{t.units[price.unit]}</span>
    </span>
  );
}
