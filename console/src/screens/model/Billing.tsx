/** What calls of one endpoint cost, and cost before: a drawer that the address opens. */
import { Collapse, Drawer, Skeleton, Typography } from "antd";
import { $api } from "@/api/client";
import { useTexts } from "@/app/texts";
import { readPrice } from "@/screens/models/price";
import type { EndpointView, ModelDetail } from "@/screens/models/types";
import { Empty } from "@/ui/Empty";
import { ErrorView } from "@/ui/ErrorView";
import { Pager, useCursors } from "@/ui/Pager";
import { useFormat } from "@/ui/useFormat";
import { useUrlState } from "@/ui/useUrlState";
import { PriceView } from "./PriceTerms";
import { priceTexts } from "./texts-prices";

export function Billing({ model }: { model: ModelDetail }) {
  const t = useTexts(priceTexts);
  const [values, change] = useUrlState();
  const endpoint = model.endpoints.find((each) => each.name === values.billing);
  return (
    <Drawer
      title={t.billing}
      size={720}
      open={endpoint !== undefined}
      onClose={() => change({ billing: null })}
      destroyOnHidden
    >
      {endpoint ? <EndpointBilling endpoint={endpoint} /> : null}
    </Drawer>
  );
}

function EndpointBilling({ endpoint }: { endpoint: EndpointView }) {
  const t = useTexts(priceTexts);
  const price = readPrice(endpoint.price);
  return (
    <>
      <Typography.Text code copyable>
        {endpoint.name}
      </Typography.Text>
      <p className="quiet">{t.about}</p>
      {price ? <PriceView price={price} /> : <Empty title={t.unknown} hint={t.unknownHint} />}
      <Typography.Title level={3} className="model-section">
        {t.versions}
      </Typography.Title>
      <p className="quiet">{t.versionsAbout}</p>
      <Versions endpoint={endpoint.name} />
    </>
  );
}

function Versions({ endpoint }: { endpoint: string }) {
  const t = useTexts(priceTexts);
  const format = useFormat();
  const pages = useCursors([endpoint]);
  const query = $api.useQuery("get", "/price-versions", {
    params: { query: { endpoint, limit: 10, cursor: pages.cursor } },
  });
  if (query.error) return <ErrorView error={query.error} onRetry={() => void query.refetch()} />;
  if (query.data === undefined) return <Skeleton active paragraph={{ rows: 2 }} />;
  if (query.data.total === 0) return <Empty title={t.noVersions} />;
  return (
    <>
      <Collapse
        size="small"
        items={query.data.data.map((each) => {
          const price = readPrice(each.price);
          return {
            key: each.version,
            label: (
              <>
                <span className="mono">{each.version}</span>{" "}
                <span className="quiet number">{t.firstUsed(format.time(each.first_seen_at))}</span>
              </>
            ),
            children: price ? <PriceView price={price} /> : t.unknown,
          };
        })}
      />
      <Pager pages={pages} next={query.data.next_cursor} total={query.data.total} />
    </>
  );
}
