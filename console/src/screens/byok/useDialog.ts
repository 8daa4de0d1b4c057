/** Testing and saving of the dialog. */
import { $api } from "@/api/client";
import { useTexts } from "@/app/texts";
import { useSaying } from "@/ui/useSaying";
import type { Opened } from "./index";
import { texts } from "./texts";
import { useRefresh } from "./useByok";

export interface Fields {
  provider: string;
  name: string;
  secret?: string;
  enabled: boolean;
  model?: string;
}

export function useDialog({ credential }: Opened, onClose: () => void) {
  const t = useTexts(texts);
  const say = useSaying();
  const refresh = useRefresh();
  const testNew = $api.useMutation("post", "/byok/test");
  const testKept = $api.useMutation("post", "/byok/{credential_id}/test", { onSettled: () => refresh() });
  const onSuccess = ({ name }: { name: string }) => {
    say.done(t.saved(name));
    onClose();
    return refresh();
  };
  const add = $api.useMutation("post", "/byok", { onSuccess });
  const change = $api.useMutation("patch", "/byok/{credential_id}", { onSuccess });
  const path = { credential_id: credential?.id ?? "" };
  const now = $api.useQuery(
    "get",
    "/byok/{credential_id}",
    { params: { path } },
    { enabled: credential !== undefined },
  );
  const forget = () => {
    for (const each of [testNew, testKept, add, change]) each.reset();
  };
  return {
    test: ({ provider, secret, model }: Fields) => {
      forget();
      const typed = secret?.trim();
      const body = { model: model ?? null };
      if (typed || credential === undefined)
        testNew.mutate({ body: { ...body, provider, secret: typed ?? "" } });
      else testKept.mutate({ params: { path }, body });
    },
    save: ({ provider, name, secret, enabled }: Fields) => {
      const typed = secret?.trim();
      if (credential === undefined) {
        add.mutate({ body: { provider, name: name.trim(), secret: typed ?? "", enabled } });
        return;
      }
      const header = { "if-match": `"${now.data?.version ?? credential.version}"` };
      change.mutate({
        params: { path, header },
        body: { name: name.trim(), enabled, ...(typed ? { secret: typed } : {}) },
      });
    },
    forget,
    /** Aliases of the keys whose routing names it. */
    users: (now.data?.used_by ?? []).map((each) => each.alias),
    tested: testNew.data ?? testKept.data,
    error: testNew.error ?? testKept.error ?? add.error ?? change.error,
    isTesting: testNew.isPending || testKept.isPending,
    isSaving: add.isPending || change.isPending,
  };
}
