/** Discounts of one tenant. */
import { MoreOutlined, PlusOutlined } from "@ant-design/icons";
import { keepPreviousData } from "@tanstack/react-query";
import { Badge, Button, Dropdown, Space, type TableColumnsType } from "antd";
import { useState } from "react";
import { $api } from "@/api/client";
import type { DiscountAnswer } from "@/api/schema";
import { useSession } from "@/app/session";
import { useTexts } from "@/app/texts";
import { Loaded } from "@/screens/platform/Loaded";
import { platformTexts } from "@/screens/platform/texts";
import { useConfirm } from "@/screens/platform/useConfirm";
import { useRefresh } from "@/screens/platform/useRefresh";
import { WideTable } from "@/screens/platform/WideTable";
import { Empty } from "@/ui/Empty";
import { Pager, useCursors } from "@/ui/Pager";
import { Time } from "@/ui/Time";
import { useFormat } from "@/ui/useFormat";
import { DiscountForm } from "./DiscountForm";
import { phaseOf, shareOff } from "./discount";
import { TenantSelect } from "./TenantSelect";
import { texts } from "./texts";

interface Props {
  tenant: string | undefined;
  onTenant: (tenant: string) => void;
}

export function Discounts({ tenant, onTenant }: Props) {
  const all = useTexts(texts);
  const t = all.discount;
  const own = useSession().tenant.id;
  const shown = tenant ?? own;
  const pages = useCursors([shown]);
  const asked = $api.useQuery(
    "get",
    "/discounts",
    { params: { query: { tenant: shown, limit: 50, cursor: pages.cursor } } },
    { placeholderData: keepPreviousData },
  );
  /** Null: a new one. */
  const [edited, setEdited] = useState<DiscountAnswer | null | undefined>(undefined);
  const columns = useDiscountColumns(setEdited);
  const add = (
    <Button type="primary" icon={<PlusOutlined />} onClick={() => setEdited(null)}>
      {t.add}
    </Button>
  );
  return (
    <>
      <div className="filters">
        <TenantSelect label={all.tenant} value={shown} onChange={(next) => onTenant(next ?? own)} />
        {add}
      </div>
      <Loaded asked={asked} rows={4}>
        {(found) => (
          <>
            <WideTable<DiscountAnswer>
              rowKey="id"
              columns={columns}
              dataSource={found.data}
              pagination={false}
              scroll={{ x: 860 }}
              locale={{ emptyText: <Empty title={t.none} hint={t.noneHint} /> }}
            />
            <Pager pages={pages} next={found.next_cursor} total={found.total} />
          </>
        )}
      </Loaded>
      {edited === undefined ? null : (
        <DiscountForm tenant={shown} discount={edited} onClose={() => setEdited(undefined)} />
      )}
    </>
  );
}

const PHASES = { later: "processing", holds: "success", over: "default" } as const;

function useDiscountColumns(onChange: (one: DiscountAnswer) => void): TableColumnsType<DiscountAnswer> {
  const t = useTexts(texts).discount;
  const common = useTexts(platformTexts);
  const format = useFormat();
  const words = (factor: string) => {
    const off = shareOff(factor);
    if (off === 0) return t.listPrice;
    return off > 0 ? t.off(format.percent(off)) : t.on(format.percent(-off));
  };
  return [
    {
      title: t.scope,
      render: (_, one) => (
        <>
          {t.scopes[one.scope]}
          {one.name ? <div className="mono quiet">{one.name}</div> : null}
        </>
      ),
    },
    {
      title: t.factor,
      width: 170,
      render: (_, one) => (
        <span className="number">
          {one.factor} <span className="quiet">· {words(one.factor)}</span>
        </span>
      ),
    },
    {
      title: common.status,
      width: 110,
      render: (_, one) => {
        const phase = phaseOf(one, new Date());
        return <Badge status={PHASES[phase]} text={t[phase]} />;
      },
    },
    { title: t.since, width: 180, render: (_, one) => <Time at={one.since} /> },
    {
      title: t.until,
      width: 180,
      render: (_, one) => (one.until ? <Time at={one.until} /> : <span className="quiet">{t.forGood}</span>),
    },
    {
      title: common.more,
      width: 90,
      render: (_, one) => <Actions discount={one} onChange={() => onChange(one)} />,
    },
  ];
}

function Actions({ discount, onChange }: { discount: DiscountAnswer; onChange: () => void }) {
  const t = useTexts(texts).discount;
  const common = useTexts(platformTexts);
  const confirm = useConfirm();
  const refresh = useRefresh("/discounts");
  const remove = $api.useMutation("delete", "/discounts/{discount_id}");
  const params = { path: { discount_id: discount.id }, query: { tenant: discount.tenant } };
  const ask = () =>
    confirm({
      title: t.deleteTitle,
      content: t.delete,
      ok: common.remove,
      isDanger: true,
      run: () => remove.mutateAsync({ params }).then(refresh),
      done: t.deleted,
    });
  return (
    <Space>
      <Dropdown
        trigger={["click"]}
        menu={{
          items: [
            { key: "change", label: common.change, onClick: onChange },
            { key: "delete", label: common.remove, danger: true, onClick: ask },
          ],
        }}
      >
        <Button
          size="small"
          type="text"
          icon={<MoreOutlined />}
          aria-label={t.actionsOf(discount.name || t.scopes[discount.scope])}
        />
      </Dropdown>
    </Space>
  );
}
