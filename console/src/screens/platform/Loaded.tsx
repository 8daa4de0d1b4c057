import { Skeleton } from "antd";
import type { ReactNode } from "react";
import { ErrorView } from "@/ui/ErrorView";

interface Asked<T> {
  data: T | undefined;
  error: unknown;
  refetch: () => Promise<unknown>;
}

/** What was asked for: its skeleton, why it failed, or the thing. */
export function Loaded<T>({
  asked,
  rows = 8,
  children,
}: {
  asked: Asked<T>;
  rows?: number;
  children: (data: T) => ReactNode;
}) {
  if (asked.error) return <ErrorView error={asked.error} onRetry={() => void asked.refetch()} />;
  if (asked.data === undefined) return <Skeleton active title={false} paragraph={{ rows }} />;
  return children(asked.data);
}
