/** Editor of a route: a controlled field, for a form or alone. Below it stands in words what will be tried. */
import { Flex, Segmented, Switch } from "antd";
import type { RankBy, RouteBody, RouteMode } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { CredentialOrder } from "./CredentialOrder";
import { Part, type RoutePartProps } from "./Part";
import { ProviderOrder, ProviderScope } from "./ProviderChoice";
import { RouteFine } from "./RouteFine";
import { RouteSteps } from "./RouteSteps";
import { type Route, wholeRoute } from "./route";
import { texts } from "./texts";

export interface RouteEditorProps {
  value?: RouteBody;
  onChange?: (route: Route) => void;
  disabled?: boolean;
}

const MODES: RouteMode[] = ["default", "provider", "byok"];
const RANKS: RankBy[] = ["price", "throughput", "latency"];

export function RouteEditor({ value, onChange, disabled = false }: RouteEditorProps) {
  const t = useTexts(texts);
  const route = wholeRoute(value ?? {});
  const change = (changes: Partial<Route>) => onChange?.({ ...route, ...changes });
  const isRanked = route.mode === "default" || (route.mode === "byok" && route.credentials.length === 0);
  const part = { route, change, disabled };
  return (
    <Flex vertical gap={16}>
      <Part label={t.mode} hint={t.modeHints[route.mode]}>
        <Segmented
          block
          disabled={disabled}
          value={route.mode}
          options={MODES.map((mode) => ({ value: mode, label: t.modes[mode] }))}
          onChange={(mode) => change({ mode })}
        />
      </Part>
      {route.mode === "provider" ? <ProviderOrder {...part} /> : null}
      {route.mode === "byok" ? <CredentialOrder {...part} /> : null}
      {route.mode === "default" ? <ProviderScope {...part} /> : null}
      {isRanked ? (
        <>
          <Part label={t.rankBy} hint={t.rankHints[route.rank_by]}>
            <Segmented
              block
              disabled={disabled}
              value={route.rank_by}
              options={RANKS.map((rank) => ({ value: rank, label: t.ranks[rank] }))}
              onChange={(rank_by) => change({ rank_by })}
            />
          </Part>
          <RouteFine {...part} />
          <Affinity {...part} />
        </>
      ) : null}
      <RouteSteps route={route} />
    </Flex>
  );
}

function Affinity({ route, change, disabled }: RoutePartProps) {
  const t = useTexts(texts);
  return (
    <Flex gap={10} align="flex-start">
      <Switch
        disabled={disabled}
        checked={route.affinity}
        onChange={(affinity) => change({ affinity })}
        aria-label={t.affinity}
      />
      <div>
        {t.affinity}
        <div className="quiet">{t.affinityHint}</div>
      </div>
    </Flex>
  );
}
