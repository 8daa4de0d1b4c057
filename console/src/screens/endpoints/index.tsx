/** Endpoints: the catalogue row by row, thousands of them. Filters and what is open stand in the address. */
import { PlusOutlined } from "@ant-design/icons";
import { keepPreviousData } from "@tanstack/react-query";
import { Button } from "antd";
import { $api } from "@/api/client";
import type { EndpointStatus, EndpointView } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { Loaded } from "@/screens/platform/Loaded";
import { WideTable } from "@/screens/platform/WideTable";
import { Empty } from "@/ui/Empty";
import { PageHead } from "@/ui/PageHead";
import { Pager, useCursors } from "@/ui/Pager";
import { useUrlState } from "@/ui/useUrlState";
import { EndpointDrawer } from "./EndpointDrawer";
import { EndpointFilters } from "./EndpointFilters";
import { ModelForm, OpenModel } from "./ModelForm";
import { texts } from "./texts";
import { useEndpointColumns } from "./useEndpointColumns";

const STATUSES: readonly string[] = ["active", "disabled", "unconfigured"] satisfies EndpointStatus[];

export default function Endpoints() {
  const t = useTexts(texts);
  const [values, change] = useUrlState();
  const filters = {
    search: values.search ?? "",
    provider: values.provider ?? "",
    status: isStatus(values.status) ? values.status : undefined,
  };
  const pages = useCursors([filters]);
  const asked = $api.useQuery(
    "get",
    "/endpoints",
    { params: { query: { ...filters, limit: 50, cursor: pages.cursor } } },
    { placeholderData: keepPreviousData },
  );
  const columns = useEndpointColumns();
  const clear = () => change({ search: null, provider: null, status: null });
  return (
    <>
      <PageHead
        title={t.title}
        about={t.about}
        actions={
          <Button
            type="primary"
            icon={<PlusOutlined />}
            onClick={() => change({ add: "1", page: values.page })}
          >
            {t.addModel}
          </Button>
        }
      />
      <EndpointFilters values={values} change={change} />
      <Loaded asked={asked}>
        {(found) => (
          <>
            <WideTable<EndpointView>
              rowKey="name"
              size="middle"
              columns={columns}
              dataSource={found.data}
              pagination={false}
              scroll={{ x: 960 }}
              onRow={(one) => ({
                onClick: () => change({ endpoint: one.name, page: values.page }),
                style: { cursor: "pointer" },
              })}
              locale={{
                emptyText: (
                  <Empty
                    title={t.none}
                    hint={t.noneHint}
                    action={<Button onClick={clear}>{t.clear}</Button>}
                  />
                ),
              }}
            />
            <Pager pages={pages} next={found.next_cursor} total={found.total} />
          </>
        )}
      </Loaded>
      <EndpointDrawer
        name={values.endpoint}
        onModel={(model) => change({ model, page: values.page })}
        onClose={() => change({ endpoint: null, page: values.page })}
      />
      {values.model ? (
        <OpenModel name={values.model} onClose={() => change({ model: null, page: values.page })} />
      ) : null}
      {values.add ? (
        <ModelForm
          model={null}
          onClose={() => change({ add: null })}
          onSaved={(name) => change({ add: null, search: name })}
        />
      ) : null}
    </>
  );
}

function isStatus(text: string | undefined): text is EndpointStatus {
  return text !== undefined && STATUSES.includes(text);
}
