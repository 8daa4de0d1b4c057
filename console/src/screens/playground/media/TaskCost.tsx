import { $api } from "@/api/client";
import { useTexts } from "@/app/texts";
import { texts } from "@/gateway/texts-facts";
import { Money } from "@/ui/Money";
import { useFormat } from "@/ui/useFormat";

/** A task costs when it has ended: a record of its own says what, some seconds later. */
export function TaskCost({ taskId }: { taskId: string }) {
  const t = useTexts(texts);
  const format = useFormat();
  const query = $api.useQuery(
    "get",
    "/usage/calls",
    { params: { query: { task_id: taskId, limit: 10 } } },
    {
      refetchInterval: ({ state }) =>
        settled(state.data?.data) || state.dataUpdateCount > 30 ? false : 2_000,
    },
  );
  const call = settled(query.data?.data);
  return (
    <dl className="facts">
      {call?.output_tokens ? (
        <div>
          <dt>{t.output}</dt>
          <dd className="number">{format.count(call.output_tokens)}</dd>
        </div>
      ) : null}
      {call?.video_seconds ? (
        <div>
          <dt>{t.seconds}</dt>
          <dd className="number">{format.count(call.video_seconds)}</dd>
        </div>
      ) : null}
      <div>
        <dt>{t.cost}</dt>
        <dd>
          {call ? (
            <Money amount={call.cost} currency={call.currency} />
          ) : (
            <span className="quiet">{t.counting}</span>
          )}
        </dd>
      </div>
    </dl>
  );
}

function settled<T extends { operation: string }>(calls: T[] | undefined): T | undefined {
  return calls?.find((call) => call.operation === "settle_task");
}
