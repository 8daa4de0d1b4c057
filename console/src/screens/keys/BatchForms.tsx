/** What many keys get at once: labels, limits, a route. */
import { Form, Modal } from "antd";
import { type ReactNode, useState } from "react";
import { useTexts } from "@/app/texts";
import { ErrorView } from "@/ui/ErrorView";
import type { AskedProps } from "./BatchBar";
import { type LimitValues, labelsOf, limitsOf, NO_LIMITS } from "./form";
import { LabelsField } from "./KeyFields";
import { LimitFields, UsualQuota } from "./LimitFields";
import { RouteEditor } from "./parts/RouteEditor";
import { DEFAULT_ROUTE, tidyRoute } from "./parts/route";
import { texts } from "./texts-form";

export function LabelsForm({ send, ...rest }: AskedProps) {
  const t = useTexts(texts);
  const [form] = Form.useForm<{ labels: string[] }>();
  return (
    <Dialog {...rest} title={t.labelsMany(rest.count)} onOk={form.submit}>
      <p>{t.labelsManyHint}</p>
      <Form
        form={form}
        layout="vertical"
        initialValues={{ labels: [] }}
        onFinish={({ labels }) => send({ action: "set_labels", labels: labelsOf(labels) })}
      >
        <LabelsField />
      </Form>
    </Dialog>
  );
}

export function LimitsForm({ send, ...rest }: AskedProps) {
  const t = useTexts(texts);
  const [form] = Form.useForm<LimitValues>();
  return (
    <Dialog {...rest} title={t.limitsMany(rest.count)} onOk={form.submit}>
      <p>{t.limitsManyHint}</p>
      <Form
        form={form}
        layout="vertical"
        initialValues={NO_LIMITS}
        onFinish={() =>
          send({ action: "set_limits", limits: limitsOf({ ...NO_LIMITS, ...form.getFieldsValue(true) }) })
        }
      >
        <UsualQuota hint={t.tokensHint} />
        <LimitFields />
      </Form>
    </Dialog>
  );
}

export function RouteForm({ send, ...rest }: AskedProps) {
  const t = useTexts(texts);
  const [route, setRoute] = useState(DEFAULT_ROUTE);
  const isEmpty = route.mode === "provider" && route.providers.length === 0;
  return (
    <Dialog
      {...rest}
      title={t.routeMany(rest.count)}
      isEmpty={isEmpty}
      onOk={() => send({ action: "set_route", route: tidyRoute(route) })}
    >
      <RouteEditor value={route} onChange={setRoute} />
    </Dialog>
  );
}

function Dialog({
  title,
  isPending,
  isEmpty = false,
  error,
  onOk,
  onClose,
  children,
}: Omit<AskedProps, "send"> & { title: string; isEmpty?: boolean; onOk: () => void; children: ReactNode }) {
  const t = useTexts(texts);
  return (
    <Modal
      open
      width={600}
      title={title}
      okText={t.apply}
      okButtonProps={{ disabled: isEmpty }}
      cancelText={t.cancel}
      confirmLoading={isPending}
      onOk={onOk}
      onCancel={onClose}
    >
      {children}
      {error ? <ErrorView error={error} /> : null}
    </Modal>
  );
}
