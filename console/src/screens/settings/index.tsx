/** The settings in force, to be read. */
import { Alert, Skeleton, Tag } from "antd";
import { $api } from "@/api/client";
import type { PlatformSettings } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { Facts } from "@/screens/platform/Facts";
import "@/screens/platform/platform.css";
import { ErrorView } from "@/ui/ErrorView";
import { PageHead } from "@/ui/PageHead";
import { Importer } from "./Importer";
import { Installation } from "./Installation";
import { texts } from "./texts";

const DOCS = "docs/reference/configuration.md";

export default function Settings() {
  const t = useTexts(texts);
  const asked = $api.useQuery("get", "/settings", {}, { refetchInterval: 30_000 });
  return (
    <>
      <PageHead
        title={t.title}
        about={
          <>
            {t.about} {t.docs} <code>{DOCS}</code>.
          </>
        }
        actions={asked.data ? <Tag>{`aimesh ${asked.data.version}`}</Tag> : undefined}
      />
      {asked.data ? (
        <Shown settings={asked.data} />
      ) : asked.error ? (
        <ErrorView error={asked.error} onRetry={() => void asked.refetch()} />
      ) : (
        <Skeleton active title={false} paragraph={{ rows: 16 }} />
      )}
    </>
  );
}

function Shown({ settings }: { settings: PlatformSettings }) {
  const t = useTexts(texts);
  return (
    <>
      {settings.catalog_problem ? (
        <Alert
          type="error"
          showIcon
          title={t.catalogProblem}
          description={settings.catalog_problem}
          style={{ marginBottom: 16 }}
        />
      ) : null}
      <div className="plat-columns">
        <Installation settings={settings} />
        <div>
          <Importer importer={settings.importer} />
          <Reached settings={settings} />
          <Kept retention={settings.retention} />
        </div>
      </div>
      <section className="plat-section">
        <h2>{t.sections}</h2>
        <div className="plat-columns">
          {Object.entries(settings.sections).map(([name, values]) => (
            <Section key={name} name={name} values={values} />
          ))}
        </div>
      </section>
    </>
  );
}

function Reached({ settings }: { settings: PlatformSettings }) {
  const t = useTexts(texts);
  const { proxy, no_proxy, ca_file } = settings.providers_reached;
  return (
    <section className="plat-section">
      <h2>{t.reached}</h2>
      <Facts
        facts={[
          { name: t.proxy, value: proxy || t.direct },
          { name: t.noProxy, value: no_proxy.join(", ") || t.none },
          { name: t.ca, value: ca_file || t.none },
        ]}
      />
    </section>
  );
}

function Kept({ retention }: { retention: PlatformSettings["retention"] }) {
  const t = useTexts(texts);
  return (
    <section className="plat-section">
      <h2>{t.retention}</h2>
      <Facts
        facts={[
          { name: t.calls, value: t.days(retention.calls) },
          { name: t.journal, value: t.days(retention.journal) },
          { name: t.minutes, value: t.days(retention.monitoring_minutes) },
          { name: t.hours, value: t.days(retention.monitoring_hours) },
        ]}
      />
      <p className="quiet" style={{ marginBottom: 0 }}>
        {t.forGood}
      </p>
    </section>
  );
}

function Section({ name, values }: { name: string; values: Record<string, unknown> }) {
  const t = useTexts(texts);
  const shown = (value: unknown) => {
    if (typeof value === "boolean") return value ? t.on : t.off;
    return typeof value === "object" ? JSON.stringify(value) : String(value);
  };
  return (
    <section>
      <h3 style={{ margin: "0 0 8px", fontSize: 14 }}>
        {t.section[name] ?? name} <code>{name}</code>
      </h3>
      <Facts
        facts={Object.entries(values).map(([key, value]) => ({
          name: key,
          value: <span className="mono">{shown(value)}</span>,
        }))}
      />
    </section>
  );
}
