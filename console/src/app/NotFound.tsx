import { Button, Result } from "antd";
import { Link } from "react-router";
import { useTexts } from "./texts";
import { texts } from "./texts-shell";

export default function NotFound({ isForbidden = false }: { isForbidden?: boolean }) {
  const t = useTexts(texts);
  return (
    <Result
      status={isForbidden ? "403" : "404"}
      title={isForbidden ? t.notAllowed : t.notFound}
      subTitle={isForbidden ? t.notAllowedHint : t.notFoundHint}
      extra={
        <Link to="/keys">
          <Button type="primary">{t.home}</Button>
        </Link>
      }
    />
  );
}
