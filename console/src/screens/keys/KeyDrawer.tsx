/** Makes a key (`open` is "new") or edits one (its id). */
import { Alert, Button, Drawer, Flex, Form, Grid, Skeleton } from "antd";
import { useState } from "react";
import { $api } from "@/api/client";
import { toProblem } from "@/api/problem";
import type { KeyView, KeyWithText } from "@/api/schema";
import { useMay } from "@/app/session";
import { useTexts } from "@/app/texts";
import { ErrorView } from "@/ui/ErrorView";
import { useSaying } from "@/ui/useSaying";
import { fieldFaults, keyField } from "./faults";
import { createBody, type KeyValues, NEW_KEY, patchBody, valuesOf } from "./form";
import { KeyFields } from "./KeyFields";
import { texts as list } from "./texts";
import { texts } from "./texts-form";
import { useKeysChanged } from "./useKeyChanges";

interface Props {
  open: string | null;
  onClose: () => void;
  onMade: (key: KeyWithText) => void;
}

export function KeyDrawer({ open, onClose, onMade }: Props) {
  const t = useTexts(texts);
  const isPhone = Grid.useBreakpoint().sm === false;
  return (
    <Drawer
      open={open !== null}
      size={isPhone ? "100%" : 560}
      destroyOnHidden
      title={open === "new" ? t.createTitle : t.editTitle}
      onClose={onClose}
    >
      {open === "new" ? <NewKey onClose={onClose} onMade={onMade} /> : null}
      {open !== null && open !== "new" ? <LoadedKey id={open} onClose={onClose} /> : null}
    </Drawer>
  );
}

function NewKey({ onClose, onMade }: Omit<Props, "open">) {
  const t = useTexts(texts);
  const changed = useKeysChanged();
  const [form] = Form.useForm<KeyValues>();
  const create = $api.useMutation("post", "/keys", {
    gcTime: 0,
    onSuccess: (key) => {
      void changed();
      onClose();
      onMade(key);
    },
    onError: (error) => form.setFields(fieldFaults(error, keyField)),
  });
  return (
    <Form
      form={form}
      layout="vertical"
      requiredMark={false}
      initialValues={NEW_KEY}
      onFinish={() => create.mutate({ body: createBody({ ...NEW_KEY, ...form.getFieldsValue(true) }) })}
    >
      <KeyFields isNew />
      {create.error ? <ErrorView error={create.error} /> : null}
      <Feet onClose={onClose} label={t.create} isPending={create.isPending} />
    </Form>
  );
}

/** The form keeps the version that it began with: what others change meanwhile is told at saving. */
function LoadedKey({ id, onClose }: { id: string; onClose: () => void }) {
  const query = $api.useQuery("get", "/keys/{key_id}", { params: { path: { key_id: id } } }, { gcTime: 0 });
  if (query.error) return <ErrorView error={query.error} onRetry={() => void query.refetch()} />;
  if (!query.data) return <Skeleton active paragraph={{ rows: 8 }} />;
  return <EditKey key={id} item={query.data} reload={query.refetch} onClose={onClose} />;
}

function EditKey({
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
  const [base, setBase] = useState(item);
  const [form] = Form.useForm<KeyValues>();
  const save = $api.useMutation("patch", "/keys/{key_id}", {
    onSuccess: (key) => {
      void changed();
      saying.done(t.saved(key.alias));
      onClose();
    },
    onError: (error) => form.setFields(fieldFaults(error, keyField)),
  });
  const send = () => {
    const body = patchBody(base, { ...valuesOf(base), ...form.getFieldsValue(true) });
    if (Object.keys(body).length === 0) {
      saying.done(t.unchanged);
      onClose();
      return;
    }
    save.mutate({
      params: { path: { key_id: base.id }, header: { "if-match": `"${base.version}"` } },
      body,
    });
  };
  const loadAgain = async () => {
    const { data } = await reload();
    if (data === undefined) return;
    save.reset();
    setBase(data);
    form.setFieldsValue(valuesOf(data));
  };
  return (
    <Form
      form={form}
      layout="vertical"
      requiredMark={false}
      disabled={isReadOnly}
      initialValues={valuesOf(base)}
      onFinish={send}
    >
      {item.source === "file" ? (
        <Alert type="info" showIcon title={reasons.ofFileHint} style={{ marginBottom: 16 }} />
      ) : null}
      <KeyFields isNew={false} />
      {save.error ? <SaveError error={save.error} onReload={() => void loadAgain()} /> : null}
      {isReadOnly ? null : <Feet onClose={onClose} label={t.save} isPending={save.isPending} />}
    </Form>
  );
}

/** A refused change; for one that came too late the way on is to load again. */
export function SaveError({ error, onReload }: { error: unknown; onReload: () => void }) {
  const t = useTexts(texts);
  if (toProblem(error).code !== "STALE") return <ErrorView error={error} />;
  return (
    <Alert
      type="warning"
      showIcon
      title={t.staleTitle}
      description={t.staleHint}
      action={<Button onClick={onReload}>{t.reload}</Button>}
    />
  );
}

function Feet({ onClose, label, isPending }: { onClose: () => void; label: string; isPending: boolean }) {
  const t = useTexts(texts);
  return (
    <Flex justify="end" gap={8} style={{ marginTop: 24 }}>
      <Button onClick={onClose}>{t.cancel}</Button>
      <Button type="primary" htmlType="submit" loading={isPending}>
        {label}
      </Button>
    </Flex>
  );
}
