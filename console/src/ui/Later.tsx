/** What is loaded when it is first wanted, and stays: a drawer closes as it came. Its code is a `lazy` component. */
import { type ReactNode, Suspense, useState } from "react";

export function Later({ when, children }: { when: boolean; children: ReactNode }) {
  const [isWanted, setIsWanted] = useState(when);
  if (when && !isWanted) setIsWanted(true);
  return isWanted ? <Suspense fallback={null}>{children}</Suspense> : null;
}
