/** Health of the endpoints: a board of the last minutes or hours, errors, and circuits. It asks again by itself. */
import { keepPreviousData } from "@tanstack/react-query";
import { Checkbox, Input, Segmented } from "antd";
import { $api } from "@/api/client";
import { useTexts } from "@/app/texts";
import { Loaded } from "@/screens/platform/Loaded";
import "@/screens/platform/platform.css";
import { PageHead } from "@/ui/PageHead";
import { useUrlState } from "@/ui/useUrlState";
import { Board } from "./Board";
import { boardRows } from "./board";
import { Cards } from "./Cards";
import { Circuits } from "./Circuits";
import { EndpointHealth } from "./EndpointHealth";
import { Errors } from "./Errors";
import { RANGES, readRange, sinceOf, useNow } from "./range";
import { texts } from "./texts";

export default function Health() {
  const t = useTexts(texts);
  const [values, change] = useUrlState();
  const range = readRange(values.range);
  const since = sinceOf(range, useNow());
  const asked = $api.useQuery(
    "get",
    "/monitoring/overview",
    { params: { query: { since } } },
    { placeholderData: keepPreviousData },
  );
  const isOnlyCalled = values.all !== "1";
  return (
    <>
      <PageHead
        title={t.title}
        about={t.about}
        actions={
          <Segmented
            aria-label={t.range}
            value={range}
            options={RANGES.map((value) => ({ value, label: t.ranges[value] }))}
            onChange={(value) => change({ range: value })}
          />
        }
      />
      <Loaded asked={asked}>
        {(overview) => (
          <>
            <Cards
              total={overview.total}
              atFault={
                overview.endpoints.filter((one) => ["failing", "degraded"].includes(one.now.status)).length
              }
            />
            <Circuits onOpen={(endpoint) => change({ endpoint })} />
            <section className="plat-section">
              <h2>{t.board}</h2>
              <search className="filters" style={{ alignItems: "center" }}>
                <Input.Search
                  key={values.search}
                  allowClear
                  defaultValue={values.search}
                  aria-label={t.search}
                  placeholder={t.searchHint}
                  style={{ width: 280 }}
                  onSearch={(text) => change({ search: text.trim() })}
                />
                <Checkbox
                  checked={isOnlyCalled}
                  onChange={(event) => change({ all: event.target.checked ? null : "1" })}
                >
                  {t.onlyCalled}
                </Checkbox>
              </search>
              <Board
                rows={boardRows(overview.endpoints, values.search ?? "", isOnlyCalled)}
                isFiltered={Boolean(values.search)}
                onOpen={(endpoint) => change({ endpoint })}
              />
            </section>
            <Errors errors={overview.errors} />
          </>
        )}
      </Loaded>
      <EndpointHealth
        name={values.endpoint}
        range={range}
        since={since}
        onClose={() => change({ endpoint: null })}
      />
    </>
  );
}
