import { PlusOutlined } from "@ant-design/icons";
import { Button, Space, type TableColumnsType, Tag } from "antd";
import { useState } from "react";
import { $api } from "@/api/client";
import type { ChannelAnswer, RuleAnswer } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { Loaded } from "@/screens/platform/Loaded";
import { platformTexts } from "@/screens/platform/texts";
import { useRefresh, versionTag } from "@/screens/platform/useRefresh";
import { WideTable } from "@/screens/platform/WideTable";
import { Empty } from "@/ui/Empty";
import { useFormat } from "@/ui/useFormat";
import { RowActions, RowSwitch } from "./RowTools";
import { RuleForm } from "./RuleForm";
import { isOfQuota, ruleBody, toFields } from "./rule";
import { texts } from "./texts";
import { ruleTexts } from "./texts-rules";

export function Rules() {
  const t = useTexts(ruleTexts);
  const asked = $api.useQuery("get", "/alert-rules", {});
  const channels = $api.useQuery("get", "/alert-channels", {});
  /** Null: a new one. */
  const [edited, setEdited] = useState<RuleAnswer | null | undefined>(undefined);
  const known = channels.data?.data ?? [];
  const columns = useRuleColumns(known, setEdited);
  const isReady = known.length > 0;
  const add = (
    <Button type="primary" icon={<PlusOutlined />} disabled={!isReady} onClick={() => setEdited(null)}>
      {t.add}
    </Button>
  );
  const hint = channels.data && !isReady ? `${t.emptyHint} ${t.needsChannel}` : t.emptyHint;
  return (
    <Loaded asked={asked} rows={4}>
      {({ data }) => (
        <Space orientation="vertical" size="middle" style={{ width: "100%" }}>
          {data.length > 0 ? add : null}
          <WideTable<RuleAnswer>
            rowKey="id"
            columns={columns}
            dataSource={data}
            pagination={false}
            scroll={{ x: 860 }}
            locale={{ emptyText: <Empty title={t.empty} hint={hint} action={add} /> }}
          />
          {edited === undefined ? null : (
            <RuleForm rule={edited} channels={known} onClose={() => setEdited(undefined)} />
          )}
        </Space>
      )}
    </Loaded>
  );
}

function useRuleColumns(
  channels: ChannelAnswer[],
  onChange: (rule: RuleAnswer) => void,
): TableColumnsType<RuleAnswer> {
  const all = useTexts(texts);
  const common = useTexts(platformTexts);
  const t = useTexts(ruleTexts);
  const names = new Map(channels.map((one) => [one.id, one.name]));
  return [
    {
      title: all.name,
      width: 220,
      render: (_, one) => (
        <>
          {one.name}
          <div className="quiet">{t.kinds[one.kind]}</div>
        </>
      ),
    },
    { title: t.when, render: (_, one) => <When rule={one} /> },
    {
      title: t.channels,
      width: 200,
      render: (_, one) => one.channels.map((id) => <Tag key={id}>{names.get(id) ?? id}</Tag>),
    },
    { title: common.on, width: 80, render: (_, one) => <OnOff rule={one} /> },
    {
      title: common.more,
      width: 100,
      render: (_, one) => <Actions rule={one} onChange={() => onChange(one)} />,
    },
  ];
}

function When({ rule }: { rule: RuleAnswer }) {
  const t = useTexts(ruleTexts);
  const format = useFormat();
  const percents = rule.percents.map((each) => format.percent(each / 100)).join(", ");
  const of = [rule.endpoint, rule.model, rule.provider, rule.key, isOfQuota(rule.kind) ? rule.tenant : ""];
  const words =
    rule.kind === "import_lag"
      ? t.words.lag(format.duration(rule.lag_s * 1000))
      : isOfQuota(rule.kind)
        ? t.words.used(percents)
        : t.words.share(percents, rule.minutes, rule.least);
  return (
    <>
      {words}
      <div className="quiet mono">{of.filter((text) => text !== "").join(" · ")}</div>
    </>
  );
}

function OnOff({ rule }: { rule: RuleAnswer }) {
  const t = useTexts(ruleTexts);
  const refresh = useRefresh("/alert");
  const set = $api.useMutation("put", "/alert-rules/{rule_id}");
  const change = async (enabled: boolean) => {
    const params = { path: { rule_id: rule.id }, header: { "if-match": versionTag(rule.version) } };
    await set.mutateAsync({ params, body: ruleBody({ ...toFields(rule), enabled }) });
    await refresh();
  };
  return <RowSwitch name={rule.name} isOn={rule.enabled} words={t} onSwitch={change} />;
}

function Actions({ rule, onChange }: { rule: RuleAnswer; onChange: () => void }) {
  const t = useTexts(ruleTexts);
  const refresh = useRefresh("/alert");
  const remove = $api.useMutation("delete", "/alert-rules/{rule_id}");
  return (
    <RowActions
      name={rule.name}
      words={t}
      onChange={onChange}
      onDelete={() => remove.mutateAsync({ params: { path: { rule_id: rule.id } } }).then(refresh)}
    />
  );
}
