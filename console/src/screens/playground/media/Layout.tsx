import { Card, Tabs } from "antd";
import type { ReactNode } from "react";
import { useTexts } from "@/app/texts";
import { CodePanel, type CodePanelProps } from "../CodePanel";
import { texts } from "../texts";

/** What was made in the middle; what to ask for, and the code, beside. */
export function Layout(props: { form: ReactNode; code: CodePanelProps; children: ReactNode }) {
  const t = useTexts(texts);
  return (
    <div className="work">
      <Card size="small" role="region" aria-label={t.result}>
        {props.children}
      </Card>
      <Card size="small" className="work-side">
        <Tabs
          size="small"
          items={[
            { key: "settings", label: t.settings, children: props.form },
            { key: "code", label: t.code, children: <CodePanel {...props.code} /> },
          ]}
        />
      </Card>
    </div>
  );
}
