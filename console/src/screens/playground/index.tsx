/** Calls of models from the page: chat, pictures, films, 3D, vectors. */
import { Alert, Skeleton, Tabs } from "antd";
import { type ComponentType, lazy, Suspense } from "react";
import { $api } from "@/api/client";
import type { Kind } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { KeyChoice } from "@/gateway/KeyChoice";
import { useSimulator } from "@/gateway/useSimulator";
import { ErrorView } from "@/ui/ErrorView";
import { PageHead } from "@/ui/PageHead";
import "./playground.css";
import { TABS, usePlace } from "./place";
import { texts } from "./texts";
import type { WorkProps } from "./work";

const WORK: Record<Kind, ComponentType<WorkProps>> = {
  chat: lazy(() => import("./chat/ChatWork")),
  image: lazy(() => import("./media/ImageWork")),
  video: lazy(() => import("./media/FilmWork")),
  "3d": lazy(() => import("./media/SolidWork")),
  embedding: lazy(() => import("./vectors/VectorWork")),
};

export default function Playground() {
  const t = useTexts(texts);
  const isSimulated = useSimulator();
  const { place, setTab, setModels, setKey } = usePlace();
  const [first = ""] = place.models;
  // A link from the plaza names a model only: its kind says where it belongs.
  const isAsked = place.tab === null && first !== "";
  const asked = $api.useQuery(
    "get",
    "/models/{name}",
    { params: { path: { name: first } } },
    { enabled: isAsked },
  );
  const tab = place.tab ?? TABS.find((each) => each === asked.data?.kind) ?? "chat";
  const Work = WORK[tab];
  return (
    <>
      <PageHead
        title={t.title}
        about={t.about}
        actions={
          <div className="playground-key">
            <KeyChoice value={place.keyId} onChange={setKey} />
          </div>
        }
      />
      {isSimulated ? <Alert type="info" showIcon title={t.simulated} style={{ marginBottom: 12 }} /> : null}
      <Tabs
        activeKey={tab}
        onChange={(key) => setTab(TABS.find((each) => each === key) ?? "chat")}
        items={TABS.map((key) => ({ key, label: t.tabs[key] }))}
      />
      {asked.error ? <ErrorView error={asked.error} onRetry={() => void asked.refetch()} /> : null}
      {isAsked && asked.isLoading ? (
        <Skeleton active />
      ) : (
        <Suspense fallback={<Skeleton active />}>
          <Work key={tab} names={place.models} onNames={setModels} keyId={place.keyId} />
        </Suspense>
      )}
    </>
  );
}
