/** Signing in, with a password or through the identity provider. */
import { Alert, Button, Card, Divider, Form, Input, Space } from "antd";
import { useEffect } from "react";
import { useNavigate, useSearchParams } from "react-router";
import { $api, PREFIX } from "@/api/client";
import { LanguageButton, ThemeButton } from "@/app/HeadTools";
import { useBeginSession } from "@/app/session";
import { useTexts } from "@/app/texts";
import { ErrorView } from "@/ui/ErrorView";
import { texts } from "./texts";

export default function SignIn() {
  const t = useTexts(texts);
  const navigate = useNavigate();
  const next = safeNext(useSearchParams()[0].get("next"));
  const begin = useBeginSession();
  const setup = $api.useQuery("get", "/setup", {});
  const signIn = $api.useMutation("post", "/session", {
    onSuccess: (session) => {
      begin(session);
      navigate(next, { replace: true });
    },
  });
  useEffect(() => {
    document.title = `${t.title}`;
  }, [t]);
  return (
    <main className="lone">
      <Card>
        <Space style={{ float: "inline-end" }} size={0}>
          <LanguageButton />
          <ThemeButton />
        </Space>
        <h1 style={{ fontSize: 20, margin: "0 0 16px" }}>{t.title}</h1>
        {setup.data?.needed ? (
          <Alert
            type="info"
            showIcon
            title={t.firstTitle}
            description={t.firstHint}
            style={{ marginBottom: 16 }}
          />
        ) : null}
        <Form
          layout="vertical"
          requiredMark={false}
          onFinish={(body: { username: string; password: string }) => signIn.mutate({ body })}
        >
          <Form.Item name="username" label={t.username} rules={[{ required: true, message: t.missing }]}>
            <Input autoComplete="username" autoFocus />
          </Form.Item>
          <Form.Item name="password" label={t.password} rules={[{ required: true, message: t.missing }]}>
            <Input.Password autoComplete="current-password" />
          </Form.Item>
          {signIn.error ? (
            <div style={{ marginBottom: 16 }}>
              <ErrorView error={signIn.error} />
            </div>
          ) : null}
          <Button type="primary" htmlType="submit" block loading={signIn.isPending}>
            {t.send}
          </Button>
        </Form>
        {setup.data?.single_sign_on ? (
          <>
            <Divider plain />
            <Button block href={`${PREFIX}/session/oidc?back=${encodeURIComponent(next)}`}>
              {t.sso}
            </Button>
          </>
        ) : null}
        <p className="quiet" style={{ marginBottom: 0 }}>
          {t.forgot}
        </p>
      </Card>
    </main>
  );
}

/** A path of this site, never another site's address. */
export function safeNext(next: string | null): string {
  return next !== null && /^\/(?![/\\])/.test(next) ? next : "/";
}
