/** The model plaza: what can be called, through whom, for how much. */
import { AppstoreOutlined, UnorderedListOutlined } from "@ant-design/icons";
import { Button, Segmented } from "antd";
import { useTexts } from "@/app/texts";
import { Empty } from "@/ui/Empty";
import { ErrorView } from "@/ui/ErrorView";
import { PageHead } from "@/ui/PageHead";
import { useFormat } from "@/ui/useFormat";
import { useUrlState } from "@/ui/useUrlState";
import { Filters, isFiltered } from "./Filters";
import { Grid, GridSkeleton } from "./Grid";
import { More } from "./More";
import "./models.css";
import { TableView } from "./TableView";
import { texts } from "./texts";
import { type Models, useModels } from "./useModels";

export default function ModelPlaza() {
  const t = useTexts(texts);
  const state = useUrlState();
  const [values, change] = state;
  const list = useModels(values);
  const view = values.view === "table" ? "table" : "grid";
  return (
    <>
      <PageHead
        title={t.title}
        about={t.about}
        actions={
          <Segmented
            aria-label={t.view}
            value={view}
            onChange={(next) => change({ view: next === "table" ? "table" : null })}
            options={[
              { value: "grid", icon: <AppstoreOutlined />, label: t.grid },
              { value: "table", icon: <UnorderedListOutlined />, label: t.table },
            ]}
          />
        }
      />
      <Filters state={state} />
      <Count list={list} isExact={!values.access} />
      <Found
        list={list}
        view={view}
        isFiltered={isFiltered(values)}
        onClear={() => change(Object.fromEntries(Object.keys(values).map((name) => [name, null])))}
      />
    </>
  );
}

/** `isExact`: the API filtered by everything, so it knows how many there are. */
function Count({ list, isExact }: { list: Models; isExact: boolean }) {
  const t = useTexts(texts);
  const format = useFormat();
  if (list.total === null) return <p className="models-count quiet">&nbsp;</p>;
  const shown = list.models.length;
  const isWhole = isExact || !list.hasMore;
  return (
    <p className="models-count quiet number" aria-live="polite">
      {isWhole ? t.models(format.count(isExact ? list.total : shown)) : t.loaded(format.count(shown))}
    </p>
  );
}

interface FoundProps {
  list: Models;
  view: "grid" | "table";
  isFiltered: boolean;
  onClear: () => void;
}

function Found({ list, view, isFiltered, onClear }: FoundProps) {
  const t = useTexts(texts);
  if (list.error && list.models.length === 0) return <ErrorView error={list.error} onRetry={list.retry} />;
  if (list.isLoading && view === "grid") return <GridSkeleton />;
  if (!list.isLoading && list.models.length === 0 && !list.hasMore) {
    return isFiltered ? (
      <Empty title={t.none} hint={t.noneHint} action={<Button onClick={onClear}>{t.clear}</Button>} />
    ) : (
      <Empty title={t.empty} hint={t.emptyHint} />
    );
  }
  return (
    <>
      {view === "grid" ? (
        <Grid models={list.models} />
      ) : (
        <TableView models={list.models} isLoading={list.isLoading} />
      )}
      {list.error ? <ErrorView error={list.error} onRetry={list.loadMore} /> : <More list={list} />}
    </>
  );
}
