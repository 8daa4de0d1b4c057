/** The first administrator, or a new password: both by a one-time link. */
import { Card, Result, Space } from "antd";
import { useEffect, useState } from "react";
import { Link, useLocation, useNavigate } from "react-router";
import { LanguageButton, ThemeButton } from "@/app/HeadTools";
import { useTexts } from "@/app/texts";
import { readLink } from "./link";
import { PasswordForm } from "./PasswordForm";
import { texts } from "./texts";

export default function Setup() {
  const t = useTexts(texts);
  const { pathname, hash } = useLocation();
  const navigate = useNavigate();
  const [link, setLink] = useState(() => readLink(hash));
  // The token leaves the address, and the history, as soon as it is read.
  useEffect(() => {
    if (hash === "") return;
    const found = readLink(hash);
    if (found) setLink(found);
    navigate(pathname, { replace: true });
  }, [hash, pathname, navigate]);
  const title = link?.kind === "setup" ? t.firstTitle : t.linkTitle;
  useEffect(() => {
    document.title = `${title} - aimesh`;
  }, [title]);
  return (
    <main className="lone">
      <Card>
        <Space style={{ float: "inline-end" }} size={0}>
          <LanguageButton />
          <ThemeButton />
        </Space>
        {link ? (
          <>
            <h1 style={{ fontSize: 20, margin: "0 0 8px" }}>{title}</h1>
            <p className="quiet" style={{ marginTop: 0 }}>
              {link.kind === "setup" ? t.firstHint : t.linkHint}
            </p>
            <PasswordForm key={link.token} link={link} />
          </>
        ) : (
          <Result
            status="info"
            title={<h1 style={{ fontSize: 20, margin: 0 }}>{t.noLink}</h1>}
            subTitle={t.noLinkHint}
            extra={<Link to="/sign-in">{t.toSignIn}</Link>}
          />
        )}
      </Card>
    </main>
  );
}
