/** Switching a key on and off, and deleting it. Each gives a promise that never fails: failures are said. */
import { useQueryClient } from "@tanstack/react-query";
import { $api } from "@/api/client";
import type { KeyView } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { useSaying } from "@/ui/useSaying";
import { texts } from "./texts";

/** After a change: lists and single keys, and what depends on which keys there are. */
export function useKeysChanged(): () => Promise<void> {
  const client = useQueryClient();
  return () =>
    client.invalidateQueries({
      predicate: ({ queryKey: [, path] }) => typeof path === "string" && path.startsWith("/keys"),
    });
}

export function useKeyChanges(key: KeyView) {
  const t = useTexts(texts);
  const saying = useSaying();
  const changed = useKeysChanged();
  const enabling = $api.useMutation("post", "/keys/{key_id}/enable");
  const disabling = $api.useMutation("post", "/keys/{key_id}/disable");
  const removing = $api.useMutation("delete", "/keys/{key_id}");
  const params = { path: { key_id: key.id } };
  const say = async (work: Promise<unknown>, done: string) => {
    try {
      await work;
      saying.done(done);
    } catch (error) {
      saying.failed(error);
    }
    await changed();
  };
  return {
    isPending: enabling.isPending || disabling.isPending || removing.isPending,
    enable: () => say(enabling.mutateAsync({ params }), t.enabledDone(key.alias)),
    disable: () => say(disabling.mutateAsync({ params }), t.disabledDone(key.alias)),
    remove: () => say(removing.mutateAsync({ params }), t.removedDone(key.alias)),
  };
}
