/** Which of one's own active keys calls from the page use. Only the id is remembered. */
import { PlusOutlined } from "@ant-design/icons";
import { Alert, Button, Select, Skeleton, Space } from "antd";
import { useEffect } from "react";
import { $api } from "@/api/client";
import { useMay } from "@/app/session";
import { useTexts } from "@/app/texts";
import { ErrorView } from "@/ui/ErrorView";
import { texts } from "./texts";
import { useMakeKey } from "./useMakeKey";

const NAME = "aimesh.key";

export interface KeyChoiceProps {
  /** Id of the key; empty: none is chosen yet. */
  value: string;
  /** Is also called once to choose the remembered or the newest key. */
  onChange: (keyId: string) => void;
  /** What a key made here is named after. */
  purpose?: string;
}

export function KeyChoice({ value, onChange, purpose = "playground" }: KeyChoiceProps) {
  const t = useTexts(texts);
  const may = useMay();
  const query = $api.useQuery("get", "/keys", {
    params: { query: { operator: "me", status: "active", limit: 200 } },
  });
  const choose = (keyId: string) => {
    remember(keyId);
    onChange(keyId);
  };
  const { make, isMaking, error } = useMakeKey((key) => choose(key.id));
  const keys = query.data?.data;
  const isKnown = keys?.some((key) => key.id === value) ?? true;
  const fallback = keys?.find((key) => key.id === remembered()) ?? keys?.[0];
  useEffect(() => {
    if (fallback && (value === "" || !isKnown)) onChange(fallback.id);
  }, [fallback, value, isKnown, onChange]);
  if (query.error) return <ErrorView error={query.error} onRetry={() => void query.refetch()} />;
  if (keys === undefined) return <Skeleton.Input active block />;
  if (error) return <ErrorView error={error} onRetry={() => make(purpose)} />;
  const button = (isFirst: boolean) =>
    may("keys.write") ? (
      <Button
        type={isFirst ? "primary" : "default"}
        icon={<PlusOutlined />}
        loading={isMaking}
        onClick={() => make(purpose)}
        {...(isFirst ? {} : { "aria-label": t.make, title: t.make })}
      >
        {isFirst ? t.makeFirst : null}
      </Button>
    ) : null;
  if (keys.length === 0) {
    return (
      <Alert
        type="info"
        showIcon
        title={t.noKeys}
        description={may("keys.write") ? undefined : t.notAllowed}
        action={button(true)}
      />
    );
  }
  return (
    <Space.Compact block>
      <Select
        aria-label={t.key}
        placeholder={t.chooseKey}
        value={isKnown && value !== "" ? value : null}
        showSearch={{ optionFilterProp: "label" }}
        style={{ flex: 1, minWidth: 0 }}
        options={keys.map((key) => ({ value: key.id, label: `${key.alias} (${key.key})` }))}
        onChange={choose}
      />
      {button(false)}
    </Space.Compact>
  );
}

function remembered(): string | null {
  try {
    return localStorage.getItem(NAME);
  } catch {
    return null;
  }
}

function remember(keyId: string): void {
  try {
    localStorage.setItem(NAME, keyId);
  } catch {
    // A browser without storage: the newest key is chosen next time.
  }
}
