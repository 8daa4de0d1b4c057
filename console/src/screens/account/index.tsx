/** Who is signed in, what they may do, their password, and what this browser shows. */
import { CheckOutlined } from "@ant-design/icons";
import { Button, Card, Descriptions, Flex, Segmented } from "antd";
import { useState } from "react";
import { prefer, type Theme, useLanguage, useTheme } from "@/app/preferences";
import { useSession, useSignOut } from "@/app/session";
import { type Language, useTexts } from "@/app/texts";
import { texts as shell } from "@/app/texts-shell";
import { PageHead } from "@/ui/PageHead";
import { Time } from "@/ui/Time";
import { RoleName, roleTexts } from "../members/roles";
import { PasswordForm } from "./PasswordForm";
import { texts } from "./texts";

export default function Account() {
  const t = useTexts(texts);
  return (
    <>
      <PageHead title={t.title} about={t.about} />
      <Flex vertical gap={16} style={{ maxWidth: 760 }}>
        <You />
        <Permissions />
        <Card title={t.password}>
          <PasswordForm />
        </Card>
        <Appearance />
        <CurrentSession />
      </Flex>
    </>
  );
}

function You() {
  const t = useTexts(texts);
  const words = useTexts(roleTexts);
  const { user, name, tenant, role } = useSession();
  const none = <span className="quiet">-</span>;
  return (
    <Card title={t.you}>
      <Descriptions
        column={1}
        size="small"
        items={[
          { key: "username", label: t.username, children: user?.username ?? name },
          { key: "display", label: t.displayName, children: user?.display_name || none },
          { key: "email", label: t.email, children: user?.email || none },
          { key: "tenant", label: t.tenant, children: tenant.name },
          {
            key: "role",
            label: t.role,
            children: (
              <div>
                <RoleName role={role} />
                <div className="quiet">{words[role]}</div>
              </div>
            ),
          },
        ]}
      />
    </Card>
  );
}

function Permissions() {
  const t = useTexts(texts);
  const { permissions, role } = useSession();
  const shown = permissions.filter((each) => each in t.permissions);
  return (
    <Card title={t.may}>
      <ul
        aria-label={t.may}
        style={{
          listStyle: "none",
          margin: 0,
          padding: 0,
          display: "grid",
          gridTemplateColumns: "repeat(auto-fill, minmax(280px, 1fr))",
          gap: "4px 16px",
        }}
      >
        {shown.map((each) => (
          <li key={each}>
            <CheckOutlined aria-hidden /> {t.permissions[each]}
          </li>
        ))}
      </ul>
      {role === "MEMBER" ? (
        <p className="quiet" style={{ marginBottom: 0 }}>
          {t.mayMember}
        </p>
      ) : null}
    </Card>
  );
}

function Appearance() {
  const t = useTexts(texts);
  const s = useTexts(shell);
  const language = useLanguage();
  const theme = useTheme();
  return (
    <Card title={t.look} extra={<span className="quiet">{t.lookHint}</span>}>
      <Flex gap={24} wrap>
        <div>
          <div style={{ marginBottom: 6 }}>{t.language}</div>
          <Segmented<Language>
            aria-label={t.language}
            value={language}
            options={[
              { value: "zh", label: "简体中文" },
              { value: "en", label: "English" },
            ]}
            onChange={(next) => prefer({ language: next })}
          />
        </div>
        <div>
          <div style={{ marginBottom: 6 }}>{t.theme}</div>
          <Segmented<Theme>
            aria-label={t.theme}
            value={theme}
            options={[
              { value: "light", label: s.light },
              { value: "dark", label: s.dark },
              { value: "system", label: s.system },
            ]}
            onChange={(next) => prefer({ theme: next })}
          />
        </div>
      </Flex>
    </Card>
  );
}

function CurrentSession() {
  const t = useTexts(texts);
  const session = useSession();
  const signOut = useSignOut();
  const [isLeaving, setIsLeaving] = useState(false);
  return (
    <Card title={t.session}>
      <Flex gap={16} align="center" justify="space-between" wrap>
        <span>
          {t.ends} <Time at={session.expires_at} />
        </span>
        <Button
          loading={isLeaving}
          onClick={() => {
            setIsLeaving(true);
            // Where it works the page is left, and nobody is signed in to draw it for.
            void signOut().catch(() => setIsLeaving(false));
          }}
        >
          {t.signOut}
        </Button>
      </Flex>
    </Card>
  );
}
