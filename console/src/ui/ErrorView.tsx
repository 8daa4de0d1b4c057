/** An error where the thing would be. What it shows is loaded when there is one. */
import { lazy, Suspense } from "react";

const Shown = lazy(() => import("./ErrorShown").then((each) => ({ default: each.ErrorView })));
const Words = lazy(() => import("./ErrorShown").then((each) => ({ default: each.ProblemWords })));

export function ErrorView(props: { error: unknown; onRetry?: () => void }) {
  return (
    <Suspense fallback={null}>
      <Shown {...props} />
    </Suspense>
  );
}

export function ProblemWords(props: { error: unknown }) {
  return (
    <Suspense fallback={null}>
      <Words {...props} />
    </Suspense>
  );
}
