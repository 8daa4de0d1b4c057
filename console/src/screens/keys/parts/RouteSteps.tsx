import { theme } from "antd";
import type { RouteBody } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { Part } from "./Part";
import { routeInShort, routeSteps } from "./route";
import { texts } from "./texts";
import { useCredentials, useProviderNames } from "./useNames";

/** What a call with this route tries, in order. */
export function RouteSteps({ route }: { route: RouteBody }) {
  const t = useTexts(texts);
  const { token } = theme.useToken();
  const { nameOf } = useProviderNames();
  const { credentials } = useCredentials();
  const providerOf = (name: string) => {
    const provider = credentials?.find((each) => each.name === name)?.provider;
    return provider === undefined ? "" : nameOf(provider);
  };
  const steps = routeSteps(route, t.steps, nameOf, providerOf);
  return (
    <div style={{ padding: 12, borderRadius: token.borderRadius, background: token.colorFillQuaternary }}>
      <Part label={t.whatHappens}>
        <ol aria-live="polite" style={{ margin: 0, paddingInlineStart: 20 }}>
          {steps.map((step) => (
            <li key={step}>{step}</li>
          ))}
        </ol>
      </Part>
    </div>
  );
}

/** A route in a few words. */
export function RouteShort({ route }: { route: RouteBody }) {
  const t = useTexts(texts);
  const { nameOf } = useProviderNames();
  return <>{routeInShort(route, t.words, nameOf)}</>;
}
