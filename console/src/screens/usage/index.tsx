/** Usage: what was used, by whom, what it cost, and every call behind the sums. */
import { keepPreviousData } from "@tanstack/react-query";
import { Skeleton, Space } from "antd";
import { Link } from "react-router";
import { $api } from "@/api/client";
import type { UsageStatus } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { Empty } from "@/ui/Empty";
import { ErrorView } from "@/ui/ErrorView";
import { PageHead } from "@/ui/PageHead";
import { Time } from "@/ui/Time";
import { CallDrawer } from "./CallDrawer";
import { Cards } from "./Cards";
import { Filters } from "./Filters";
import { HeadActions } from "./HeadActions";
import { useUsageState } from "./state";
import { Tables } from "./Tables";
import { Toolbar } from "./Toolbar";
import { Top } from "./Top";
import { Trend } from "./Trend";
import { texts } from "./texts";
import "./usage.css";

export default function Usage() {
  const t = useTexts(texts);
  // A day is one of the installation's time zone, so nothing can be asked for before it is known.
  const status = $api.useQuery("get", "/usage/status", {});
  if (status.data !== undefined) return <Counted status={status.data} />;
  return (
    <>
      <PageHead title={t.title} about={t.about} />
      {status.error ? (
        <ErrorView error={status.error} onRetry={() => void status.refetch()} />
      ) : (
        <>
          <Skeleton active title={false} paragraph={{ rows: 3 }} style={{ marginBottom: 12 }} />
          <Cards summary={undefined} />
        </>
      )}
    </>
  );
}

function Counted({ status }: { status: UsageStatus }) {
  const t = useTexts(texts);
  const state = useUsageState(status.timezone);
  const summary = $api.useQuery(
    "get",
    "/usage/summary",
    { params: { query: state.query } },
    { placeholderData: keepPreviousData },
  );
  return (
    <>
      <PageHead
        title={t.title}
        about={
          <>
            {t.about}{" "}
            {status.updated_at ? (
              <>
                {t.countedUntil} <Time at={status.updated_at} />
              </>
            ) : (
              t.notCounted
            )}
          </>
        }
        actions={<HeadActions state={state} />}
      />
      <Toolbar state={state} />
      <Filters state={state} />
      {summary.error ? (
        <div style={{ marginBottom: 12 }}>
          <ErrorView error={summary.error} onRetry={() => void summary.refetch()} />
        </div>
      ) : (
        <Cards summary={summary.data} />
      )}
      {status.updated_at === null ? <First /> : null}
      <div className="usage-panels">
        <Trend state={state} />
        <Top state={state} />
      </div>
      <Tables state={state} />
      <CallDrawer
        id={state.values.call}
        onClose={() => state.change({ call: null, page: state.values.page })}
      />
    </>
  );
}

function First() {
  const t = useTexts(texts);
  return (
    <Space style={{ width: "100%", justifyContent: "center", padding: 24 }}>
      <Empty title={t.notCounted} hint={t.emptyFirst} action={<Link to="/playground">{t.playground}</Link>} />
    </Space>
  );
}
