import { Switch, Tooltip } from "antd";
import { $api } from "@/api/client";
import type { EndpointView } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { platformTexts } from "@/screens/platform/texts";
import { useConfirm } from "@/screens/platform/useConfirm";
import { CATALOGUE, useRefresh, versionTag } from "@/screens/platform/useRefresh";
import { texts } from "./texts";

/** On or off, after a question: callers feel both. */
export function EndpointSwitch({ endpoint }: { endpoint: EndpointView }) {
  const t = useTexts(texts);
  const common = useTexts(platformTexts);
  const confirm = useConfirm();
  const refresh = useRefresh(...CATALOGUE);
  const patch = $api.useMutation("patch", "/endpoints/{name}");
  const isOn = endpoint.status !== "disabled";
  const run = async () => {
    const params = { path: { name: endpoint.name }, header: { "if-match": versionTag(endpoint.version) } };
    await patch.mutateAsync({ params, body: { enabled: !isOn } });
    await refresh();
  };
  const ask = () =>
    confirm({
      title: isOn ? t.disableTitle : t.enableTitle,
      content: (
        <>
          <p className="mono">{endpoint.name}</p>
          {isOn ? t.disable : t.enable}
        </>
      ),
      ok: isOn ? t.switchOff : t.switchOn,
      isDanger: isOn,
      run,
      done: t.switched,
    });
  return (
    <Tooltip title={endpoint.source === "file" ? common.fileWins : undefined}>
      <Switch
        size="small"
        aria-label={t.switchOf(endpoint.name)}
        checked={isOn}
        disabled={endpoint.source === "file"}
        loading={patch.isPending}
        onChange={ask}
        onClick={(_, event) => event.stopPropagation()}
      />
    </Tooltip>
  );
}
