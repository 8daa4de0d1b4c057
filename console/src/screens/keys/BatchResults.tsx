import { CheckCircleOutlined, CloseCircleOutlined } from "@ant-design/icons";
import { Button, Modal, Typography } from "antd";
import type { BatchAnswer } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { texts } from "./texts-form";

/** What became of each key; those that failed stand first. */
export function BatchResults({
  answer,
  names,
  onClose,
}: {
  answer: BatchAnswer;
  names: Map<string, string>;
  onClose: () => void;
}) {
  const t = useTexts(texts);
  const rows = [...answer.data].sort((one, other) => Number(one.ok) - Number(other.ok));
  return (
    <Modal
      open
      title={t.result}
      onCancel={onClose}
      footer={
        <Button type="primary" onClick={onClose}>
          {t.close}
        </Button>
      }
    >
      <p>
        {t.doneCount(answer.done)}
        {answer.failed > 0 ? ` · ${t.failedCount(answer.failed)}` : null}
      </p>
      <ul
        aria-label={t.result}
        style={{ listStyle: "none", margin: 0, padding: 0, maxHeight: 360, overflow: "auto" }}
      >
        {rows.map((row) => (
          <li key={row.id}>
            <Typography.Text type={row.ok ? "success" : "danger"}>
              {row.ok ? <CheckCircleOutlined /> : <CloseCircleOutlined />}
            </Typography.Text>{" "}
            {names.get(row.id) ?? row.id}: {row.error ? `${row.error.message} (${row.error.code})` : t.done}
          </li>
        ))}
      </ul>
    </Modal>
  );
}
