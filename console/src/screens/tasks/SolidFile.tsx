/**
 * A 3D file. Its bytes are read only when somebody wants to see it, and come through the admin API: a provider's store
 * does not let pages of others read them. Where that fails, a file that was downloaded is opened from the disk.
 */
import { Alert, Button, Skeleton, Space, Upload } from "antd";
import { lazy, Suspense, useState } from "react";
import { addressOf } from "@/api/client";
import type { TaskFile } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { formatOf } from "./solid";
import { texts } from "./texts";

const SolidViewer = lazy(() => import("./SolidViewer"));

type Step = { is: "begin" | "loading" | "blocked" } | { is: "shown"; bytes: ArrayBuffer };

interface Props {
  file: TaskFile;
  /** The task's id in the admin API, and which of its files this is, from 1. */
  task: string;
  number: number;
}

export function SolidFile({ file, task, number }: Props) {
  const t = useTexts(texts);
  const [step, setStep] = useState<Step>({ is: "begin" });
  if (formatOf(file.url) === "other") return <Alert type="info" showIcon title={t.not3d} />;
  const load = async () => {
    setStep({ is: "loading" });
    try {
      const answer = await fetch(addressOf(`/tasks/${encodeURIComponent(task)}/files/${number}`, {}));
      if (!answer.ok) throw new Error(String(answer.status));
      setStep({ is: "shown", bytes: await answer.arrayBuffer() });
    } catch {
      setStep({ is: "blocked" });
    }
  };
  if (step.is === "shown") {
    return (
      <Suspense fallback={<Skeleton.Node active style={{ width: "100%", height: 340 }} />}>
        <SolidViewer bytes={step.bytes} />
      </Suspense>
    );
  }
  if (step.is === "blocked") {
    return (
      <Alert
        type="info"
        showIcon
        title={t.blocked3d}
        description={<FromDisk onRead={(bytes) => setStep({ is: "shown", bytes })} />}
      />
    );
  }
  return (
    <Space>
      <Button type="primary" loading={step.is === "loading"} onClick={() => void load()}>
        {step.is === "loading" ? t.loading3d : t.show3d}
      </Button>
    </Space>
  );
}

function FromDisk({ onRead }: { onRead: (bytes: ArrayBuffer) => void }) {
  const t = useTexts(texts);
  return (
    <Upload
      accept=".glb,.gltf"
      showUploadList={false}
      beforeUpload={(file) => {
        void file.arrayBuffer().then(onRead);
        return false;
      }}
    >
      <Button>{t.openFile}</Button>
    </Upload>
  );
}
