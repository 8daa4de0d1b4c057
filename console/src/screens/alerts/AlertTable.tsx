import { Badge, Button } from "antd";
import { $api } from "@/api/client";
import type { AlertAnswer } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { Loaded } from "@/screens/platform/Loaded";
import { platformTexts } from "@/screens/platform/texts";
import { WideTable } from "@/screens/platform/WideTable";
import { Empty } from "@/ui/Empty";
import { Time } from "@/ui/Time";
import { texts } from "./texts";

export function AlertTable({ onRules }: { onRules: () => void }) {
  const t = useTexts(texts);
  const common = useTexts(platformTexts);
  const asked = $api.useQuery("get", "/alerts", {}, { refetchInterval: 30_000 });
  return (
    <Loaded asked={asked}>
      {({ data }) => (
        <WideTable<AlertAnswer>
          rowKey={(one) => `${one.rule} ${one.subject} ${one.since}`}
          dataSource={data}
          pagination={{ pageSize: 50, hideOnSinglePage: true, showSizeChanger: false }}
          scroll={{ x: 900 }}
          columns={[
            {
              title: common.status,
              width: 110,
              render: (_, one) => (
                <Badge
                  status={one.status === "firing" ? "error" : "default"}
                  text={one.status === "firing" ? t.firing : t.resolved}
                />
              ),
            },
            { title: t.rule, width: 180, render: (_, one) => one.rule_name },
            { title: t.subject, width: 220, render: (_, one) => <span className="mono">{one.subject}</span> },
            { title: t.what, render: (_, one) => one.message },
            { title: t.since, width: 170, render: (_, one) => <Time at={one.since} /> },
            { title: t.until, width: 170, render: (_, one) => <Time at={one.resolved_at} /> },
          ]}
          locale={{
            emptyText: (
              <Empty
                title={t.none}
                hint={t.noneHint}
                action={<Button onClick={onRules}>{t.toRules}</Button>}
              />
            ),
          }}
        />
      )}
    </Loaded>
  );
}
