/** Tests and keeps a provider's key: the platform's for who runs it, the tenant's own (BYOK) for its administrator. */
import { useQueryClient } from "@tanstack/react-query";
import { $api } from "@/api/client";
import { useMay } from "@/app/session";

const NAME = "first";

export function useCredential(onSaved: () => void) {
  const isPlatform = useMay()("credentials");
  const client = useQueryClient();
  const saved = {
    onSuccess: () => {
      void client.invalidateQueries({
        predicate: ({ queryKey }) =>
          /^\/(providers|byok|credentials|models|endpoints)/.test(String(queryKey[1])),
      });
      onSaved();
    },
  };
  const testPlatform = $api.useMutation("post", "/credentials/test");
  const testOwn = $api.useMutation("post", "/byok/test");
  const savePlatform = $api.useMutation("post", "/credentials", saved);
  const saveOwn = $api.useMutation("post", "/byok", saved);
  const test = isPlatform ? testPlatform : testOwn;
  const save = isPlatform ? savePlatform : saveOwn;
  return {
    isPlatform,
    test: (provider: string, secret: string) => test.mutate({ body: { provider, secret } }),
    save: (provider: string, secret: string) =>
      save.mutate({ body: { provider, secret, name: NAME, enabled: true } }),
    forget: () => {
      test.reset();
      save.reset();
    },
    isTesting: test.isPending,
    isSaving: save.isPending,
    tested: test.data,
    error: test.error ?? save.error,
  };
}
