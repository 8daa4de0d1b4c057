/** Tokens of the admin API, for automation: listed, made, removed. */
import { PlusOutlined, ReloadOutlined } from "@ant-design/icons";
import { keepPreviousData } from "@tanstack/react-query";
import { Button, Space } from "antd";
import { useState } from "react";
import { $api } from "@/api/client";
import type { MadeToken } from "@/api/schema";
import { useMay } from "@/app/session";
import { useTexts } from "@/app/texts";
import { Empty } from "@/ui/Empty";
import { ErrorView } from "@/ui/ErrorView";
import { PageHead } from "@/ui/PageHead";
import { Pager, useCursors } from "@/ui/Pager";
import { useUrlState } from "@/ui/useUrlState";
import { NewToken } from "./NewToken";
import { TokenMade } from "./TokenMade";
import { TokenTable } from "./TokenTable";
import { texts } from "./texts";

export default function Tokens() {
  const t = useTexts(texts);
  const mayMake = useMay()("tokens.write");
  const [address, change] = useUrlState();
  const [made, setMade] = useState<MadeToken | null>(null);
  const pages = useCursors([]);
  const query = $api.useQuery(
    "get",
    "/tokens",
    { params: { query: { limit: 25, cursor: pages.cursor } } },
    { placeholderData: keepPreviousData },
  );
  const create = mayMake ? (
    <Button type="primary" icon={<PlusOutlined />} onClick={() => change({ new: "1" })}>
      {t.create}
    </Button>
  ) : null;
  return (
    <>
      <PageHead
        title={t.title}
        about={t.about}
        actions={
          <Space>
            <Button
              icon={<ReloadOutlined />}
              aria-label={t.refresh}
              title={t.refresh}
              loading={query.isFetching && !query.isLoading}
              onClick={() => void query.refetch()}
            />
            {query.data?.data.length === 0 ? null : create}
          </Space>
        }
      />
      {query.error ? (
        <ErrorView error={query.error} onRetry={() => void query.refetch()} />
      ) : (
        <TokenTable
          tokens={query.data?.data}
          empty={<Empty title={t.empty} hint={t.emptyHint} action={create} />}
        />
      )}
      <Pager pages={pages} next={query.data?.next_cursor} total={query.data?.total} />
      {address.new && mayMake ? (
        <NewToken
          onClose={() => change({ new: null })}
          onMade={(token) => {
            change({ new: null });
            setMade(token);
          }}
        />
      ) : null}
      {made ? <TokenMade made={made} onClose={() => setMade(null)} /> : null}
    </>
  );
}
