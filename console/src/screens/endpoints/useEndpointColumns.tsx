import { Button, Space, type TableColumnsType, Tooltip } from "antd";
import type { EndpointView } from "@/api/schema";
import { useLanguage } from "@/app/preferences";
import { useTexts } from "@/app/texts";
import { PriceWords, SourceTag, SupplyStatus } from "@/screens/platform/Marks";
import { platformTexts } from "@/screens/platform/texts";
import { CopyButton } from "@/ui/CopyButton";
import { useFormat } from "@/ui/useFormat";
import { EndpointSwitch } from "./EndpointSwitch";
import { texts } from "./texts";

export function useEndpointColumns(): TableColumnsType<EndpointView> {
  const t = useTexts(texts);
  const common = useTexts(platformTexts);
  const language = useLanguage();
  return [
    {
      title: common.endpoint,
      render: (_, one) => (
        <>
          <Space size={2} align="start">
            <Button
              type="link"
              className="mono"
              style={{ padding: 0, height: "auto", whiteSpace: "normal", textAlign: "start" }}
            >
              {one.name}
            </Button>
            <CopyButton text={one.name} />
          </Space>
          <div className="quiet">{(language === "zh" && one.provider_title_zh) || one.provider_name}</div>
        </>
      ),
    },
    {
      title: common.status,
      width: 150,
      render: (_, one) => <SupplyStatus status={one.status} isCooling={one.cooling} />,
    },
    { title: common.price, width: 210, render: (_, one) => <PriceWords price={one.price} /> },
    { title: t.limits, width: 150, render: (_, one) => <Ceilings limits={one.limits} /> },
    { title: t.source, width: 110, render: (_, one) => <SourceTag source={one.source} /> },
    { title: common.on, width: 70, render: (_, one) => <EndpointSwitch endpoint={one} /> },
  ];
}

export function Ceilings({ limits }: { limits: EndpointView["limits"] }) {
  const t = useTexts(texts);
  const format = useFormat();
  const words = [
    limits.rpm ? t.rpm(format.short(limits.rpm)) : "",
    limits.tpm ? t.tpm(format.short(limits.tpm)) : "",
    limits.concurrency ? t.atOnce(format.short(limits.concurrency)) : "",
  ].filter((text) => text !== "");
  if (words.length === 0) return <span className="quiet">{t.noLimits}</span>;
  return (
    <Tooltip title={words.join(" · ")}>
      <span className="number">{words.join(" · ")}</span>
    </Tooltip>
  );
}
