/** The way from nothing to a first answer, on one page. */
import { Space } from "antd";
import { useState } from "react";
import { useMay } from "@/app/session";
import { useTexts } from "@/app/texts";
import { PageHead } from "@/ui/PageHead";
import { CallStep } from "./CallStep";
import { KeyStep } from "./KeyStep";
import { ProviderStep } from "./ProviderStep";
import { texts } from "./texts";

export default function Start() {
  const t = useTexts(texts);
  const [keyId, setKeyId] = useState("");
  const may = useMay();
  return (
    <>
      <PageHead title={t.title} about={t.about} />
      <Space orientation="vertical" size="middle" style={{ width: "100%", maxWidth: 880 }}>
        {may("catalog.read") ? <ProviderStep /> : null}
        <KeyStep keyId={keyId} onKey={setKeyId} />
        <CallStep keyId={keyId} />
      </Space>
    </>
  );
}
