/** One thing done to all chosen keys; afterwards stands beside each what became of it. */
import { Button, Flex, Modal, theme } from "antd";
import { useState } from "react";
import { Link } from "react-router";
import { $api } from "@/api/client";
import type { BatchAnswer, KeyBatch, KeyView } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { ErrorView } from "@/ui/ErrorView";
import { LabelsForm, LimitsForm, RouteForm } from "./BatchForms";
import { BatchResults } from "./BatchResults";
import { texts } from "./texts-form";
import { useKeysChanged } from "./useKeyChanges";

type Action = KeyBatch["action"];
type What = Omit<KeyBatch, "ids" | "filter">;

const ACTIONS: Action[] = ["enable", "disable", "set_labels", "set_limits", "set_route", "delete"];

export function BatchBar({ chosen, onForget }: { chosen: KeyView[]; onForget: () => void }) {
  const t = useTexts(texts);
  const { token } = theme.useToken();
  const changed = useKeysChanged();
  const [asked, setAsked] = useState<Action | null>(null);
  const [result, setResult] = useState<{ answer: BatchAnswer; names: Map<string, string> } | null>(null);
  const batch = $api.useMutation("post", "/keys/batch", {
    onSuccess: (answer) => {
      setResult({ answer, names: new Map(chosen.map((key) => [key.id, key.alias])) });
      setAsked(null);
      void changed();
    },
  });
  const send = (what: What) => batch.mutate({ body: { ...what, ids: chosen.map((key) => key.id) } });
  const choose = (action: Action) => {
    batch.reset();
    if (action === "enable") send({ action });
    setAsked(action);
  };
  const labels: Record<Action, string> = {
    enable: t.enable,
    disable: t.disable,
    set_labels: t.setLabels,
    set_limits: t.setLimits,
    set_route: t.setRoute,
    delete: t.remove,
  };
  return (
    <>
      <Flex
        role="toolbar"
        aria-label={t.chosen(chosen.length)}
        wrap
        gap={8}
        align="center"
        style={{
          marginBottom: 12,
          padding: "8px 12px",
          borderRadius: token.borderRadius,
          background: token.colorPrimaryBg,
        }}
      >
        <strong>{t.chosen(chosen.length)}</strong>
        {ACTIONS.map((action) => (
          <Button
            key={action}
            size="small"
            danger={action === "delete"}
            loading={batch.isPending && asked === action}
            onClick={() => choose(action)}
          >
            {labels[action]}
          </Button>
        ))}
        <Button size="small" type="link" onClick={onForget}>
          {t.forget}
        </Button>
      </Flex>
      {asked === "enable" && batch.error ? <ErrorView error={batch.error} /> : null}
      {asked !== null && asked !== "enable" ? (
        <Asked
          action={asked}
          count={chosen.length}
          isPending={batch.isPending}
          error={batch.error}
          send={send}
          onClose={() => setAsked(null)}
        />
      ) : null}
      {result ? (
        <BatchResults
          {...result}
          onClose={() => {
            setResult(null);
            onForget();
          }}
        />
      ) : null}
    </>
  );
}

export interface AskedProps {
  count: number;
  isPending: boolean;
  error: unknown;
  send: (what: What) => void;
  onClose: () => void;
}

function Asked({ action, ...rest }: AskedProps & { action: Action }) {
  if (action === "set_labels") return <LabelsForm {...rest} />;
  if (action === "set_limits") return <LimitsForm {...rest} />;
  if (action === "set_route") return <RouteForm {...rest} />;
  return <Confirm action={action === "delete" ? "delete" : "disable"} {...rest} />;
}

function Confirm({
  action,
  count,
  isPending,
  error,
  send,
  onClose,
}: AskedProps & { action: "disable" | "delete" }) {
  const t = useTexts(texts);
  const isRemoval = action === "delete";
  return (
    <Modal
      open
      title={isRemoval ? t.removeMany(count) : t.disableMany(count)}
      okText={isRemoval ? t.remove : t.disable}
      okButtonProps={{ danger: true }}
      cancelText={t.cancel}
      confirmLoading={isPending}
      onOk={() => send({ action })}
      onCancel={onClose}
    >
      <p>
        {isRemoval ? t.removeManyHint : t.disableManyHint}{" "}
        {isRemoval ? <Link to="/usage">{t.toUsage}</Link> : null}
      </p>
      {error ? <ErrorView error={error} /> : null}
    </Modal>
  );
}
