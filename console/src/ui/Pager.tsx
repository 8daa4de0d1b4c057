/**
 * Pages of a list that is cut by cursors.
 *
 *     const pages = useCursors([filters]);
 *     const query = $api.useQuery("get", "/keys", { params: { query: { ...filters, limit: 50, cursor: pages.cursor } } },
 *       { placeholderData: keepPreviousData });
 *     <Pager pages={pages} next={query.data?.next_cursor} total={query.data?.total} />
 */
import { LeftOutlined, RightOutlined } from "@ant-design/icons";
import { Button, Flex } from "antd";
import { useState } from "react";
import { useTexts } from "@/app/texts";
import { texts } from "./texts";
import { useFormat } from "./useFormat";

export interface Cursors {
  /** Of the page that is shown; undefined: the first. */
  cursor: string | undefined;
  number: number;
  next: (cursor: string) => void;
  previous: () => void;
}

/** Begins again at the first page when what is listed changes. */
export function useCursors(filters: unknown[]): Cursors {
  const key = JSON.stringify(filters);
  const [state, setState] = useState<{ key: string; stack: string[] }>({ key, stack: [] });
  const stack = state.key === key ? state.stack : [];
  return {
    cursor: stack.at(-1),
    number: stack.length + 1,
    next: (cursor) => setState({ key, stack: [...stack, cursor] }),
    previous: () => setState({ key, stack: stack.slice(0, -1) }),
  };
}

export function Pager({
  pages,
  next,
  total,
}: {
  pages: Cursors;
  next?: string | null;
  total?: number | null;
}) {
  const t = useTexts(texts);
  const format = useFormat();
  if (pages.number === 1 && !next) {
    return total ? <p className="quiet number">{t.total(format.count(total))}</p> : null;
  }
  return (
    <Flex gap={8} align="center" style={{ marginTop: 12 }}>
      <Button
        icon={<LeftOutlined />}
        aria-label={t.previous}
        disabled={pages.number === 1}
        onClick={pages.previous}
      />
      <span className="number">{t.page(pages.number)}</span>
      <Button
        icon={<RightOutlined />}
        aria-label={t.next}
        disabled={!next}
        onClick={() => next && pages.next(next)}
      />
      {total === undefined || total === null ? null : (
        <span className="quiet number">{t.total(format.count(total))}</span>
      )}
    </Flex>
  );
}
