/** Who changed what. Filters stand in the address. */
import { ReloadOutlined } from "@ant-design/icons";
import { keepPreviousData } from "@tanstack/react-query";
import { Button } from "antd";
import { $api } from "@/api/client";
import { useTexts } from "@/app/texts";
import { ErrorView } from "@/ui/ErrorView";
import { PageHead } from "@/ui/PageHead";
import { Pager, useCursors } from "@/ui/Pager";
import { useUrlState } from "@/ui/useUrlState";
import { EntryTable } from "./EntryTable";
import { Filters } from "./Filters";
import { texts } from "./texts";

export default function Audit() {
  const t = useTexts(texts);
  const [values, change] = useUrlState();
  const filters = {
    actor: values.actor ?? "",
    action: values.action ?? "",
    target: values.target ?? "",
    since: values.since,
    until: values.until,
  };
  const pages = useCursors([filters]);
  const query = $api.useQuery(
    "get",
    "/audit",
    { params: { query: { ...filters, limit: 50, cursor: pages.cursor } } },
    { placeholderData: keepPreviousData },
  );
  return (
    <>
      <PageHead
        title={t.title}
        about={t.about}
        actions={
          <Button icon={<ReloadOutlined />} loading={query.isFetching} onClick={() => void query.refetch()}>
            {t.refresh}
          </Button>
        }
      />
      <Filters values={values} change={change} />
      {query.error ? (
        <ErrorView error={query.error} onRetry={() => void query.refetch()} />
      ) : (
        <>
          <EntryTable entries={query.data?.data} change={change} />
          <Pager pages={pages} next={query.data?.next_cursor} total={query.data?.total} />
        </>
      )}
    </>
  );
}
