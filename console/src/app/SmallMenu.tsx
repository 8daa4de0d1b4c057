import { Drawer } from "antd";
import type { ReactNode } from "react";

interface Props {
  isOpen: boolean;
  label: string;
  onClose: () => void;
  title: ReactNode;
  children: ReactNode;
}

/** The menu where there is no room beside the screen. */
export default function SmallMenu({ isOpen, label, onClose, title, children }: Props) {
  return (
    <Drawer placement="left" size={264} open={isOpen} onClose={onClose} title={title}>
      <nav aria-label={label}>{children}</nav>
    </Drawer>
  );
}
