import { Button, Grid, Skeleton, Table, type TableColumnsType, Tooltip } from "antd";
import type { ReactNode } from "react";
import type { KeyView, KeyWithText } from "@/api/schema";
import { useMay } from "@/app/session";
import { type Texts, useTexts } from "@/app/texts";
import { Dot } from "@/ui/Dot";
import { useFormat } from "@/ui/useFormat";
import type { UrlState } from "@/ui/useUrlState";
import { KeyActions } from "./KeyActions";
import { KeyText } from "./KeyText";
import { QuotaBars } from "./parts/QuotaBars";
import { RouteShort } from "./parts/RouteSteps";
import { texts } from "./texts";

type Words = typeof texts extends Texts<infer T> ? T : never;

interface Props {
  /** Undefined: they are being loaded. */
  keys: KeyView[] | undefined;
  /** What is shown is the page before, while the next one loads. */
  isStale: boolean;
  chosen: KeyView[];
  onChoose: (keys: KeyView[]) => void;
  onMade: (key: KeyWithText, isRotated?: boolean) => void;
  open: UrlState[1];
  empty: ReactNode;
}

export function KeyTable({ keys, isStale, chosen, onChoose, onMade, open, empty }: Props) {
  const t = useTexts(texts);
  const mayChange = useMay()("keys.write");
  const isWide = Grid.useBreakpoint().md ?? true;
  if (keys === undefined) return <Skeleton active paragraph={{ rows: 8 }} />;
  const actions = (key: KeyView) => (
    <KeyActions
      item={key}
      isWide={isWide}
      open={open}
      onMade={(made, isRotated) => onMade(made, isRotated)}
    />
  );
  return (
    <Table<KeyView>
      rowKey="id"
      size="middle"
      pagination={false}
      loading={isStale}
      dataSource={keys}
      scroll={{ x: isWide ? 1000 : 560 }}
      locale={{ emptyText: empty }}
      columns={isWide ? wideColumns(t, (key) => open({ route: key.id }), actions) : narrowColumns(t, actions)}
      rowSelection={
        mayChange
          ? {
              selectedRowKeys: chosen.map((key) => key.id),
              preserveSelectedRowKeys: true,
              columnTitle: (checkbox) => <ChooseAll>{checkbox}</ChooseAll>,
              onChange: (_, rows) => onChoose(rows),
              getCheckboxProps: (key) => ({
                disabled: key.source === "file",
                "aria-label": key.alias,
                title: key.source === "file" ? t.ofFileHint : undefined,
              }),
            }
          : undefined
      }
    />
  );
}

/** Ant Design repeats the head in a hidden row that measures widths; nobody should come upon its checkbox there. */
function ChooseAll({ children }: { children: ReactNode }) {
  const settle = (place: HTMLSpanElement | null) => {
    if (place) place.inert = place.closest("[aria-hidden]") !== null;
  };
  return <span ref={settle}>{children}</span>;
}

function wideColumns(
  t: Words,
  openRoute: (key: KeyView) => void,
  actions: (key: KeyView) => ReactNode,
): TableColumnsType<KeyView> {
  return [
    { title: t.name, key: "name", width: 164, render: (_, key) => <Name item={key} /> },
    {
      title: t.key,
      key: "text",
      width: 164,
      render: (_, key) => <KeyText item={key} />,
    },
    { title: t.status, key: "status", width: 88, render: (_, key) => <Status item={key} /> },
    { title: t.quota, key: "quota", width: 148, render: (_, key) => <QuotaBars limits={key.limits} /> },
    {
      title: t.route,
      key: "route",
      width: 136,
      render: (_, key) => <RouteCell item={key} onOpen={() => openRoute(key)} />,
    },
    { title: t.owner, key: "owner", width: 80, render: (_, key) => <Owner item={key} /> },
    { title: t.created, key: "created", width: 100, render: (_, key) => <Created item={key} /> },
    { title: t.actions, key: "actions", width: 98, fixed: "end", render: (_, key) => actions(key) },
  ];
}

function narrowColumns(t: Words, actions: (key: KeyView) => ReactNode): TableColumnsType<KeyView> {
  return [
    {
      title: t.name,
      key: "name",
      render: (_, key) => (
        <>
          <Name item={key} />
          <KeyText item={key} />
        </>
      ),
    },
    { title: t.status, key: "status", width: 96, render: (_, key) => <Status item={key} /> },
    { title: t.quota, key: "quota", width: 170, render: (_, key) => <QuotaBars limits={key.limits} /> },
    { title: t.actions, key: "actions", width: 68, fixed: "end", render: (_, key) => actions(key) },
  ];
}

function Name({ item }: { item: KeyView }) {
  const t = useTexts(texts);
  const bounds = [
    item.models.length > 0 ? t.restricted(item.models.length) : "",
    item.networks.length > 0 ? t.networks(item.networks.length) : "",
  ].filter(Boolean);
  return (
    <div>
      <strong>{item.alias}</strong>
      {item.source === "file" ? (
        <Tooltip title={t.ofFileHint}>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: its tooltip says why */}
          <span className="tag" tabIndex={0} style={{ marginInlineStart: 6 }}>
            {t.ofFile}
          </span>
        </Tooltip>
      ) : null}
      {bounds.length > 0 ? <div className="quiet">{bounds.join(" · ")}</div> : null}
      {Object.entries(item.labels).map(([name, value]) => (
        <span className="tag" key={name}>
          {name}={value}
        </span>
      ))}
    </div>
  );
}

const COLORS = { active: "success", disabled: "default", expired: "warning" } as const;

function Status({ item }: { item: KeyView }) {
  const t = useTexts(texts);
  const format = useFormat();
  const time = (at: string) => format.time(at).slice(0, 16);
  return (
    <>
      <Dot color={COLORS[item.status]}>{t.statuses[item.status]}</Dot>
      {item.expires_at ? (
        <div className="quiet">
          {item.status === "expired" ? t.expired(time(item.expires_at)) : t.expires(time(item.expires_at))}
        </div>
      ) : null}
      {item.old_text_until ? <div className="quiet">{t.oldText(time(item.old_text_until))}</div> : null}
    </>
  );
}

function RouteCell({ item, onOpen }: { item: KeyView; onOpen: () => void }) {
  const t = useTexts(texts);
  return (
    <>
      <Button
        type="link"
        size="small"
        onClick={onOpen}
        style={{ padding: 0, height: "auto", whiteSpace: "normal", textAlign: "start" }}
      >
        <RouteShort route={item.route} />
      </Button>
      {item.warnings.map((warning) => (
        <div key={warning}>
          <span className="warn">
            {t.warnings}: {warning}
          </span>
        </div>
      ))}
    </>
  );
}

function Owner({ item }: { item: KeyView }) {
  const t = useTexts(texts);
  if (item.owner === null) return <span className="quiet">{t.nobody}</span>;
  return item.owner.username ?? <span className="quiet">{t.removedPerson}</span>;
}

function Created({ item }: { item: KeyView }) {
  const format = useFormat();
  if (!item.created_at) return <span className="quiet">-</span>;
  return (
    <time dateTime={item.created_at} className="number" title={format.time(item.created_at)}>
      {format.day(item.created_at)}
    </time>
  );
}
