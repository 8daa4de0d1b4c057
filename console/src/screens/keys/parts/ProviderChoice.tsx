/** Which providers: an order (mode `provider`), or a subset that is ranked (mode `default`). */
import { Alert, Flex, Radio, Select } from "antd";
import { useState } from "react";
import { useTexts } from "@/app/texts";
import { OrderedList } from "./OrderedList";
import { Part, type RoutePartProps } from "./Part";
import { texts } from "./texts";
import { useProviderNames } from "./useNames";

export function ProviderOrder({ route, change, disabled }: RoutePartProps) {
  const t = useTexts(texts);
  const { nameOf, options, has, isLoaded } = useProviderNames();
  const lines = route.providers.map((id) => ({
    id,
    title: nameOf(id),
    mark: isLoaded && !has(id) ? t.gone : undefined,
  }));
  return (
    <Part label={t.order} hint={lines.length > 1 ? t.orderHint : undefined}>
      {lines.length === 0 ? (
        <Alert type="warning" showIcon title={t.noProviders} style={{ marginBottom: 8 }} />
      ) : null}
      <OrderedList
        label={t.order}
        lines={lines}
        disabled={disabled}
        onChange={(providers) => change({ providers })}
      />
      <AddSelect
        label={t.addProvider}
        disabled={disabled}
        options={options.filter((each) => !route.providers.includes(each.value))}
        onAdd={(id) => change({ providers: [...route.providers, id] })}
      />
    </Part>
  );
}

export function ProviderScope({ route, change, disabled }: RoutePartProps) {
  const t = useTexts(texts);
  const { options } = useProviderNames();
  const [isSome, setIsSome] = useState(route.providers.length > 0);
  return (
    <Part label={t.scope}>
      <Flex vertical gap={8}>
        <Radio.Group
          disabled={disabled}
          value={isSome || route.providers.length > 0}
          onChange={(event) => {
            setIsSome(event.target.value);
            if (!event.target.value) change({ providers: [] });
          }}
          options={[
            { value: false, label: t.allProviders },
            { value: true, label: t.someProviders },
          ]}
        />
        {isSome || route.providers.length > 0 ? (
          <Select
            mode="multiple"
            disabled={disabled}
            aria-label={t.chooseProviders}
            placeholder={t.chooseProviders}
            value={route.providers}
            options={options}
            showSearch={{ optionFilterProp: "label" }}
            onChange={(providers: string[]) => change({ providers })}
          />
        ) : null}
      </Flex>
    </Part>
  );
}

/** A choice that adds and is empty again. */
export function AddSelect({
  label,
  options,
  disabled,
  onAdd,
}: {
  label: string;
  options: { value: string; label: string }[];
  disabled: boolean;
  onAdd: (value: string) => void;
}) {
  return (
    <Select
      style={{ width: "100%" }}
      aria-label={label}
      placeholder={label}
      disabled={disabled || options.length === 0}
      value={null}
      options={options}
      showSearch={{ optionFilterProp: "label" }}
      onSelect={(value: string | null) => value !== null && onAdd(value)}
    />
  );
}
