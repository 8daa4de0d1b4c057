/** A task of the gateway, asked for until it ends. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { callGateway } from "@/gateway/call";
import { taskPathOf } from "@/gateway/interfaces";
import { useKeyText } from "@/gateway/useKeyText";
import { ENDED, readTask } from "./order";

const OFTEN = 2_000;
const SELDOM = 6_000;

/** `id` empty: there is none. */
export function useTask(interfaceName: string, id: string, keyId: string) {
  const keyText = useKeyText();
  const client = useQueryClient();
  const queryKey = ["task", interfaceName, id, keyId];
  const path = `${taskPathOf(interfaceName) ?? ""}${encodeURIComponent(id)}`;
  const query = useQuery({
    queryKey,
    enabled: id !== "" && keyId !== "",
    queryFn: async ({ signal }) => {
      const told = await callGateway({ path, method: "GET", keyText: await keyText(keyId), signal });
      if (told.problem) throw told.problem;
      return readTask(told.body);
    },
    refetchInterval: ({ state }) => {
      if (state.data && ENDED.includes(state.data.state)) return false;
      return state.dataUpdateCount < 15 ? OFTEN : SELDOM;
    },
  });
  const cancel = async () => {
    const isArk = interfaceName === "task";
    const told = await callGateway({
      path: isArk ? path : `${path}/cancel`,
      method: isArk ? "DELETE" : "POST",
      keyText: await keyText(keyId),
    });
    if (told.problem) throw told.problem;
    await client.invalidateQueries({ queryKey });
  };
  return { task: query.data ?? null, error: query.error, refetch: query.refetch, cancel };
}
