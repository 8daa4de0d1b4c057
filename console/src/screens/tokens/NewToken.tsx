import { useQueryClient } from "@tanstack/react-query";
import { DatePicker, Form, Input, Modal, Select } from "antd";
import dayjs, { type Dayjs } from "dayjs";
import { $api } from "@/api/client";
import type { MadeToken, Role } from "@/api/schema";
import { useSession } from "@/app/session";
import { useTexts } from "@/app/texts";
import { ErrorView } from "@/ui/ErrorView";
import { texts } from "./texts";

interface Values {
  name: string;
  role: Role;
  expires_at: Dayjs | null;
}

/** From the least to the most. */
const ROLES: Role[] = ["MEMBER", "AI_GATEWAY_ADMIN", "PLATFORM_ADMIN"];

export function NewToken({ onClose, onMade }: { onClose: () => void; onMade: (token: MadeToken) => void }) {
  const t = useTexts(texts);
  const { role } = useSession();
  const client = useQueryClient();
  const [form] = Form.useForm<Values>();
  const make = $api.useMutation("post", "/tokens", {
    gcTime: 0,
    onSuccess: (token) => {
      void client.invalidateQueries({ queryKey: ["get", "/tokens"] });
      onMade(token);
    },
  });
  return (
    <Modal
      open
      title={t.create}
      okText={t.make}
      cancelText={t.cancel}
      confirmLoading={make.isPending}
      onOk={form.submit}
      onCancel={onClose}
    >
      <Form
        form={form}
        layout="vertical"
        requiredMark={false}
        initialValues={{ name: "", role, expires_at: dayjs().add(90, "day") }}
        onFinish={(values) =>
          make.mutate({
            body: {
              name: values.name.trim(),
              role: values.role,
              expires_at: values.expires_at?.toISOString() ?? null,
            },
          })
        }
      >
        <Form.Item
          name="name"
          label={t.name}
          extra={t.nameHint}
          rules={[{ required: true, whitespace: true, message: t.needed }]}
        >
          <Input maxLength={200} autoFocus autoComplete="off" />
        </Form.Item>
        <Form.Item name="role" label={t.role} extra={t.roleHint}>
          <Select
            options={ROLES.slice(0, ROLES.indexOf(role) + 1).map((each) => ({
              value: each,
              label: t.roles[each],
            }))}
          />
        </Form.Item>
        <Form.Item name="expires_at" label={t.expires} extra={t.expiresHint}>
          <DatePicker
            showTime
            style={{ width: "100%" }}
            disabledDate={(day) => day.isBefore(dayjs(), "day")}
          />
        </Form.Item>
      </Form>
      {make.error ? <ErrorView error={make.error} /> : null}
    </Modal>
  );
}
