/** Catches what a screen throws. Another address is another try. */
import { Component, lazy, type ReactNode, Suspense } from "react";
import { useLocation } from "react-router";

const Failed = lazy(() => import("./Failed"));

export function Boundary({ children }: { children: ReactNode }) {
  const { pathname } = useLocation();
  return <Catcher key={pathname}>{children}</Catcher>;
}

class Catcher extends Component<{ children: ReactNode }, { error: unknown }> {
  override state: { error: unknown } = { error: null };

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  override render() {
    if (this.state.error === null) return this.props.children;
    return (
      <Suspense fallback={null}>
        <Failed error={this.state.error} />
      </Suspense>
    );
  }
}
