import { keepPreviousData } from "@tanstack/react-query";
import { Input, type TableColumnsType } from "antd";
import { Link } from "react-router";
import { $api } from "@/api/client";
import type { PriceVersionAnswer } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { readPrice } from "@/screens/models/price";
import { writeEntry } from "@/screens/platform/entryJson";
import { Loaded } from "@/screens/platform/Loaded";
import { PriceWords } from "@/screens/platform/Marks";
import { platformTexts } from "@/screens/platform/texts";
import { WideTable } from "@/screens/platform/WideTable";
import { CodeBlock } from "@/ui/CodeBlock";
import { Empty } from "@/ui/Empty";
import { Pager, useCursors } from "@/ui/Pager";
import { Time } from "@/ui/Time";
import { useFormat } from "@/ui/useFormat";
import { texts } from "./texts";

export function Versions({
  endpoint,
  onEndpoint,
}: {
  endpoint: string;
  onEndpoint: (endpoint: string) => void;
}) {
  const t = useTexts(texts);
  const pages = useCursors([endpoint]);
  const asked = $api.useQuery(
    "get",
    "/price-versions",
    { params: { query: { endpoint, limit: 50, cursor: pages.cursor } } },
    { placeholderData: keepPreviousData },
  );
  const columns = useVersionColumns();
  return (
    <>
      <p className="quiet" style={{ marginTop: 0 }}>
        {t.versionsHint}
      </p>
      <search className="filters">
        <Input.Search
          key={endpoint}
          allowClear
          defaultValue={endpoint}
          aria-label={t.endpointFilter}
          placeholder={t.endpointFilter}
          style={{ width: 420, maxWidth: "100%" }}
          onSearch={(text) => onEndpoint(text.trim())}
        />
      </search>
      <Loaded asked={asked}>
        {(found) => (
          <>
            <WideTable<PriceVersionAnswer>
              rowKey="version"
              columns={columns}
              dataSource={found.data}
              pagination={false}
              scroll={{ x: 960 }}
              expandable={{ expandedRowRender: (one) => <CodeBlock text={writeEntry(one.price)} /> }}
              locale={{
                emptyText: (
                  <Empty
                    title={t.noVersions}
                    hint={t.noVersionsHint}
                    action={<Link to="/platform/endpoints">{t.changePrice}</Link>}
                  />
                ),
              }}
            />
            <Pager pages={pages} next={found.next_cursor} total={found.total} />
          </>
        )}
      </Loaded>
    </>
  );
}

function useVersionColumns(): TableColumnsType<PriceVersionAnswer> {
  const t = useTexts(texts);
  const common = useTexts(platformTexts);
  return [
    { title: t.version, width: 140, render: (_, one) => <code>{one.version}</code> },
    { title: common.endpoint, render: (_, one) => <span className="mono">{one.endpoint}</span> },
    { title: common.price, width: 220, render: (_, one) => <PriceWords price={one.price} /> },
    { title: t.validity, width: 170, render: (_, one) => <Validity price={one.price} /> },
    { title: t.firstSeen, width: 170, render: (_, one) => <Time at={one.first_seen_at} /> },
    {
      title: common.more,
      width: 140,
      render: (_, one) => (
        <Link to={`/platform/endpoints?endpoint=${encodeURIComponent(one.endpoint)}`}>{t.changePrice}</Link>
      ),
    },
  ];
}

function Validity({ price }: { price: PriceVersionAnswer["price"] }) {
  const t = useTexts(texts);
  const format = useFormat();
  const terms = readPrice(price);
  const parts = [
    terms?.since ? t.from(format.day(terms.since)) : "",
    terms?.until ? t.until(format.day(terms.until)) : "",
  ].filter((text) => text !== "");
  return parts.length > 0 ? parts.join(" ") : <span className="quiet">{t.always}</span>;
}
