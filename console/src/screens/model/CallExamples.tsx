/** Ready calls of the model, with the chosen key, and running one right here. */
import { Alert, Segmented, Select, Space, Switch, Typography } from "antd";
import { useState } from "react";
import { $api } from "@/api/client";
import { useTexts } from "@/app/texts";
import { canStream, type ExampleCall, examplesFor, pathOf } from "@/gateway/examples";
import { KeyChoice } from "@/gateway/KeyChoice";
import { catalogNames } from "@/screens/models/names";
import type { ModelDetail } from "@/screens/models/types";
import { CopyButton } from "@/ui/CopyButton";
import { useUrlState } from "@/ui/useUrlState";
import { ExampleCode } from "./ExampleCode";
import { RunHere } from "./RunHere";
import { callTexts } from "./texts-calls";

const LANGUAGES = { curl: "curl", python: "Python", node: "Node" } as const;
type Language = keyof typeof LANGUAGES;

export function CallExamples({ model }: { model: ModelDetail }) {
  const t = useTexts(callTexts);
  const names = useTexts(catalogNames);
  const [values, change] = useUrlState();
  const [keyId, setKeyId] = useState("");
  const masked = useMaskedKey(keyId);
  const interfaces = inOrder(model.interfaces);
  const over = interfaces.find((each) => each === values.api) ?? interfaces[0];
  const region = model.regions.find((each) => each.id === values.region) ?? model.regions[0];
  const language: Language = values.lang === "python" || values.lang === "node" ? values.lang : "curl";
  const isStreamed = values.stream !== "no";
  if (over === undefined || region === undefined) return null;
  const call: Omit<ExampleCall, "keyText"> = {
    interface: over,
    model: model.name,
    baseUrl: region.base_url,
    kind: model.kind,
    stream: isStreamed,
    isArk: isOfArk(model),
  };
  const address = `${region.base_url.replace(/\/+$/, "")}${pathOf(over, call.isArk)}`;
  const shown = examplesFor({ ...call, keyText: masked })[language];
  return (
    <section aria-labelledby="calls" className="model-calls">
      <Typography.Title level={2} id="calls" className="model-section">
        {t.title}
      </Typography.Title>
      <p className="quiet model-section-about">{t.about}</p>
      <Space wrap className="model-call-choices">
        <Segmented
          aria-label={t.interface}
          value={over}
          onChange={(api) => change({ api: api === interfaces[0] ? null : api })}
          options={interfaces.map((each) => ({ value: each, label: names.interfaces[each] ?? each }))}
        />
        <Segmented
          aria-label={t.language}
          value={language}
          onChange={(lang) => change({ lang: lang === "curl" ? null : lang })}
          options={Object.entries(LANGUAGES).map(([value, label]) => ({ value: value as Language, label }))}
        />
        {model.regions.length > 1 ? (
          <Select
            aria-label={t.region}
            value={region.id}
            onChange={(next) => change({ region: next === model.regions[0]?.id ? null : next })}
            options={model.regions.map((each) => ({ value: each.id, label: each.name || each.id }))}
          />
        ) : null}
        {canStream(over) ? (
          <Space>
            <Switch
              size="small"
              aria-label={t.stream}
              checked={isStreamed}
              onChange={(next) => change({ stream: next ? null : "no" })}
            />
            {t.stream}
          </Space>
        ) : null}
      </Space>
      <div className="model-key">
        <KeyChoice value={keyId} onChange={setKeyId} />
      </div>
      <p className="model-address">
        <span className="quiet">{t.address}</span> <Typography.Text code>{`POST ${address}`}</Typography.Text>
        <CopyButton text={address} label={t.copyAddress} />
      </p>
      <ExampleCode
        shown={shown}
        keyId={keyId}
        withKey={(keyText) => examplesFor({ ...call, keyText })[language]}
      />
      {keyId === "" ? <Alert type="info" title={t.noKey} /> : <RunHere call={call} keyId={keyId} />}
    </section>
  );
}

/** Chat completions first: what most people call. */
function inOrder(interfaces: string[]): string[] {
  return interfaces.toSorted((a, b) => Number(b === "open_ai") - Number(a === "open_ai"));
}

/** The API's own examples say below which prefix the provider documents the model. */
function isOfArk(model: ModelDetail): boolean {
  return model.examples.some(
    (each) => each.interface === "open_ai" && each.code.includes(pathOf("open_ai", true)),
  );
}

function useMaskedKey(keyId: string): string {
  const query = $api.useQuery(
    "get",
    "/keys/{key_id}",
    { params: { path: { key_id: keyId } } },
    { enabled: keyId !== "" },
  );
  return query.data?.key ?? "$API_KEY";
}
