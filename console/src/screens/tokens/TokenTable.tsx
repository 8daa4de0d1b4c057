import { DeleteOutlined } from "@ant-design/icons";
import { useQueryClient } from "@tanstack/react-query";
import { App, Button, Skeleton, Table, Typography } from "antd";
import type { ReactNode } from "react";
import { $api } from "@/api/client";
import type { TokenAnswer } from "@/api/schema";
import { useMay } from "@/app/session";
import { useTexts } from "@/app/texts";
import { Time } from "@/ui/Time";
import { useSaying } from "@/ui/useSaying";
import { texts } from "./texts";

export function TokenTable({ tokens, empty }: { tokens: TokenAnswer[] | undefined; empty: ReactNode }) {
  const t = useTexts(texts);
  const mayRemove = useMay()("tokens.write");
  if (tokens === undefined) return <Skeleton active paragraph={{ rows: 6 }} />;
  return (
    <Table<TokenAnswer>
      rowKey="id"
      size="middle"
      pagination={false}
      dataSource={tokens}
      scroll={{ x: 900 }}
      locale={{ emptyText: empty }}
      columns={[
        {
          title: t.name,
          key: "name",
          render: (_, token) => <Typography.Text strong>{token.name}</Typography.Text>,
        },
        {
          title: t.token,
          key: "token",
          width: 130,
          render: (_, token) => <span className="mono">{token.masked}</span>,
        },
        { title: t.role, key: "role", width: 170, render: (_, token) => t.roles[token.role] },
        {
          title: t.lastUsed,
          key: "used",
          width: 160,
          render: (_, token) =>
            token.last_used_at ? (
              <Time at={token.last_used_at} />
            ) : (
              <span className="quiet">{t.notUsed}</span>
            ),
        },
        { title: t.expires, key: "expires", width: 160, render: (_, token) => <Expiry token={token} /> },
        { title: t.maker, key: "maker", width: 120, render: (_, token) => <Maker token={token} /> },
        {
          title: t.actions,
          key: "actions",
          width: 80,
          fixed: "end",
          render: (_, token) => (mayRemove ? <Remove token={token} /> : null),
        },
      ]}
    />
  );
}

function Expiry({ token }: { token: TokenAnswer }) {
  const t = useTexts(texts);
  if (!token.expires_at) return <span className="quiet">{t.never}</span>;
  const isOver = Date.parse(token.expires_at) <= Date.now();
  return (
    <>
      <Time at={token.expires_at} />
      {isOver ? <Typography.Text type="warning"> {t.expired}</Typography.Text> : null}
    </>
  );
}

function Maker({ token }: { token: TokenAnswer }) {
  const t = useTexts(texts);
  if (token.user === null) return <span className="quiet">{t.operator}</span>;
  return token.user.username ?? <span className="quiet">{t.removedPerson}</span>;
}

function Remove({ token }: { token: TokenAnswer }) {
  const t = useTexts(texts);
  const { modal } = App.useApp();
  const saying = useSaying();
  const client = useQueryClient();
  const remove = $api.useMutation("delete", "/tokens/{token_id}");
  const work = async () => {
    try {
      await remove.mutateAsync({ params: { path: { token_id: token.id } } });
      saying.done(t.removedDone(token.name));
    } catch (error) {
      saying.failed(error);
    }
    await client.invalidateQueries({ queryKey: ["get", "/tokens"] });
  };
  return (
    <Button
      type="text"
      danger
      icon={<DeleteOutlined />}
      aria-label={t.removeOne(token.name)}
      title={t.remove}
      loading={remove.isPending}
      onClick={() =>
        void modal.confirm({
          title: t.removeTitle(token.name),
          content: t.removeHint,
          okText: t.remove,
          okButtonProps: { danger: true },
          cancelText: t.cancel,
          focusable: { autoFocusButton: "cancel" },
          onOk: work,
        })
      }
    />
  );
}
