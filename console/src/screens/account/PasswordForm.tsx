import { useQueryClient } from "@tanstack/react-query";
import { Button, Form, Input } from "antd";
import { $api, setCsrfToken } from "@/api/client";
import { useSession } from "@/app/session";
import { useTexts } from "@/app/texts";
import { useSaying } from "@/ui/useSaying";
import { Refusal } from "../members/Refusal";
import { texts } from "./texts";

interface Fields {
  current: string;
  next: string;
  again: string;
}

const FEWEST_CHARACTERS = 10;
const SESSION = $api.queryOptions("get", "/session", {}).queryKey;

export function PasswordForm() {
  const t = useTexts(texts);
  const { user } = useSession();
  const say = useSaying();
  const client = useQueryClient();
  const [form] = Form.useForm<Fields>();
  const change = $api.useMutation("put", "/session/password", {
    onSuccess: (session) => {
      // The answer is a session of its own; the one before has ended.
      setCsrfToken(session.csrf_token);
      client.setQueryData(SESSION, session);
      form.resetFields();
      say.done(t.changed);
    },
    // The passwords are not kept in memory for longer than they are needed.
    gcTime: 0,
  });
  if (user === null) return <p className="quiet">{t.noPassword}</p>;
  return (
    <Form
      form={form}
      layout="vertical"
      requiredMark={false}
      style={{ maxWidth: 400 }}
      onFinish={({ current, next }) =>
        change.mutate({ body: { current_password: current, new_password: next } })
      }
    >
      <p className="quiet" style={{ marginTop: 0 }}>
        {t.passwordHint}
      </p>
      <input type="text" autoComplete="username" value={user.username} readOnly hidden />
      <Form.Item name="current" label={t.current} rules={[{ required: true, message: t.missing }]}>
        <Input.Password autoComplete="current-password" maxLength={1024} />
      </Form.Item>
      <Form.Item
        name="next"
        label={t.next}
        extra={t.nextHint}
        validateTrigger="onBlur"
        rules={[
          { required: true, message: t.missing },
          { min: FEWEST_CHARACTERS, message: t.tooShort },
        ]}
      >
        <Input.Password autoComplete="new-password" maxLength={256} />
      </Form.Item>
      <Form.Item
        name="again"
        label={t.again}
        dependencies={["next"]}
        validateTrigger="onBlur"
        rules={[
          { required: true, message: t.missing },
          ({ getFieldValue }) => ({
            validator: async (_, value?: string) => {
              if (value && value !== getFieldValue("next")) throw new Error(t.differ);
            },
          }),
        ]}
      >
        <Input.Password autoComplete="new-password" maxLength={256} />
      </Form.Item>
      {change.error ? (
        <div style={{ marginBottom: 16 }}>
          <Refusal error={change.error} words={t.refusals} />
        </div>
      ) : null}
      <Button type="primary" htmlType="submit" loading={change.isPending}>
        {t.change}
      </Button>
    </Form>
  );
}
