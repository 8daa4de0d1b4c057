/** The prices of a model: endpoints that cost the same stand together. */
import { Card, Typography } from "antd";
import { useTexts } from "@/app/texts";
import { readPrice } from "@/screens/models/price";
import type { EndpointView, ModelDetail } from "@/screens/models/types";
import { Empty } from "@/ui/Empty";
import { PriceView } from "./PriceTerms";
import { priceTexts } from "./texts-prices";

export function Prices({ model }: { model: ModelDetail }) {
  const t = useTexts(priceTexts);
  return (
    <>
      <p className="quiet model-section-about">{t.about}</p>
      <div className="model-prices">
        {grouped(model.endpoints).map(([first, ...others]) => (
          <Card
            key={first.name}
            size="small"
            title={t.sameFor(others.length + 1)}
            extra={<span className="quiet">{first.provider_name}</span>}
          >
            <ul className="model-price-endpoints">
              {[first, ...others].map((each) => (
                <li key={each.name}>
                  <Typography.Text className="mono">{each.name}</Typography.Text>
                </li>
              ))}
            </ul>
            <PriceOf endpoint={first} />
          </Card>
        ))}
      </div>
    </>
  );
}

function PriceOf({ endpoint }: { endpoint: EndpointView }) {
  const t = useTexts(priceTexts);
  const price = readPrice(endpoint.price);
  return price ? <PriceView price={price} /> : <Empty title={t.unknown} hint={t.unknownHint} />;
}

type Group = [EndpointView, ...EndpointView[]];

/** By provider and price. */
function grouped(endpoints: EndpointView[]): Group[] {
  const groups = new Map<string, Group>();
  for (const each of endpoints) {
    const key = JSON.stringify([each.provider, each.price]);
    const group = groups.get(key);
    if (group) group.push(each);
    else groups.set(key, [each]);
  }
  return [...groups.values()];
}
