import { Empty as AntEmpty } from "antd";
import type { ReactNode } from "react";

/** An empty state that teaches: what would be here, and how to get it. */
export function Empty({ title, hint, action }: { title: ReactNode; hint?: ReactNode; action?: ReactNode }) {
  return (
    <AntEmpty
      image={AntEmpty.PRESENTED_IMAGE_SIMPLE}
      description={
        <>
          <div>{title}</div>
          {hint ? <div className="quiet">{hint}</div> : null}
        </>
      }
    >
      {action}
    </AntEmpty>
  );
}
