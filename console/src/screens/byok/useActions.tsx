/** What can be done to one own key. What takes it away from calls asks first and says what depends on it. */
import { App } from "antd";
import { useState } from "react";
import { $api } from "@/api/client";
import type { CredentialView, UsedBy } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { useFormat } from "@/ui/useFormat";
import { useSaying } from "@/ui/useSaying";
import { texts } from "./texts";
import { readCredential, useRefresh } from "./useByok";

export function useActions(listed: CredentialView) {
  const t = useTexts(texts);
  const say = useSaying();
  const format = useFormat();
  const refresh = useRefresh();
  const { modal } = App.useApp();
  const [isAsking, setIsAsking] = useState(false);
  const path = { credential_id: listed.id };
  const after = { onError: say.failed, onSettled: () => refresh() };
  const change = $api.useMutation("patch", "/byok/{credential_id}", after);
  const remove = $api.useMutation("delete", "/byok/{credential_id}", {
    ...after,
    onSettled: () => refresh("deletion"),
  });
  const test = $api.useMutation("post", "/byok/{credential_id}/test", after);

  const turn = async (enabled: boolean, version: number) => {
    const header = { "if-match": `"${version}"` };
    await change.mutateAsync({ params: { path, header }, body: { enabled } });
    say.done(t.turned(listed.name, enabled));
  };
  /** Asks with what the server says now, and does it if the answer is yes. */
  const ask = async (what: (now: CredentialView, users: UsedBy[]) => Parameters<typeof modal.confirm>[0]) => {
    setIsAsking(true);
    try {
      const { credential, users } = await readCredential(listed.id);
      modal.confirm({ cancelText: t.ask.no, width: 520, ...what(credential, users) });
    } catch (error) {
      say.failed(error);
      await refresh();
    } finally {
      setIsAsking(false);
    }
  };
  return {
    isAsking,
    isTurning: change.isPending,
    isTesting: test.isPending,
    test: () =>
      test.mutate(
        { params: { path }, body: {} },
        {
          onSuccess: (answer) => {
            if (answer.ok) say.done(t.tested(listed.name, format.duration(answer.latency_ms ?? 0)));
            else say.failed(new Error(answer.message));
          },
        },
      ),
    enable: () => turn(true, listed.version).catch(() => undefined),
    askDisable: () =>
      ask((now, users) => ({
        title: t.ask.disable(now.name),
        content: <Consequences note={t.ask.disableNote} users={users} />,
        okText: t.ask.disableYes,
        onOk: () => turn(false, now.version).catch(() => undefined),
      })),
    askRemove: () =>
      ask((now, users) => ({
        title: t.ask.remove(now.name),
        content: <Consequences note={t.ask.removeNote} users={users} />,
        okText: users.length > 0 ? t.ask.removeAnyway : t.ask.removeYes,
        okButtonProps: { danger: true },
        onOk: () =>
          remove
            .mutateAsync({ params: { path, query: { force: users.length > 0 } } })
            .then(() => say.done(t.removed(now.name)))
            .catch(() => undefined),
      })),
  };
}

function Consequences({ note, users }: { note: string; users: UsedBy[] }) {
  const { ask } = useTexts(texts);
  return (
    <>
      <p>{note}</p>
      {users.length > 0 ? (
        <>
          <p style={{ marginBottom: 4 }}>{ask.depend}</p>
          <ul style={{ marginTop: 0, paddingInlineStart: 20, maxHeight: 200, overflow: "auto" }}>
            {users.map((each) => (
              <li key={each.id}>
                <strong>{each.alias}</strong>
              </li>
            ))}
          </ul>
          <p>{ask.dependNote}</p>
        </>
      ) : null}
      <p className="quiet">{ask.default}</p>
    </>
  );
}
