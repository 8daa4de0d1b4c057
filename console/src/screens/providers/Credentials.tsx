/** The platform's credentials at one provider. */
import { PlusOutlined } from "@ant-design/icons";
import { Button, Space } from "antd";
import { useState } from "react";
import { $api } from "@/api/client";
import type { CredentialView } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { Loaded } from "@/screens/platform/Loaded";
import { WideTable } from "@/screens/platform/WideTable";
import { Empty } from "@/ui/Empty";
import { CredentialForm } from "./CredentialForm";
import { texts } from "./texts";
import { useCredentialColumns } from "./useCredentialColumns";

export function Credentials({ provider }: { provider: string }) {
  const t = useTexts(texts).keep;
  const asked = $api.useQuery("get", "/credentials", { params: { query: { provider, limit: 200 } } });
  /** Null: a new one. */
  const [edited, setEdited] = useState<CredentialView | null | undefined>(undefined);
  const columns = useCredentialColumns(setEdited);
  const add = (
    <Button type="primary" icon={<PlusOutlined />} onClick={() => setEdited(null)}>
      {t.add}
    </Button>
  );
  return (
    <Space orientation="vertical" size="middle" style={{ width: "100%" }}>
      <span className="quiet">{t.about}</span>
      <Loaded asked={asked} rows={3}>
        {({ data }) =>
          data.length === 0 ? (
            <Empty title={t.empty} hint={t.emptyHint} action={add} />
          ) : (
            <>
              <WideTable<CredentialView>
                rowKey="id"
                size="small"
                columns={columns}
                dataSource={data}
                pagination={false}
                scroll={{ x: 640 }}
                style={{ marginBottom: 12 }}
              />
              {add}
            </>
          )
        }
      </Loaded>
      {edited === undefined ? null : (
        <CredentialForm provider={provider} credential={edited} onClose={() => setEdited(undefined)} />
      )}
    </Space>
  );
}
