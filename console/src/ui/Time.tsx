import { Tooltip } from "antd";
import { useFormat } from "./useFormat";

/** A moment in the browser's time zone; the tooltip has it in UTC. */
export function Time({ at }: { at: string | null | undefined }) {
  const format = useFormat();
  if (!at) return <span className="quiet">-</span>;
  return (
    <Tooltip title={`${at.replace("T", " ").slice(0, 19)} UTC`}>
      <time dateTime={at} className="number">
        {format.time(at)}
      </time>
    </Tooltip>
  );
}
