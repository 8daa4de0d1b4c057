/** Makes a key for calls from the page at once, with the tenant's defaults. */
import { useQueryClient } from "@tanstack/react-query";
import { $api } from "@/api/client";
import type { KeyWithText } from "@/api/schema";
import { useSession } from "@/app/session";
import { holdFor, holdText } from "./heldKeys";

export function useMakeKey(onMade: (key: KeyWithText) => void) {
  const client = useQueryClient();
  const session = useSession();
  const mutation = $api.useMutation("post", "/keys", {
    onSuccess: (key) => {
      holdFor(`${session.tenant.id}/${session.name}`);
      holdText(key.id, key.text, true);
      void client.invalidateQueries({ queryKey: ["get", "/keys"] });
      onMade(key);
    },
  });
  return {
    /** Names are unique: a moment's tail makes it so. */
    make: (purpose: string) => {
      const tail = Date.now().toString(36).slice(-5);
      mutation.mutate({ body: { alias: `${purpose} ${session.name} ${tail}`.slice(0, 100) } });
    },
    isMaking: mutation.isPending,
    error: mutation.error,
  };
}
