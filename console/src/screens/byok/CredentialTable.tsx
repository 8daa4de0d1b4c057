/** The own keys of one provider. */
import { Badge, Button, Space, Switch, Table, type TableColumnsType, Tooltip } from "antd";
import { Link } from "react-router";
import { $api } from "@/api/client";
import type { CredentialView } from "@/api/schema";
import { useMay } from "@/app/session";
import { useTexts } from "@/app/texts";
import { Empty } from "@/ui/Empty";
import { Time } from "@/ui/Time";
import { useFormat } from "@/ui/useFormat";
import type { Opened } from "./index";
import { texts } from "./texts";
import { useActions } from "./useActions";

interface Props {
  label: string;
  credentials: CredentialView[];
  open: (what: Opened) => void;
  add: () => void;
}

export function CredentialTable({ label, credentials, open, add }: Props) {
  const t = useTexts(texts);
  const may = useMay()("byok.write");
  const columns = useColumns(open);
  if (credentials.length === 0) {
    const action = may ? <Button onClick={add}>{t.add}</Button> : undefined;
    return <Empty title={t.empty} hint={t.emptyHint} action={action} />;
  }
  return (
    <Table
      aria-label={label}
      rowKey="id"
      size="small"
      columns={columns}
      dataSource={credentials}
      pagination={false}
      scroll={{ x: 900 }}
    />
  );
}

function useColumns(open: (what: Opened) => void): TableColumnsType<CredentialView> {
  const t = useTexts(texts);
  const may = useMay()("byok.write");
  const columns: TableColumnsType<CredentialView> = [
    { title: t.name, dataIndex: "name", render: (name: string) => <strong>{name}</strong> },
    { title: t.key, dataIndex: "masked", width: 150, render: (text: string) => <code>{text}</code> },
    {
      title: t.enabled,
      key: "enabled",
      width: 90,
      render: (_, row) => <EnabledSwitch credential={row} disabled={!may} />,
    },
    { title: t.lastTest, key: "test", width: 190, render: (_, row) => <LastTest credential={row} /> },
    { title: t.usedBy, key: "used", width: 160, render: (_, row) => <Dependents id={row.id} /> },
    {
      title: t.updated,
      dataIndex: "updated_at",
      width: 170,
      render: (at: string | null) => <Time at={at} />,
    },
  ];
  if (!may) return columns;
  return [
    ...columns,
    {
      title: t.actions,
      key: "actions",
      width: 190,
      render: (_, row) => <RowActions credential={row} open={open} />,
    },
  ];
}

function RowActions({ credential, open }: { credential: CredentialView; open: (what: Opened) => void }) {
  const t = useTexts(texts);
  const actions = useActions(credential);
  const { name } = credential;
  return (
    <Space size={4} wrap>
      <Button
        size="small"
        type="text"
        aria-label={t.testOf(name)}
        loading={actions.isTesting}
        onClick={actions.test}
      >
        {t.test}
      </Button>
      <Button size="small" type="text" aria-label={t.editOf(name)} onClick={() => open({ credential })}>
        {t.edit}
      </Button>
      <Button
        size="small"
        type="text"
        aria-label={t.removeOf(name)}
        loading={actions.isAsking}
        onClick={() => void actions.askRemove()}
      >
        {t.remove}
      </Button>
    </Space>
  );
}

function EnabledSwitch({ credential, disabled }: { credential: CredentialView; disabled: boolean }) {
  const t = useTexts(texts);
  const actions = useActions(credential);
  return (
    <Switch
      size="small"
      aria-label={t.switchOf(credential.name)}
      checked={credential.enabled}
      disabled={disabled}
      loading={actions.isTurning || actions.isAsking}
      onChange={(isOn) => void (isOn ? actions.enable() : actions.askDisable())}
    />
  );
}

function LastTest({ credential }: { credential: CredentialView }) {
  const t = useTexts(texts);
  const format = useFormat();
  const { test } = credential;
  if (!test) return <span className="quiet">{t.untested}</span>;
  return (
    <>
      <Tooltip title={test.ok ? undefined : test.message}>
        <Badge
          status={test.ok ? "success" : "error"}
          text={test.ok ? t.good(format.duration(test.latency_ms)) : t.bad}
        />
      </Tooltip>
      <div className="quiet">
        <Time at={test.at} />
      </div>
    </>
  );
}

/** Lists do not say it, so each row asks. */
function Dependents({ id }: { id: string }) {
  const t = useTexts(texts);
  const query = $api.useQuery("get", "/byok/{credential_id}", { params: { path: { credential_id: id } } });
  const users = query.data?.used_by;
  if (!users) return <span className="quiet">{query.isError ? "?" : "…"}</span>;
  if (users.length === 0) return <span className="quiet">{t.noDependents}</span>;
  return (
    <Tooltip title={users.map((each) => each.alias).join(", ")}>
      <Link to="/keys">{t.dependents(users.length)}</Link>
    </Tooltip>
  );
}
