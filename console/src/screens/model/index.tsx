/** One model: what it is, who runs it, for how much, how well, and how it is called. */
import { Button, Skeleton, Tabs } from "antd";
import { useEffect } from "react";
import { Link, useParams } from "react-router";
import { $api } from "@/api/client";
import { toProblem } from "@/api/problem";
import { useTexts } from "@/app/texts";
import { Empty } from "@/ui/Empty";
import { ErrorView } from "@/ui/ErrorView";
import { useUrlState } from "@/ui/useUrlState";
import { Billing } from "./Billing";
import { CallExamples } from "./CallExamples";
import { Endpoints } from "./Endpoints";
import { ModelHead } from "./ModelHead";
import { Monitoring } from "./Monitoring";
import "./model.css";
import { Prices } from "./Prices";
import { texts } from "./texts";

export default function ModelPage() {
  const t = useTexts(texts);
  const name = useParams()["*"] ?? "";
  const query = $api.useQuery("get", "/models/{name}", { params: { path: { name } } });
  const [values, change] = useUrlState();
  const model = query.data;
  useEffect(() => {
    if (model) document.title = `${model.title || model.name} - aimesh`;
  }, [model]);
  if (query.error && !model) {
    if (toProblem(query.error).code === "MODEL_NOT_FOUND") return <NoModel name={name} />;
    return <ErrorView error={query.error} onRetry={() => void query.refetch()} />;
  }
  if (!model) return <Skeleton active paragraph={{ rows: 10 }} />;
  return (
    <>
      <ModelHead model={model} />
      <Tabs
        activeKey={values.tab ?? "overview"}
        onChange={(tab) => change({ tab: tab === "overview" ? null : tab })}
        destroyOnHidden
        items={[
          {
            key: "overview",
            label: t.tabs.overview,
            children: (
              <>
                <Endpoints model={model} />
                <CallExamples model={model} />
              </>
            ),
          },
          { key: "prices", label: t.tabs.prices, children: <Prices model={model} /> },
          { key: "monitoring", label: t.tabs.monitoring, children: <Monitoring model={model} /> },
        ]}
      />
      <Billing model={model} />
    </>
  );
}

function NoModel({ name }: { name: string }) {
  const t = useTexts(texts);
  return (
    <Empty
      title={t.noModel}
      hint={t.noModelHint(name)}
      action={
        <Link to="/models">
          <Button type="primary">{t.back}</Button>
        </Link>
      }
    />
  );
}
