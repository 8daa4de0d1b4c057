/** A form in a drawer, with what the server refused above its buttons. */
import { Button, Drawer, Space } from "antd";
import type { ReactNode } from "react";
import { useTexts } from "@/app/texts";
import { ErrorView } from "@/ui/ErrorView";
import { platformTexts } from "./texts";

export function FormDrawer({
  title,
  isOpen,
  isBusy,
  error,
  saveWord,
  onSave,
  onClose,
  children,
  width = 560,
  others,
}: {
  title: ReactNode;
  isOpen: boolean;
  isBusy: boolean;
  error: unknown;
  saveWord?: string;
  onSave: () => void;
  onClose: () => void;
  children: ReactNode;
  width?: number;
  /** Buttons before those that save and cancel. */
  others?: ReactNode;
}) {
  const t = useTexts(platformTexts);
  return (
    <Drawer
      title={title}
      open={isOpen}
      onClose={onClose}
      size={`min(${width}px, 100vw)`}
      destroyOnHidden
      footer={
        <Space wrap style={{ width: "100%", justifyContent: "flex-end" }}>
          {others}
          <Button onClick={onClose}>{t.cancel}</Button>
          <Button type="primary" loading={isBusy} onClick={onSave}>
            {saveWord ?? t.save}
          </Button>
        </Space>
      }
    >
      {children}
      {error ? <ErrorView error={error} /> : null}
    </Drawer>
  );
}
