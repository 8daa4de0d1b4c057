/** Alerts: what is on and what was, the rules that find it, the channels that tell it. */
import { Tabs } from "antd";
import { useTexts } from "@/app/texts";
import { PageHead } from "@/ui/PageHead";
import { useUrlState } from "@/ui/useUrlState";
import { AlertTable } from "./AlertTable";
import { Channels } from "./Channels";
import { Rules } from "./Rules";
import { texts } from "./texts";

export default function Alerts() {
  const t = useTexts(texts);
  const [values, change] = useUrlState();
  const open = (tab: string) => change({ tab: tab === "alerts" ? null : tab });
  return (
    <>
      <PageHead title={t.title} about={t.about} />
      <Tabs
        activeKey={values.tab ?? "alerts"}
        onChange={open}
        items={[
          { key: "alerts", label: t.tabs.alerts, children: <AlertTable onRules={() => open("rules")} /> },
          { key: "rules", label: t.tabs.rules, children: <Rules /> },
          { key: "channels", label: t.tabs.channels, children: <Channels /> },
        ]}
      />
    </>
  );
}
