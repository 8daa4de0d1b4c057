import { DownloadOutlined, ReloadOutlined } from "@ant-design/icons";
import { useIsFetching, useQueryClient } from "@tanstack/react-query";
import { Button, Dropdown, Space } from "antd";
import { useState } from "react";
import { useTexts } from "@/app/texts";
import { useSaying } from "@/ui/useSaying";
import { download, type ExportView, exportAddress, type FileFormat, VIEWS } from "./exporting";
import type { UsageState } from "./state";
import { texts } from "./texts";

const isUsage = (query: { queryKey: readonly unknown[] }) => String(query.queryKey[1]).startsWith("/usage");

export function HeadActions({ state }: { state: UsageState }) {
  const t = useTexts(texts);
  const client = useQueryClient();
  const isFetching = useIsFetching({ predicate: isUsage }) > 0;
  return (
    <Space>
      <Button
        icon={<ReloadOutlined />}
        loading={isFetching}
        onClick={() => void client.invalidateQueries({ predicate: isUsage })}
      >
        {t.refresh}
      </Button>
      <ExportButton state={state} />
    </Space>
  );
}

function ExportButton({ state }: { state: UsageState }) {
  const t = useTexts(texts);
  const saying = useSaying();
  const [isAsking, setIsAsking] = useState(false);
  const take = async (view: ExportView, format: FileFormat) => {
    setIsAsking(true);
    try {
      await download(exportAddress(state, view, format));
    } catch (error) {
      saying.failed(error);
    } finally {
      setIsAsking(false);
    }
  };
  const views = VIEWS.filter((view) => view !== "calls" || state.tab !== "calls");
  const items = (["csv", "xlsx"] as const).map((format) => ({
    key: format,
    type: "group" as const,
    label: format.toUpperCase(),
    children: views.map((view) => ({
      key: `${view}.${format}`,
      label: t.exportAs[view],
      onClick: () => void take(view, format),
    })),
  }));
  return (
    <Dropdown menu={{ items }} trigger={["click"]}>
      <Button icon={<DownloadOutlined />} loading={isAsking}>
        {t.export}
      </Button>
    </Dropdown>
  );
}
