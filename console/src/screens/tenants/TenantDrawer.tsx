/** Adds a tenant, or changes one: name and status, limits, and what new API keys get. */
import { Button, Drawer, Form, Input, InputNumber, Radio, Space, Typography } from "antd";
import type { TenantAnswer, TenantStatus } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { DEFAULT_ROUTE, QuotaEditor, RouteEditor } from "../keys/parts";
import { Refusal } from "../members/Refusal";
import { fieldsOf } from "./limits";
import { texts } from "./texts";
import { type Fields, useSave } from "./useSave";

const NO_LIMITS = { quotas: [] };

interface Props {
  /** Null: a new one. */
  tenant: TenantAnswer | null;
  onClose: () => void;
}

export function TenantDrawer({ tenant, onClose }: Props) {
  const t = useTexts(texts);
  const [form] = Form.useForm<Fields>();
  const { save, error, isSaving } = useSave(tenant, onClose);
  return (
    <Drawer
      open
      size={640}
      title={tenant ? t.editOf(tenant.name) : t.addTitle}
      onClose={onClose}
      footer={
        <Space style={{ width: "100%", justifyContent: "flex-end" }}>
          <Button onClick={onClose}>{t.cancel}</Button>
          <Button type="primary" loading={isSaving} onClick={() => form.submit()}>
            {t.save}
          </Button>
        </Space>
      }
    >
      <Form
        form={form}
        layout="vertical"
        requiredMark={false}
        initialValues={{
          id: tenant?.id,
          name: tenant?.name,
          status: tenant?.status ?? "active",
          limits: fieldsOf(tenant?.limits ?? NO_LIMITS),
          default_limits: fieldsOf(tenant?.default_limits ?? NO_LIMITS),
          default_route: tenant?.default_route ?? DEFAULT_ROUTE,
        }}
        onFinish={() => save(form.getFieldsValue(true))}
      >
        <General tenant={tenant} />
        <Typography.Title level={5}>{t.limits}</Typography.Title>
        <p className="quiet">{t.limitsHint}</p>
        <LimitFields name="limits" />
        <Typography.Title level={5}>{t.defaults}</Typography.Title>
        <p className="quiet">{t.defaultsHint}</p>
        <Form.Item name="default_route" label={t.defaultRoute}>
          <RouteEditor />
        </Form.Item>
        <div style={{ marginBottom: 8 }}>{t.defaultLimits}</div>
        <LimitFields name="default_limits" />
        {error ? <Refusal error={error} words={t.refusals} /> : null}
      </Form>
    </Drawer>
  );
}

const STATUSES: TenantStatus[] = ["active", "overdue", "disabled"];

function General({ tenant }: { tenant: TenantAnswer | null }) {
  const t = useTexts(texts);
  return (
    <>
      {tenant === null ? (
        <Form.Item
          name="id"
          label={t.id}
          extra={t.idHint}
          validateTrigger="onBlur"
          rules={[
            { required: true, message: t.missing },
            { pattern: /^[a-z0-9][a-z0-9_-]*$/, message: t.idHint },
          ]}
        >
          <Input maxLength={63} autoComplete="off" className="mono" />
        </Form.Item>
      ) : null}
      <Form.Item
        name="name"
        label={t.name}
        rules={[{ required: true, whitespace: true, message: t.missing }]}
      >
        <Input maxLength={200} autoComplete="off" />
      </Form.Item>
      <Form.Item name="status" label={t.status}>
        <Radio.Group aria-label={t.status}>
          <Space orientation="vertical">
            {STATUSES.map((status) => (
              <Radio key={status} value={status} style={{ alignItems: "flex-start" }}>
                {t.statuses[status]}
                <div className="quiet">{t.statusHints[status]}</div>
              </Radio>
            ))}
          </Space>
        </Radio.Group>
      </Form.Item>
    </>
  );
}

function LimitFields({ name }: { name: "limits" | "default_limits" }) {
  const t = useTexts(texts);
  return (
    <>
      <Form.Item name={[name, "quotas"]}>
        <QuotaEditor />
      </Form.Item>
      <Space wrap>
        {(["rpm", "tpm", "concurrency"] as const).map((rate) => (
          <Form.Item key={rate} name={[name, rate]} label={t[rate]}>
            <InputNumber min={1} precision={0} placeholder={t.unlimited} style={{ width: 180 }} />
          </Form.Item>
        ))}
      </Space>
    </>
  );
}
