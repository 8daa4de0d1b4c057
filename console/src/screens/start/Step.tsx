import { CheckCircleFilled } from "@ant-design/icons";
import { Card, Space, theme } from "antd";
import type { ReactNode } from "react";
import { useTexts } from "@/app/texts";
import { texts } from "./texts";

/** One of the steps, with its number, or a mark once it is done. */
export function Step(props: { number: number; title: string; isDone: boolean; children: ReactNode }) {
  const t = useTexts(texts);
  const { token } = theme.useToken();
  return (
    <Card
      title={
        <Space>
          {props.isDone ? (
            <CheckCircleFilled style={{ color: token.colorSuccess, fontSize: 20 }} aria-label={t.done} />
          ) : (
            <span aria-hidden style={{ color: token.colorTextSecondary }}>
              {props.number}
            </span>
          )}
          <h2 style={{ fontSize: 16, margin: 0 }}>{props.title}</h2>
        </Space>
      }
    >
      {props.children}
    </Card>
  );
}
