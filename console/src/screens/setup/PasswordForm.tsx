import { Button, Form, Input, Progress } from "antd";
import { useNavigate } from "react-router";
import { $api } from "@/api/client";
import type { SessionAnswer } from "@/api/schema";
import { useBeginSession } from "@/app/session";
import { useTexts } from "@/app/texts";
import { ErrorView } from "@/ui/ErrorView";
import { FEWEST_CHARACTERS, type OneTimeLink, strengthOf } from "./link";
import { texts } from "./texts";

interface Fields {
  username?: string;
  password: string;
  again: string;
}

export function PasswordForm({ link }: { link: OneTimeLink }) {
  const t = useTexts(texts);
  const [form] = Form.useForm<Fields>();
  const password = Form.useWatch("password", form) ?? "";
  const { save, error, isSaving } = useSave(link);
  const isFirst = link.kind === "setup";
  return (
    <Form
      form={form}
      layout="vertical"
      requiredMark={false}
      initialValues={{ username: "admin" }}
      onFinish={save}
    >
      {isFirst ? (
        <Form.Item
          name="username"
          label={t.username}
          rules={[
            { required: true, message: t.missing },
            { pattern: /^[\w.@+-]+$/, message: t.usernameRule },
          ]}
        >
          <Input autoComplete="username" maxLength={100} />
        </Form.Item>
      ) : null}
      <Form.Item
        name="password"
        label={t.password}
        dependencies={["username"]}
        extra={<Strength password={password} />}
        validateTrigger="onBlur"
        rules={[
          { required: true, message: t.missing },
          { min: FEWEST_CHARACTERS, message: t.tooShort },
          ({ getFieldValue }) => ({
            validator: async (_, value?: string) => {
              if (value && isFirst && value === getFieldValue("username")) throw new Error(t.isUsername);
            },
          }),
        ]}
      >
        <Input.Password autoComplete="new-password" maxLength={256} autoFocus />
      </Form.Item>
      <Form.Item
        name="again"
        label={t.again}
        dependencies={["password"]}
        validateTrigger="onBlur"
        rules={[
          { required: true, message: t.missing },
          ({ getFieldValue }) => ({
            validator: async (_, value?: string) => {
              if (value && value !== getFieldValue("password")) throw new Error(t.differ);
            },
          }),
        ]}
      >
        <Input.Password autoComplete="new-password" maxLength={256} />
      </Form.Item>
      {error ? (
        <div style={{ marginBottom: 16 }}>
          <ErrorView error={error} />
        </div>
      ) : null}
      <Button type="primary" htmlType="submit" block loading={isSaving}>
        {t.send}
      </Button>
    </Form>
  );
}

/** Where one goes on: the first administrator to the first call, everybody else to the beginning. */
function useSave(link: OneTimeLink) {
  const navigate = useNavigate();
  const begin = useBeginSession();
  const goOn = (path: string) => ({
    onSuccess: (session: SessionAnswer) => {
      begin(session);
      navigate(path, { replace: true });
    },
  });
  const first = $api.useMutation("post", "/setup", goOn("/start"));
  const other = $api.useMutation("post", "/password-links/{token}", goOn("/"));
  return {
    save: ({ username, password }: Fields) => {
      const { token } = link;
      if (link.kind === "link") other.mutate({ params: { path: { token } }, body: { password } });
      else first.mutate({ body: { token, username: username ?? "", password, display_name: "", email: "" } });
    },
    error: first.error ?? other.error,
    isSaving: first.isPending || other.isPending,
  };
}

const COLOURS = ["#b91c1c", "#b45309", "#15803d", "#15803d"];

function Strength({ password }: { password: string }) {
  const t = useTexts(texts);
  const strength = strengthOf(password);
  const words = password === "" ? t.tooShort : t.strength[strength];
  return (
    <div style={{ display: "flex", alignItems: "center", gap: 8, marginTop: 4 }} aria-live="polite">
      <Progress
        aria-label={t.strengthLabel}
        percent={password === "" ? 0 : (strength + 1) * 25}
        steps={4}
        showInfo={false}
        size="small"
        strokeColor={COLOURS[strength]}
      />
      <span>{words}</span>
    </div>
  );
}
