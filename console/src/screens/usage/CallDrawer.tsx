/** One call: everything that is known of it, and what was tried. Its id stands in the address. */
import { Alert, Drawer, Skeleton, Space, Tag } from "antd";
import { Link } from "react-router";
import { $api } from "@/api/client";
import type { UsageCall } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { CopyButton } from "@/ui/CopyButton";
import { ErrorView } from "@/ui/ErrorView";
import { Time } from "@/ui/Time";
import { useFormat } from "@/ui/useFormat";
import { Attempts } from "./AttemptsTimeline";
import { CallUsage } from "./CallUsage";
import { Facts } from "./Facts";
import { OutcomeTag } from "./OutcomeTag";
import { texts } from "./texts";
import { callTexts } from "./texts-calls";

export function CallDrawer({ id, onClose }: { id: string | undefined; onClose: () => void }) {
  const t = useTexts(callTexts);
  const asked = $api.useQuery(
    "get",
    "/usage/calls/{call_id}",
    { params: { path: { call_id: id ?? "" } } },
    { enabled: Boolean(id), retry: false },
  );
  return (
    <Drawer title={t.title} open={Boolean(id)} onClose={onClose} size="min(680px, 100vw)" destroyOnHidden>
      {asked.error ? (
        <ErrorView error={asked.error} onRetry={() => void asked.refetch()} />
      ) : asked.data === undefined ? (
        <Skeleton active paragraph={{ rows: 12 }} />
      ) : (
        <Shown call={asked.data} />
      )}
    </Drawer>
  );
}

function Shown({ call }: { call: UsageCall }) {
  const t = useTexts(callTexts);
  const format = useFormat();
  const timing = [
    { name: t.columns.at, value: <Time at={call.at} /> },
    { name: t.columns.duration, value: format.duration(call.duration_ms) },
    { name: t.columns.ttft, value: call.ttft_ms === null ? "-" : format.duration(call.ttft_ms) },
    { name: t.bytes, value: `${format.bytes(call.bytes_in)} / ${format.bytes(call.bytes_out)}` },
  ];
  return (
    <>
      <Space wrap style={{ marginBottom: 16 }}>
        <OutcomeTag call={call} />
        {call.status > 0 ? <Tag>HTTP {call.status}</Tag> : null}
        {call.error_code ? <Tag>{call.error_code}</Tag> : null}
        <Tag>{call.stream ? t.streamed : t.whole}</Tag>
      </Space>
      <section className="usage-section">
        <Facts facts={timing} />
      </section>
      <section className="usage-section">
        <h3>{t.attempts}</h3>
        <Attempts call={call} />
      </section>
      <section className="usage-section">
        <h3>{t.tokensUsed}</h3>
        <CallUsage call={call} />
      </section>
      <Parties call={call} />
      {call.losses.length > 0 ? (
        <Alert type="warning" title={`${t.losses}: ${call.losses.join(", ")}`} description={t.lossesHint} />
      ) : null}
    </>
  );
}

function Parties({ call }: { call: UsageCall }) {
  const t = useTexts(callTexts);
  const sources = useTexts(texts).sources;
  const labels = Object.entries(call.labels);
  const who = [
    { name: t.columns.key, value: call.key_alias || call.key },
    { name: t.columns.user, value: call.username || call.user || "-" },
    { name: t.columns.tenant, value: call.tenant },
    { name: t.columns.ip, value: call.client_ip || "-" },
    {
      name: t.columns.labels,
      value:
        labels.length > 0 ? labels.map(([name, value]) => <Tag key={name}>{`${name}=${value}`}</Tag>) : "-",
    },
  ];
  const how = [
    { name: t.modelAsked, value: call.model_asked || "-" },
    { name: t.columns.model, value: call.model || "-" },
    { name: t.columns.interface, value: call.interface },
    { name: t.columns.operation, value: call.operation },
    { name: t.columns.endpoint, value: <span className="mono">{call.endpoint || "-"}</span> },
    { name: t.columns.provider, value: call.provider || "-" },
    { name: t.upstreamModel, value: call.upstream_model || "-" },
    { name: t.credential, value: `${call.credential || "-"} (${sources[call.source]})` },
  ];
  return (
    <>
      <section className="usage-section">
        <h3>{t.who}</h3>
        <Facts facts={who} />
      </section>
      <section className="usage-section">
        <h3>{t.answered}</h3>
        <Facts facts={how} />
      </section>
      <section className="usage-section">
        <h3>{t.ids2}</h3>
        <Facts
          facts={[
            { name: t.columns.request, value: <Identifier text={call.id} what={t.columns.request} /> },
            {
              name: t.columns.upstream,
              value: <Identifier text={call.upstream_request_id} what={t.columns.upstream} />,
            },
            { name: t.columns.task, value: <TaskLinks call={call} /> },
          ]}
        />
      </section>
    </>
  );
}

function TaskLinks({ call }: { call: UsageCall }) {
  const t = useTexts(callTexts);
  if (!call.task_id) return "-";
  const id = encodeURIComponent(call.task_id);
  return (
    <>
      <Identifier text={call.task_id} what={t.columns.task} />
      <Space wrap>
        <Link to={`/tasks?task=${encodeURIComponent(`${call.interface}:`)}${id}`}>{t.showTask}</Link>
        <Link to={`/usage?tab=calls&range=30d&task_id=${id}`}>{t.sameTask}</Link>
      </Space>
    </>
  );
}

function Identifier({ text, what }: { text: string; what: string }) {
  const t = useTexts(callTexts);
  if (!text) return <span className="quiet">-</span>;
  return (
    <div>
      <span className="mono">{text}</span>
      <CopyButton text={text} label={t.copy(what)} />
    </div>
  );
}
