/** A price with its tiers, hours and units, as it is written. */
import { Table, type TableColumnsType, Tag } from "antd";
import { useTexts } from "@/app/texts";
import { contextText } from "@/screens/models/contextText";
import {
  amountText,
  type Price,
  type Terms,
  type Tier,
  TOKEN_KINDS,
  type VideoRate,
} from "@/screens/models/price";
import { useFormat } from "@/ui/useFormat";
import { ScrollBox } from "./ScrollBox";
import { priceTexts } from "./texts-prices";

export function PriceView({ price }: { price: Price }) {
  return (
    <div className="model-price">
      {price.dated.map((terms) => (
        <TermsView key={`${terms.since}-${terms.until}`} terms={terms} />
      ))}
      <TermsView terms={price} />
    </div>
  );
}

function TermsView({ terms }: { terms: Terms }) {
  const t = useTexts(priceTexts);
  const format = useFormat();
  const valid = [
    terms.since && t.validFrom(format.time(terms.since)),
    terms.until && t.validUntil(format.time(terms.until)),
  ].filter(Boolean);
  return (
    <div className="model-price">
      {valid.length > 0 ? <Tag color="processing">{valid.join(" ")}</Tag> : null}
      {terms.tiers.length > 0 ? <Tiers tiers={terms.tiers} currency={terms.currency} /> : null}
      {terms.windows.map((window) => (
        <div key={window.name}>
          <p className="quiet">
            <Tag>{window.name}</Tag>
            {window.days.map((day) => t.days[day] ?? day).join(" ")} {window.hours.join(", ")} (UTC
            {window.utcOffset})
          </p>
          <Tiers tiers={window.tiers} currency={terms.currency} />
        </div>
      ))}
      <Units terms={terms} />
      {terms.source ? <span className="quiet">{t.source(terms.source, terms.date)}</span> : null}
    </div>
  );
}

function Tiers({ tiers, currency }: { tiers: Tier[]; currency: string }) {
  const t = useTexts(priceTexts);
  const kinds = TOKEN_KINDS.filter((kind) => tiers.some((each) => each.rates[kind] !== undefined));
  const rows = tiers.map((tier, place) => ({ tier, place, lowest: tiers[place - 1]?.upTo ?? null }));
  const columns: TableColumnsType<(typeof rows)[number]> = [
    {
      title: t.inputLength,
      key: "length",
      width: 170,
      render: (_, { tier, lowest }) => <Length tier={tier} lowest={lowest} isOnly={tiers.length === 1} />,
    },
    ...kinds.map((kind) => ({
      title: t.kinds[kind] ?? kind,
      key: kind,
      align: "end" as const,
      render: (_: unknown, { tier }: (typeof rows)[number]) =>
        tier.rates[kind] === undefined ? (
          <span className="quiet">-</span>
        ) : (
          <span className="number">{amountText(tier.rates[kind], currency)}</span>
        ),
    })),
  ];
  return (
    <ScrollBox label={t.perMillion} width={200 + kinds.length * 110}>
      <Table
        rowKey="place"
        size="small"
        columns={columns}
        dataSource={rows}
        pagination={false}
        footer={() => `${currency}, ${t.perMillion}`}
      />
    </ScrollBox>
  );
}

function Length({ tier, lowest, isOnly }: { tier: Tier; lowest: number | null; isOnly: boolean }) {
  const t = useTexts(priceTexts);
  const answer = tier.outputUpTo === null ? "" : `, ${t.shortAnswer(contextText(tier.outputUpTo))}`;
  if (tier.upTo !== null) return `${t.upTo(contextText(tier.upTo))}${answer}`;
  if (isOnly || lowest === null) return `${t.any}${answer}`;
  return `${t.above(contextText(lowest))}${answer}`;
}

/** What is not billed by tokens of text. */
function Units({ terms }: { terms: Terms }) {
  const t = useTexts(priceTexts);
  const rows = [
    ...(terms.perImage === null ? [] : [{ what: t.perImage, amount: terms.perImage }]),
    ...terms.perSecond.map(([resolution, amount]) => ({ what: t.perSecond(resolution), amount })),
    ...terms.perAsset.map(([variant, amount]) => ({ what: t.perAsset(variant), amount })),
    ...terms.videoTokens.map((rate) => ({ what: videoWords(rate, t), amount: rate.rate })),
  ];
  if (rows.length === 0) return null;
  return (
    <Table
      rowKey="what"
      size="small"
      columns={[
        { title: t.what, dataIndex: "what" },
        {
          title: t.amount,
          dataIndex: "amount",
          align: "end",
          width: 140,
          render: (amount: string) => <span className="number">{amountText(amount, terms.currency)}</span>,
        },
      ]}
      dataSource={rows}
      pagination={false}
    />
  );
}

function videoWords(rate: VideoRate, t: (typeof priceTexts)["en"]): string {
  const conditions = [
    ...rate.resolutions,
    rate.inputVideo === null ? "" : rate.inputVideo ? t.withVideo : t.withoutVideo,
    rate.audio === null ? "" : rate.audio ? t.withSound : t.withoutSound,
    rate.variant,
  ];
  return [t.videoTokens, ...conditions.filter(Boolean)].join(", ");
}
