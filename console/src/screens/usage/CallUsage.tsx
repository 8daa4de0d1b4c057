import { Alert } from "antd";
import type { UsageCall } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { Money } from "@/ui/Money";
import { useFormat } from "@/ui/useFormat";
import { Facts } from "./Facts";
import { callTexts } from "./texts-calls";

/** Tokens by sort, media, and the money that they came to. What was not used is left out. */
export function CallUsage({ call }: { call: UsageCall }) {
  const t = useTexts(callTexts);
  const format = useFormat();
  const { units } = call;
  const parts: [name: string, count: number][] = [
    [t.columns.cached, call.cached_tokens],
    [t.columns.written, call.cache_write_tokens],
    [`${t.columns.written}, ${t.written1h}`, units.cache_write_1h_tokens],
    [`${t.columns.input}, ${t.inputImage}`, units.input_image_tokens],
    [`${t.columns.input}, ${t.inputAudio}`, units.input_audio_tokens],
    [t.columns.reasoning, call.reasoning_tokens],
    [`${t.columns.output}, ${t.outputAudio}`, units.output_audio_tokens],
    [t.images, call.images],
    [t.assets, call.assets],
  ];
  const facts = [
    { name: t.columns.input, value: format.count(call.input_tokens) },
    { name: t.columns.output, value: format.count(call.output_tokens) },
    ...parts.filter(([, count]) => count > 0).map(([name, count]) => ({ name, value: format.count(count) })),
  ];
  if (call.video_seconds > 0) {
    const words = [t.seconds(format.count(call.video_seconds)), units.video_resolution].filter(Boolean);
    facts.push({ name: t.video, value: words.join(", ") });
  }
  const isDiscounted = call.list !== null && call.list !== call.cost;
  return (
    <>
      {call.estimated ? <Alert type="info" showIcon title={t.estimated} style={{ marginBottom: 8 }} /> : null}
      <Facts facts={facts} />
      <Facts
        facts={[
          {
            name: t.columns.cost,
            value: call.cost === null ? t.noPrice : <Money amount={call.cost} currency={call.currency} />,
          },
          ...(isDiscounted
            ? [{ name: t.list, value: <Money amount={call.list} currency={call.currency} /> }]
            : []),
          ...(call.price_version
            ? [{ name: t.priceVersion, value: <span className="mono">{call.price_version}</span> }]
            : []),
        ]}
      />
    </>
  );
}
