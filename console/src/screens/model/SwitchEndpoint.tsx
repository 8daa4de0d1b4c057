/** Switches an endpoint off, after a question, or on again: for who runs the installation. */
import { useQueryClient } from "@tanstack/react-query";
import { App, Button, Tooltip } from "antd";
import { $api } from "@/api/client";
import { useTexts } from "@/app/texts";
import type { EndpointView } from "@/screens/models/types";
import { useSaying } from "@/ui/useSaying";
import { texts } from "./texts";

export function SwitchEndpoint({ endpoint }: { endpoint: EndpointView }) {
  const t = useTexts(texts);
  const say = useSaying();
  const client = useQueryClient();
  const { modal } = App.useApp();
  const isOff = endpoint.status === "disabled";
  const change = $api.useMutation("patch", "/endpoints/{name}", {
    onSuccess: () => say.done(isOff ? t.enabledDone : t.disabledDone),
    onError: say.failed,
    onSettled: () =>
      client.invalidateQueries({
        predicate: (each) => /^\/(models|endpoints)/.test(String(each.queryKey[1])),
      }),
  });
  const send = () =>
    change.mutateAsync({
      params: { path: { name: endpoint.name }, header: { "if-match": `"${endpoint.version}"` } },
      body: { enabled: isOff },
    });
  // What went wrong is said by `onError`.
  const quietly = () => send().catch(() => undefined);
  const ask = () =>
    modal.confirm({
      title: t.disableTitle,
      content: t.disableHint(endpoint.name),
      okText: t.disable,
      okButtonProps: { danger: true },
      onOk: quietly,
    });
  const isOfFile = endpoint.source === "file";
  return (
    <Tooltip title={isOfFile ? t.ofFile : null}>
      <Button
        type="link"
        size="small"
        disabled={isOfFile}
        loading={change.isPending}
        onClick={() => void (isOff ? quietly() : ask())}
      >
        {isOff ? t.enable : t.disable}
      </Button>
    </Tooltip>
  );
}
