/** The routing policy of one key. */
import { Alert, Button, Drawer, Flex, Grid, Skeleton } from "antd";
import { useState } from "react";
import { $api } from "@/api/client";
import type { KeyView } from "@/api/schema";
import { useMay } from "@/app/session";
import { useTexts } from "@/app/texts";
import { ErrorView } from "@/ui/ErrorView";
import { useSaying } from "@/ui/useSaying";
import { SaveError } from "./KeyDrawer";
import { RouteEditor } from "./parts/RouteEditor";
import { type Route, tidyRoute, wholeRoute } from "./parts/route";
import { texts as list } from "./texts";
import { texts } from "./texts-form";
import { useKeysChanged } from "./useKeyChanges";

export function RouteDrawer({ open, onClose }: { open: string | null; onClose: () => void }) {
  const t = useTexts(texts);
  const isPhone = Grid.useBreakpoint().sm === false;
  return (
    <Drawer
      open={open !== null}
      size={isPhone ? "100%" : 560}
      destroyOnHidden
      title={t.routeTitle}
      onClose={onClose}
    >
      {open === null ? null : <Loaded key={open} id={open} onClose={onClose} />}
    </Drawer>
  );
}

function Loaded({ id, onClose }: { id: string; onClose: () => void }) {
  const query = $api.useQuery("get", "/keys/{key_id}", { params: { path: { key_id: id } } }, { gcTime: 0 });
  if (query.error) return <ErrorView error={query.error} onRetry={() => void query.refetch()} />;
  if (!query.data) return <Skeleton active paragraph={{ rows: 8 }} />;
  return <EditRoute item={query.data} reload={query.refetch} onClose={onClose} />;
}

function EditRoute({
  item,
  reload,
  onClose,
}: {
  item: KeyView;
  reload: () => Promise<{ data?: KeyView }>;
  onClose: () => void;
}) {
  const t = useTexts(texts);
  const reasons = useTexts(list);
  const saying = useSaying();
  const changed = useKeysChanged();
  const isReadOnly = !useMay()("keys.write") || item.source === "file";
  const [version, setVersion] = useState(item.version);
  const [route, setRoute] = useState<Route>(() => wholeRoute(item.route));
  const save = $api.useMutation("put", "/keys/{key_id}/route", {
    onSuccess: () => {
      void changed();
      saying.done(t.saved(item.alias));
      onClose();
    },
  });
  const loadAgain = async () => {
    const { data } = await reload();
    if (data === undefined) return;
    save.reset();
    setVersion(data.version);
    setRoute(wholeRoute(data.route));
  };
  return (
    <Flex vertical gap={16}>
      <strong>{item.alias}</strong>
      {item.source === "file" ? <Alert type="info" showIcon title={reasons.ofFileHint} /> : null}
      {item.warnings.length > 0 ? (
        <Alert type="warning" showIcon title={reasons.warnings} description={item.warnings.join("; ")} />
      ) : null}
      <RouteEditor value={route} onChange={setRoute} disabled={isReadOnly} />
      {save.error ? <SaveError error={save.error} onReload={() => void loadAgain()} /> : null}
      {isReadOnly ? null : (
        <Flex justify="end" gap={8}>
          <Button onClick={onClose}>{t.cancel}</Button>
          <Button
            type="primary"
            loading={save.isPending}
            disabled={route.mode === "provider" && route.providers.length === 0}
            onClick={() =>
              save.mutate({
                params: { path: { key_id: item.id }, header: { "if-match": `"${version}"` } },
                body: tidyRoute(route),
              })
            }
          >
            {t.save}
          </Button>
        </Flex>
      )}
    </Flex>
  );
}
