import { MoreOutlined } from "@ant-design/icons";
import {
  Badge,
  Button,
  Dropdown,
  type MenuProps,
  Skeleton,
  Table,
  type TableColumnsType,
  Tag,
  Tooltip,
} from "antd";
import type { Member } from "@/api/schema";
import { useSession } from "@/app/session";
import { useTexts } from "@/app/texts";
import { Empty } from "@/ui/Empty";
import { Time } from "@/ui/Time";
import { useFormat } from "@/ui/useFormat";
import { RoleName, rolesBelow, roleTexts } from "./roles";
import { texts } from "./texts";
import { useMemberActions } from "./useMemberActions";

interface Props {
  members: Member[] | undefined;
  edit: (member: Member) => void;
  makeLink: (member: Member) => Promise<void>;
  onClear: () => void;
}

export function MemberTable({ members, edit, makeLink, onClear }: Props) {
  const t = useTexts(texts);
  const words = useTexts(roleTexts);
  if (members === undefined) return <Skeleton active paragraph={{ rows: 8 }} title={false} />;
  const columns: TableColumnsType<Member> = [
    { title: t.name, key: "name", render: (_, row) => <Person member={row} /> },
    {
      title: t.role,
      dataIndex: "role",
      width: 190,
      render: (role: Member["role"]) => (
        <Tooltip title={words[role]}>
          <span>
            <RoleName role={role} />
          </span>
        </Tooltip>
      ),
    },
    { title: t.state, key: "state", width: 170, render: (_, row) => <Access member={row} /> },
    {
      title: t.lastSignIn,
      dataIndex: "last_login_at",
      width: 180,
      render: (at: string | null) => (at ? <Time at={at} /> : <span className="quiet">{t.never}</span>),
    },
    { title: t.updated, dataIndex: "updated_at", width: 180, render: (at: string) => <Time at={at} /> },
    {
      title: t.actions,
      key: "actions",
      width: 90,
      render: (_, row) => <Actions member={row} edit={edit} makeLink={makeLink} />,
    },
  ];
  return (
    <Table
      rowKey="id"
      columns={columns}
      dataSource={members}
      pagination={false}
      scroll={{ x: 980 }}
      locale={{
        emptyText: (
          <Empty title={t.none} hint={t.noneHint} action={<Button onClick={onClear}>{t.clear}</Button>} />
        ),
      }}
    />
  );
}

function Person({ member }: { member: Member }) {
  const t = useTexts(texts);
  const session = useSession();
  return (
    <>
      <div>
        <strong>{member.username}</strong>{" "}
        {member.id === session.user?.id ? <span className="quiet">({t.you})</span> : null}
        {member.single_sign_on ? (
          <Tooltip title={t.ssoHint}>
            <Tag>{t.sso}</Tag>
          </Tooltip>
        ) : null}
      </div>
      <div className="quiet">{[member.display_name, member.email].filter(Boolean).join(" · ")}</div>
    </>
  );
}

function Access({ member }: { member: Member }) {
  const t = useTexts(texts);
  const format = useFormat();
  if (!member.enabled) return <Badge status="default" text={t.disabled} />;
  if (member.locked_until && new Date(member.locked_until) > new Date()) {
    return (
      <Tooltip title={t.locked(format.time(member.locked_until))}>
        <Badge status="error" text={t.lockedShort} />
      </Tooltip>
    );
  }
  if (!member.has_password && !member.single_sign_on) return <Badge status="warning" text={t.invited} />;
  return <Badge status="success" text={t.enabled} />;
}

/** Only what this person may do to that one: nothing to higher roles; to oneself, no loss of access. */
function Actions({ member, edit, makeLink }: Omit<Props, "members" | "onClear"> & { member: Member }) {
  const t = useTexts(texts);
  const session = useSession();
  const actions = useMemberActions(member, makeLink);
  if (!rolesBelow(session.role).includes(member.role)) return null;
  const items: MenuProps["items"] = [
    { key: "edit", label: t.edit, onClick: () => edit(member) },
    { key: "link", label: t.link, onClick: actions.askLink },
  ];
  if (member.id !== session.user?.id) {
    items.push(
      { type: "divider" },
      member.enabled
        ? { key: "disable", label: t.disable, onClick: actions.askDisable }
        : { key: "enable", label: t.enable, onClick: () => void actions.enable() },
      { key: "remove", label: t.remove, danger: true, onClick: actions.askRemove },
    );
  }
  return (
    <Dropdown menu={{ items }} trigger={["click"]} placement="bottomRight">
      <Button
        type="text"
        icon={<MoreOutlined />}
        aria-label={t.actionsOf(member.username)}
        loading={actions.isBusy}
      />
    </Dropdown>
  );
}
