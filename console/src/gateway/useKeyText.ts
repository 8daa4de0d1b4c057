/** The text of a key: asked for once (each reveal is in the audit log), and kept in this page's memory only. */
import { useCallback } from "react";
import { api } from "@/api/client";
import { useSession } from "@/app/session";
import { heldText, holdFor, holdText } from "./heldKeys";

/** Gives a function; it throws the error body of the API (`KEY_NOT_REVEALABLE` where only hashes are kept). */
export function useKeyText(): (keyId: string) => Promise<string> {
  const session = useSession();
  const person = `${session.tenant.id}/${session.name}`;
  return useCallback(
    async (keyId: string) => {
      holdFor(person);
      const held = heldText(keyId);
      if (held !== undefined) return held;
      const { data, error } = await api.POST("/keys/{key_id}/reveal", {
        params: { path: { key_id: keyId } },
      });
      if (data === undefined) throw error;
      holdText(keyId, data.text);
      return data.text;
    },
    [person],
  );
}
