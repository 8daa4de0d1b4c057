import { Button, Result, Typography } from "antd";
import { useTexts } from "./texts";
import { texts } from "./texts-shell";

/** A screen that threw, or whose code is not there any more because a new version was installed. */
export default function Failed({ error }: { error: unknown }) {
  const t = useTexts(texts);
  const message = error instanceof Error ? error.message : String(error);
  const isOutdated = /dynamically imported module|Importing a module/i.test(message);
  return (
    <Result
      status="500"
      title={isOutdated ? t.outdated : t.failed}
      subTitle={isOutdated ? undefined : t.failedHint}
      extra={
        <Button type="primary" onClick={() => window.location.reload()}>
          {t.reload}
        </Button>
      }
    >
      {isOutdated ? null : <Typography.Text code>{message}</Typography.Text>}
    </Result>
  );
}
