import { MoreOutlined } from "@ant-design/icons";
import { Badge, Button, Dropdown, Space, Switch, type TableColumnsType, Tooltip } from "antd";
import { $api } from "@/api/client";
import type { CredentialView } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { platformTexts } from "@/screens/platform/texts";
import { useConfirm } from "@/screens/platform/useConfirm";
import { CATALOGUE, useRefresh, versionTag } from "@/screens/platform/useRefresh";
import { useFormat } from "@/ui/useFormat";
import { useSaying } from "@/ui/useSaying";
import { texts } from "./texts";

export function useCredentialColumns(
  onReplace: (credential: CredentialView) => void,
): TableColumnsType<CredentialView> {
  const t = useTexts(texts).keep;
  const common = useTexts(platformTexts);
  return [
    {
      title: t.name,
      render: (_, one) => (
        <>
          {one.name}
          <div className="quiet mono">{one.masked}</div>
        </>
      ),
    },
    { title: t.lastTest, width: 190, render: (_, one) => <LastTest credential={one} /> },
    { title: common.on, width: 70, render: (_, one) => <OnOff credential={one} /> },
    {
      title: common.more,
      width: 160,
      render: (_, one) => <Actions credential={one} onReplace={() => onReplace(one)} />,
    },
  ];
}

function LastTest({ credential }: { credential: CredentialView }) {
  const t = useTexts(texts).keep;
  const format = useFormat();
  const { test } = credential;
  if (test === null) return <span className="quiet">{t.untested}</span>;
  return (
    <Tooltip title={test.message}>
      <Badge
        status={test.ok ? "success" : "error"}
        text={test.ok ? t.good(format.duration(test.latency_ms)) : t.bad}
      />
      <div className="quiet">{format.time(test.at)}</div>
    </Tooltip>
  );
}

function useChange(credential: CredentialView) {
  const refresh = useRefresh(...CATALOGUE);
  const change = $api.useMutation("patch", "/credentials/{credential_id}");
  const params = {
    path: { credential_id: credential.id },
    header: { "if-match": versionTag(credential.version) },
  };
  const run = async (enabled: boolean) => {
    await change.mutateAsync({ params, body: { enabled } });
    await refresh();
  };
  return { run, isBusy: change.isPending };
}

function OnOff({ credential }: { credential: CredentialView }) {
  const t = useTexts(texts).keep;
  const say = useSaying();
  const confirm = useConfirm();
  const { run, isBusy } = useChange(credential);
  const change = (enabled: boolean) => {
    if (enabled) return void run(true).then(() => say.done(t.switched), say.failed);
    confirm({
      title: t.disableTitle(credential.name),
      content: t.disable,
      ok: t.switchOff,
      isDanger: true,
      run: () => run(false),
      done: t.switched,
    });
  };
  return (
    <Switch
      size="small"
      aria-label={t.switchOf(credential.name)}
      checked={credential.enabled}
      loading={isBusy}
      disabled={credential.source !== "database"}
      onChange={change}
    />
  );
}

function Actions({ credential, onReplace }: { credential: CredentialView; onReplace: () => void }) {
  const t = useTexts(texts).keep;
  const common = useTexts(platformTexts);
  const say = useSaying();
  const format = useFormat();
  const confirm = useConfirm();
  const refresh = useRefresh(...CATALOGUE);
  const path = { credential_id: credential.id };
  const test = $api.useMutation("post", "/credentials/{credential_id}/test", {
    onSuccess: (answer) => {
      if (answer.ok) say.done(t.testGood(answer.model, format.duration(answer.latency_ms ?? 0)));
      else say.failed(new Error(`${t.testBad}: ${answer.message}`));
      return refresh();
    },
    onError: say.failed,
  });
  const remove = $api.useMutation("delete", "/credentials/{credential_id}");
  const drop = async () => {
    await remove.mutateAsync({ params: { path, header: { "if-match": versionTag(credential.version) } } });
    await refresh();
  };
  const askToDrop = () =>
    confirm({
      title: t.deleteTitle(credential.name),
      content: t.delete,
      ok: common.remove,
      isDanger: true,
      run: drop,
      done: t.deleted,
    });
  const isOurs = credential.source === "database";
  return (
    <Space size={4}>
      <Button
        size="small"
        loading={test.isPending}
        onClick={() => test.mutate({ params: { path }, body: null })}
      >
        {t.test}
      </Button>
      {isOurs ? (
        <Dropdown
          trigger={["click"]}
          menu={{
            items: [
              { key: "replace", label: t.replace, onClick: onReplace },
              { key: "delete", label: common.remove, danger: true, onClick: askToDrop },
            ],
          }}
        >
          <Button
            size="small"
            type="text"
            icon={<MoreOutlined />}
            aria-label={t.actionsOf(credential.name)}
          />
        </Dropdown>
      ) : (
        <Tooltip title={t.readOnly[credential.source]}>
          <span className="quiet">{credential.source}</span>
        </Tooltip>
      )}
    </Space>
  );
}
