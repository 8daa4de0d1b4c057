/** Endpoints that workers leave alone for a while. */
import { Badge, Button, Tooltip } from "antd";
import { $api } from "@/api/client";
import type { EndpointCircuit } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { Loaded } from "@/screens/platform/Loaded";
import { platformTexts } from "@/screens/platform/texts";
import { WideTable } from "@/screens/platform/WideTable";
import { Time } from "@/ui/Time";
import { texts } from "./texts";

const ASK_AGAIN_MS = 10_000;

export function Circuits({ onOpen }: { onOpen: (endpoint: string) => void }) {
  const t = useTexts(texts);
  const asked = $api.useQuery(
    "get",
    "/circuits",
    { params: { query: { limit: 200 } } },
    { refetchInterval: ASK_AGAIN_MS },
  );
  return (
    <section className="plat-section">
      <h2>{t.circuits}</h2>
      <p className="quiet" style={{ marginTop: 0, maxWidth: "80ch" }}>
        {t.circuitsHint}
      </p>
      <Loaded asked={asked} rows={2}>
        {({ data }) =>
          data.length === 0 ? (
            <Badge status="success" text={`${t.noCircuits}. ${t.noCircuitsHint}`} />
          ) : (
            <CircuitTable circuits={data} onOpen={onOpen} />
          )
        }
      </Loaded>
    </section>
  );
}

function CircuitTable({
  circuits,
  onOpen,
}: {
  circuits: EndpointCircuit[];
  onOpen: (endpoint: string) => void;
}) {
  const t = useTexts(texts);
  const common = useTexts(platformTexts);
  return (
    <WideTable<EndpointCircuit>
      rowKey="endpoint"
      size="small"
      pagination={false}
      scroll={{ x: 800 }}
      dataSource={circuits}
      columns={[
        {
          title: common.endpoint,
          render: (_, one) => (
            <Button
              type="link"
              className="mono"
              style={{ padding: 0, height: "auto", whiteSpace: "normal", textAlign: "start" }}
              onClick={() => onOpen(one.endpoint)}
            >
              {one.endpoint}
            </Button>
          ),
        },
        {
          title: common.status,
          width: 100,
          render: (_, one) => (
            <Badge status={one.state === "open" ? "error" : "warning"} text={t.circuit[one.state]} />
          ),
        },
        { title: t.circuitSince, width: 180, render: (_, one) => <Time at={one.since} /> },
        { title: t.circuitUntil, width: 180, render: (_, one) => <Time at={one.until} /> },
        { title: t.workers, width: 110, render: (_, one) => <Workers circuit={one} /> },
      ]}
    />
  );
}

function Workers({ circuit }: { circuit: EndpointCircuit }) {
  const t = useTexts(texts);
  const workers = circuit.workers ?? [];
  if (workers.length === 0) return "-";
  const lines = workers.map((one) => t.workerLine(one.worker, one.credential, one.failures));
  return (
    <Tooltip title={lines.map((line) => <div key={line}>{line}</div>)}>
      <span>{t.workerCount(new Set(workers.map((one) => one.worker)).size)}</span>
    </Tooltip>
  );
}
