/** What a task made: shown where the browser can, and a link in any case. */
import { ExportOutlined } from "@ant-design/icons";
import { Alert, Button } from "antd";
import { useState } from "react";
import type { TaskDetail, TaskFile } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { Time } from "@/ui/Time";
import { SolidFile } from "./SolidFile";
import { texts } from "./texts";

export function TaskResult({ task }: { task: TaskDetail }) {
  const t = useTexts(texts);
  if (task.state === "queued" || task.state === "running") return <p className="quiet">{t.filesWhenDone}</p>;
  if (task.state !== "succeeded") {
    return task.error ? (
      <Alert
        type="error"
        showIcon
        title={task.error.code || t.states.failed}
        description={task.error.message}
      />
    ) : (
      <p className="quiet">{t.filesGone}</p>
    );
  }
  const { files } = task;
  return (
    <>
      {files?.problem ? (
        <Alert
          type="warning"
          showIcon
          title={t.lastKnown}
          description={files.problem}
          style={{ marginBottom: 12 }}
        />
      ) : null}
      {files === null || files.data.length === 0 ? <p className="quiet">{t.noFiles}</p> : null}
      {files?.data.map((file, place) => (
        <ShownFile key={file.url} task={task.id} file={file} number={place + 1} />
      ))}
    </>
  );
}

function ShownFile({ task, file, number }: { task: string; file: TaskFile; number: number }) {
  const t = useTexts(texts);
  return (
    <div className="task-file">
      {file.expired ? (
        <Alert type="info" showIcon title={t.expired} />
      ) : file.kind === "3d" ? (
        <SolidFile file={file} task={task} number={number} />
      ) : (
        <Media file={file} number={number} />
      )}
      <div className="task-file-links">
        {file.expired ? null : (
          <Button href={file.url} target="_blank" rel="noreferrer" icon={<ExportOutlined />}>
            {t.download}
          </Button>
        )}
        <span className="quiet">
          {t.expires} <Time at={file.expires_at} />
        </span>
      </div>
    </div>
  );
}

function Media({ file, number }: { file: TaskFile; number: number }) {
  const t = useTexts(texts);
  const [hasFailed, setHasFailed] = useState(false);
  const fail = () => setHasFailed(true);
  if (hasFailed) return <Alert type="warning" showIcon title={t.mediaFailed} />;
  if (file.kind === "image") {
    return <img className="task-media" src={file.url} alt={t.imageLabel(number)} onError={fail} />;
  }
  return (
    // biome-ignore lint/a11y/useMediaCaption: what a model made has no captions
    <video
      className="task-media"
      src={file.url}
      controls
      preload="metadata"
      aria-label={t.videoLabel(number)}
      onError={fail}
    />
  );
}
