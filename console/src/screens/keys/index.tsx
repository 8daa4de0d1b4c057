/** API keys: what callers sign in with. What is open (`new`, `edit`, `route`) and the filters live in the address. */
import { PlusOutlined, ReloadOutlined } from "@ant-design/icons";
import { keepPreviousData } from "@tanstack/react-query";
import { Button, Flex } from "antd";
import { lazy, useState } from "react";
import { $api } from "@/api/client";
import type { KeyView, KeyWithText } from "@/api/schema";
import { useMay } from "@/app/session";
import { useTexts } from "@/app/texts";
import { Empty } from "@/ui/Empty";
import { ErrorView } from "@/ui/ErrorView";
import { Later } from "@/ui/Later";
import { PageHead } from "@/ui/PageHead";
import { Pager, useCursors } from "@/ui/Pager";
import { useUrlState } from "@/ui/useUrlState";
import { Filters, isFiltered, NO_FILTERS, queryOf } from "./Filters";
import { KeyTable } from "./KeyTable";
import { texts } from "./texts";

// The list is the first screen that many people see: what it does not show yet is not loaded with it.
const BatchBar = lazy(() => import("./BatchBar").then((each) => ({ default: each.BatchBar })));
const KeyDrawer = lazy(() => import("./KeyDrawer").then((each) => ({ default: each.KeyDrawer })));
const MadeKey = lazy(() => import("./MadeKey").then((each) => ({ default: each.MadeKey })));
const RouteDrawer = lazy(() => import("./RouteDrawer").then((each) => ({ default: each.RouteDrawer })));
const PER_PAGE = 25;

export default function Keys() {
  const t = useTexts(texts);
  const may = useMay();
  const [address, change] = useUrlState();
  const [made, setMade] = useState<{ key: KeyWithText; isRotated: boolean } | null>(null);
  const wanted = queryOf(address);
  const pages = useCursors([wanted]);
  const query = $api.useQuery(
    "get",
    "/keys",
    { params: { query: { ...wanted, limit: PER_PAGE, cursor: pages.cursor } } },
    { placeholderData: keepPreviousData },
  );
  const [chosen, setChosen] = useState<KeyView[]>([]);
  const create = (
    <Button type="primary" icon={<PlusOutlined />} onClick={() => change({ new: "1" })}>
      {isEmpty(query.data?.data, address) ? t.createFirst : t.create}
    </Button>
  );
  const showMade = (key: KeyWithText, isRotated = false) => setMade({ key, isRotated });
  return (
    <>
      <PageHead
        title={t.title}
        about={t.about}
        actions={
          <Flex gap={8}>
            <Button
              icon={<ReloadOutlined />}
              aria-label={t.refresh}
              title={t.refresh}
              loading={query.isFetching && !query.isLoading}
              onClick={() => void query.refetch()}
            />
            {may("keys.write") && !isEmpty(query.data?.data, address) ? create : null}
          </Flex>
        }
      />
      <Filters address={address} change={change} />
      <Later when={chosen.length > 0}>
        {chosen.length > 0 ? <BatchBar chosen={chosen} onForget={() => setChosen([])} /> : null}
      </Later>
      {query.error ? (
        <ErrorView error={query.error} onRetry={() => void query.refetch()} />
      ) : (
        <KeyTable
          keys={query.data?.data}
          isStale={query.isPlaceholderData}
          chosen={chosen}
          onChoose={setChosen}
          onMade={showMade}
          open={change}
          empty={
            isFiltered(address) ? (
              <Empty
                title={t.nothing}
                hint={t.nothingHint}
                action={<Button onClick={() => change(NO_FILTERS)}>{t.clear}</Button>}
              />
            ) : (
              <Empty title={t.empty} hint={t.emptyHint} action={may("keys.write") ? create : null} />
            )
          }
        />
      )}
      <Pager pages={pages} next={query.data?.next_cursor} total={query.data?.total} />
      <Later when={Boolean(address.new || address.edit)}>
        <KeyDrawer
          open={address.new ? "new" : (address.edit ?? null)}
          onClose={() => change({ new: null, edit: null })}
          onMade={showMade}
        />
      </Later>
      <Later when={Boolean(address.route)}>
        <RouteDrawer open={address.route ?? null} onClose={() => change({ route: null })} />
      </Later>
      <Later when={made !== null}>
        {made ? <MadeKey made={made.key} isRotated={made.isRotated} onClose={() => setMade(null)} /> : null}
      </Later>
    </>
  );
}

function isEmpty(keys: KeyView[] | undefined, address: Record<string, string>): boolean {
  return keys?.length === 0 && !isFiltered(address);
}
