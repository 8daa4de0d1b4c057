import { Select, Tag } from "antd";
import { useState } from "react";
import type { Kind, ModelView } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { ErrorView } from "@/ui/ErrorView";
import { texts } from "./texts";
import { isCallable, useModels, useRested } from "./useModels";

export interface ModelSelectProps {
  /** Name of the model; null: none is chosen. */
  value: string | null;
  onChange: (name: string, model: ModelView) => void;
  kind: Kind;
  keyId: string;
  /** Names that cannot be chosen again. */
  without?: string[];
  /** Shown where nothing is chosen. */
  placeholder?: string;
  /** What it chooses, for those who hear the page. */
  label?: string;
}

/** Chooses a model by searching the plaza; those that cannot be called now are shown, but not offered. */
export function ModelSelect(props: ModelSelectProps) {
  const { value, onChange, kind, keyId, without = [] } = props;
  const t = useTexts(texts);
  const [search, setSearch] = useState("");
  const { models = [], isLoading, error, refetch } = useModels({ kind, keyId, search: useRested(search) });
  if (error) return <ErrorView error={error} onRetry={() => void refetch()} />;
  const offered = models.filter((model) => model.name === value || !without.includes(model.name));
  const options = offered.map((model) => ({ value: model.name, model, disabled: !isCallable(model) }));
  return (
    <Select
      aria-label={props.label ?? t.model}
      placeholder={props.placeholder ?? t.chooseModel}
      value={value}
      loading={isLoading}
      showSearch={{ filterOption: false, onSearch: setSearch }}
      popupMatchSelectWidth={false}
      style={{ width: "100%", minWidth: 0 }}
      options={options}
      optionRender={({ data }) => <Option model={data.model} />}
      onChange={(name: string) => {
        const chosen = models.find((model) => model.name === name);
        if (chosen) onChange(name, chosen);
      }}
    />
  );
}

function Option({ model }: { model: ModelView }) {
  const t = useTexts(texts);
  return (
    <span style={{ display: "flex", gap: 12, alignItems: "center", maxWidth: "80vw" }}>
      <span style={{ flex: 1 }}>{model.name}</span>
      {isCallable(model) ? <span className="quiet">{model.vendor}</span> : <Tag>{t.notCallable}</Tag>}
    </span>
  );
}
