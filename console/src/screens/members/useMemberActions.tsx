/** What can be done to a member. What takes access away asks first. */
import { useQueryClient } from "@tanstack/react-query";
import { App } from "antd";
import { $api } from "@/api/client";
import type { Member, RemainingKey } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { useSaying } from "@/ui/useSaying";
import { useRefused } from "./Refusal";
import { texts } from "./texts";

export function useMemberActions(member: Member, makeLink: (member: Member) => Promise<void>) {
  const t = useTexts(texts);
  const say = useSaying();
  const refused = useRefused(t.refusals);
  const { modal } = App.useApp();
  const client = useQueryClient();
  const after = {
    onError: refused,
    onSettled: () => client.invalidateQueries({ queryKey: ["get", "/members"] }),
  };
  const change = $api.useMutation("patch", "/members/{user_id}", after);
  const remove = $api.useMutation("delete", "/members/{user_id}", after);
  const name = member.username;
  const path = { user_id: member.id };
  const header = { "if-match": `"${member.version}"` };
  const cancelText = t.cancel;

  const turn = (enabled: boolean) =>
    change
      .mutateAsync({ params: { path, header }, body: { enabled } })
      .then(() => say.done(t.turned(name, enabled)))
      // It has been said.
      .catch(() => undefined);
  const takeAway = () =>
    remove
      .mutateAsync({ params: { path, header } })
      .then(({ keys }) => {
        say.done(t.removed(name));
        if (keys.length > 0) {
          modal.info({ title: t.ask.keys(name, keys.length), content: <KeysLeft keys={keys} /> });
        }
      })
      .catch(() => undefined);
  return {
    isBusy: change.isPending || remove.isPending,
    enable: () => turn(true),
    askDisable: () =>
      modal.confirm({
        title: t.ask.disable(name),
        content: t.ask.disableNote,
        okText: t.disable,
        cancelText,
        onOk: () => turn(false),
      }),
    askRemove: () =>
      modal.confirm({
        title: t.ask.remove,
        content: t.ask.removeNote(name),
        okText: t.remove,
        okButtonProps: { danger: true },
        cancelText,
        onOk: takeAway,
      }),
    askLink: () =>
      modal.confirm({
        title: t.ask.link(name),
        content: t.ask.linkNote,
        okText: t.ask.linkYes,
        cancelText,
        onOk: () => makeLink(member),
      }),
  };
}

function KeysLeft({ keys }: { keys: RemainingKey[] }) {
  const { ask } = useTexts(texts);
  return (
    <>
      <ul style={{ paddingInlineStart: 20, maxHeight: 240, overflow: "auto" }}>
        {keys.map((key) => (
          <li key={key.id}>{key.alias}</li>
        ))}
      </ul>
      <p>{ask.keysNote}</p>
    </>
  );
}
