import type { PlatformSettings } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { Facts } from "@/screens/platform/Facts";
import { texts } from "./texts";

export function Installation({ settings }: { settings: PlatformSettings }) {
  const t = useTexts(texts);
  const { file, database, single_sign_on: sso } = settings;
  const mono = (text: string) => <span className="mono">{text}</span>;
  const where = [database.host, database.port].filter(Boolean).join(":");
  const facts = [
    { name: t.version, value: `aimesh ${settings.version} · Python ${settings.python}` },
    { name: t.home, value: mono(settings.home) },
    { name: t.file, value: file.path ? mono(file.path) : t.noFile },
    {
      name: t.fromFile,
      value: t.fromFileWords(file.virtual_keys, file.credentials, file.providers, file.models),
    },
    { name: t.environment, value: file.environment_credentials },
    { name: t.listen, value: mono(settings.listen.join(", ")) },
    {
      name: t.adminListen,
      value: settings.admin_listen.length > 0 ? mono(settings.admin_listen.join(", ")) : t.sameListener,
    },
    { name: t.proxies, value: settings.trusted_proxies.join(", ") || t.none },
    {
      name: t.regions,
      value: settings.regions.map((region) => (
        <div key={region.id}>
          {region.name || region.id}: {mono(region.base_url)}
        </div>
      )),
    },
    { name: t.workers, value: settings.workers || t.onePerCore },
    { name: t.timezone, value: settings.timezone },
    { name: t.simulator, value: settings.simulator ? t.simulatorOn(settings.simulator) : t.off },
    { name: t.vault, value: settings.vault ? t.vaultOpen : t.vaultClosed },
    { name: t.sso, value: sso ? `${sso.issuer} (${sso.client_id})` : t.off },
    {
      name: t.database,
      value: (
        <>
          {database.kind} {mono([where, database.name].filter(Boolean).join("/"))}
          {database.user ? ` (${database.user})` : null}
        </>
      ),
    },
  ];
  return (
    <section className="plat-section">
      <h2>{t.installation}</h2>
      <Facts facts={facts} />
    </section>
  );
}
