/** Saves a tenant; a status that stops calls is asked for first. */
import { useQueryClient } from "@tanstack/react-query";
import { App } from "antd";
import { $api } from "@/api/client";
import type { TenantAnswer, TenantStatus } from "@/api/schema";
import { useSession } from "@/app/session";
import { useTexts } from "@/app/texts";
import { useSaying } from "@/ui/useSaying";
import { type Route, tidyRoute, wholeRoute } from "../keys/parts";
import { type LimitsFields, limitsOf } from "./limits";
import { texts } from "./texts";

export interface Fields {
  id: string;
  name: string;
  status: TenantStatus;
  limits: LimitsFields;
  default_route: Route;
  default_limits: LimitsFields;
}

export function useSave(tenant: TenantAnswer | null, onClose: () => void) {
  const t = useTexts(texts);
  const say = useSaying();
  const client = useQueryClient();
  const session = useSession();
  const { modal } = App.useApp();
  const done = (words: string) => {
    say.done(words);
    onClose();
    return client.invalidateQueries({ queryKey: ["get", "/tenants"] });
  };
  const add = $api.useMutation("post", "/tenants", { onSuccess: (made) => done(t.added(made.name)) });
  const change = $api.useMutation("patch", "/tenants/{tenant_id}", {
    onSuccess: (saved) => done(t.saved(saved.name)),
  });
  const send = ({ id, ...fields }: Fields) => {
    const body = {
      name: fields.name.trim(),
      status: fields.status,
      limits: limitsOf(fields.limits),
      default_route: tidyRoute(wholeRoute(fields.default_route)),
      default_limits: limitsOf(fields.default_limits),
    };
    if (tenant === null) {
      add.mutate({ body: { id, ...body } });
      return;
    }
    const header = { "if-match": `"${tenant.version}"` };
    change.mutate({ params: { path: { tenant_id: tenant.id }, header }, body });
  };
  return {
    save: (fields: Fields) => {
      const { status } = fields;
      if (tenant === null || status === "active" || status === tenant.status) {
        send(fields);
        return;
      }
      const isOwn = status === "disabled" && tenant.id === session.tenant.id;
      modal.confirm({
        title: t.ask.title(tenant.name, t.statuses[status]),
        content: isOwn ? `${t.statusHints[status]} ${t.ask.own}` : t.statusHints[status],
        okText: t.ask.yes(t.statuses[status]),
        okButtonProps: { danger: true },
        cancelText: t.cancel,
        onOk: () => send(fields),
      });
    },
    error: add.error ?? change.error,
    isSaving: add.isPending || change.isPending,
  };
}
