/** One endpoint: what is known of it, its price as it is written, and what can be changed. */
import { Button, Drawer, Space } from "antd";
import { useState } from "react";
import { Link } from "react-router";
import { $api } from "@/api/client";
import type { EndpointView } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { catalogNames } from "@/screens/models/names";
import { writeEntry } from "@/screens/platform/entryJson";
import { Facts } from "@/screens/platform/Facts";
import { Loaded } from "@/screens/platform/Loaded";
import { PriceWords, SourceTag, SupplyStatus } from "@/screens/platform/Marks";
import { platformTexts } from "@/screens/platform/texts";
import { CodeBlock } from "@/ui/CodeBlock";
import { useFormat } from "@/ui/useFormat";
import { EndpointForm } from "./EndpointForm";
import { EndpointSwitch } from "./EndpointSwitch";
import { texts } from "./texts";
import { Ceilings } from "./useEndpointColumns";

interface Props {
  name: string | undefined;
  onModel: (model: string) => void;
  onClose: () => void;
}

export function EndpointDrawer({ name, onModel, onClose }: Props) {
  const asked = $api.useQuery(
    "get",
    "/endpoints/{name}",
    { params: { path: { name: name ?? "" } } },
    { enabled: Boolean(name), retry: false },
  );
  return (
    <Drawer
      title={<span className="mono">{name}</span>}
      open={Boolean(name)}
      onClose={onClose}
      size="min(720px, 100vw)"
      destroyOnHidden
    >
      {name ? (
        <Loaded asked={asked}>{(endpoint) => <Shown endpoint={endpoint} onModel={onModel} />}</Loaded>
      ) : null}
    </Drawer>
  );
}

function Shown({ endpoint, onModel }: { endpoint: EndpointView; onModel: (model: string) => void }) {
  const t = useTexts(texts);
  const common = useTexts(platformTexts);
  const [isChanging, setIsChanging] = useState(false);
  const name = encodeURIComponent(endpoint.name);
  return (
    <Space orientation="vertical" size="middle" style={{ width: "100%" }}>
      <Space wrap>
        <Button type="primary" disabled={endpoint.source === "file"} onClick={() => setIsChanging(true)}>
          {common.change}
        </Button>
        <Button onClick={() => onModel(endpoint.model)}>{t.changeModel}</Button>
        <Link to={`/platform/health?endpoint=${name}`}>{t.health}</Link>
        <Link to={`/platform/prices?endpoint=${name}`}>{t.prices}</Link>
      </Space>
      {endpoint.source === "file" ? <span className="quiet">{common.fileWins}</span> : null}
      <EndpointFacts endpoint={endpoint} />
      {endpoint.price ? <CodeBlock text={writeEntry(endpoint.price)} /> : null}
      {isChanging ? <EndpointForm endpoint={endpoint} onClose={() => setIsChanging(false)} /> : null}
    </Space>
  );
}

function EndpointFacts({ endpoint }: { endpoint: EndpointView }) {
  const t = useTexts(texts);
  const common = useTexts(platformTexts);
  const names = useTexts(catalogNames);
  const format = useFormat();
  const tokens = (count: number | null) => (count === null ? "-" : t.tokens(format.count(count)));
  const provider = `/platform/providers?provider=${encodeURIComponent(endpoint.provider)}`;
  const facts = [
    {
      name: common.status,
      value: (
        <Space wrap>
          <EndpointSwitch endpoint={endpoint} />
          <SupplyStatus status={endpoint.status} isCooling={endpoint.cooling} />
          <span className="quiet">{common.supplyHints[endpoint.status]}</span>
        </Space>
      ),
    },
    { name: common.provider, value: <Link to={provider}>{endpoint.provider}</Link> },
    { name: common.model, value: <span className="mono">{endpoint.model}</span> },
    { name: common.interface, value: names.interfaces[endpoint.interface] ?? endpoint.interface },
    {
      name: t.upstream,
      value: endpoint.upstream ? <span className="mono">{endpoint.upstream}</span> : t.upstreamUnknown,
    },
    { name: t.limits, value: <Ceilings limits={endpoint.limits} /> },
    { name: t.context, value: tokens(endpoint.context) },
    { name: t.maxOutput, value: tokens(endpoint.max_output) },
    { name: t.builtIn, value: endpoint.built_in ? t.yes : t.no },
    { name: t.byok, value: endpoint.byok ? t.yes : t.no },
    { name: t.source, value: <SourceTag source={endpoint.source} /> },
    { name: common.price, value: <PriceWords price={endpoint.price} /> },
  ];
  return <Facts facts={facts} />;
}
