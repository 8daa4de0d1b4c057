/** Tiers and shares of providers: most routes need none, so it is folded away until one is set. */
import { DeleteOutlined } from "@ant-design/icons";
import { Button, Collapse, Flex, InputNumber } from "antd";
import { useState } from "react";
import { useTexts } from "@/app/texts";
import type { RoutePartProps } from "./Part";
import { AddSelect } from "./ProviderChoice";
import { texts } from "./texts";
import { useProviderNames } from "./useNames";

export function RouteFine({ route, change, disabled }: RoutePartProps) {
  const t = useTexts(texts);
  const { nameOf, options } = useProviderNames();
  const set = [...new Set([...Object.keys(route.tiers), ...Object.keys(route.weights)])];
  // Somebody who added a line has said nothing yet: tier 0 and share 1 are what is without it.
  const [added, setAdded] = useState<string[]>([]);
  const ids = [...set, ...added.filter((id) => !set.includes(id))];
  const isWanted = (id: string) => route.providers.length === 0 || route.providers.includes(id);
  const body = (
    <Flex vertical gap={8}>
      <span className="quiet">{t.fineHint}</span>
      {ids.map((id) => (
        <Flex key={id} gap={8} align="center" wrap>
          <span style={{ flex: "1 1 160px", minWidth: 0 }}>{nameOf(id)}</span>
          <InputNumber
            style={{ width: 120 }}
            prefix={t.tierColumn}
            aria-label={t.tier(nameOf(id))}
            disabled={disabled}
            min={-1000}
            max={1000}
            precision={0}
            value={route.tiers[id] ?? 0}
            onChange={(tier) => change({ tiers: put(route.tiers, id, tier ?? 0, 0) })}
          />
          <InputNumber
            style={{ width: 130 }}
            prefix={t.weightColumn}
            aria-label={t.weight(nameOf(id))}
            disabled={disabled}
            min={1}
            max={1_000_000}
            precision={0}
            value={route.weights[id] ?? 1}
            onChange={(weight) => change({ weights: put(route.weights, id, weight ?? 1, 1) })}
          />
          <Button
            type="text"
            size="small"
            icon={<DeleteOutlined />}
            aria-label={t.remove(nameOf(id))}
            disabled={disabled}
            onClick={() => {
              setAdded(added.filter((each) => each !== id));
              change({ tiers: put(route.tiers, id, 0, 0), weights: put(route.weights, id, 1, 1) });
            }}
          />
        </Flex>
      ))}
      <AddSelect
        label={t.addFine}
        disabled={disabled}
        options={options.filter((each) => !ids.includes(each.value) && isWanted(each.value))}
        onAdd={(id) => setAdded([...added, id])}
      />
    </Flex>
  );
  return (
    <Collapse
      size="small"
      defaultActiveKey={set.length > 0 ? ["fine"] : []}
      items={[{ key: "fine", label: t.fine, children: body }]}
    />
  );
}

/** The value that is there anyway is left out. */
function put(values: Record<string, number>, id: string, value: number, usual: number) {
  const { [id]: _, ...others } = values;
  return value === usual ? others : { ...others, [id]: value };
}
