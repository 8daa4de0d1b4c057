/** Asks before something is done that cannot be undone, or that callers feel; waits while it is done. */
import { App } from "antd";
import type { ReactNode } from "react";
import { useTexts } from "@/app/texts";
import { useSaying } from "@/ui/useSaying";
import { platformTexts } from "./texts";

export interface Question {
  title: ReactNode;
  /** What will happen. */
  content: ReactNode;
  ok: string;
  isDanger?: boolean;
  run: () => Promise<unknown>;
  /** Said when it is done. */
  done?: string;
}

export function useConfirm(): (question: Question) => void {
  const { modal } = App.useApp();
  const t = useTexts(platformTexts);
  const say = useSaying();
  return ({ title, content, ok, isDanger, run, done }) =>
    void modal.confirm({
      title,
      content,
      okText: ok,
      cancelText: t.cancel,
      okButtonProps: { danger: isDanger ?? false },
      onOk: () =>
        run().then(
          () => say.done(done ?? t.saved),
          (error: unknown) => say.failed(error),
        ),
    });
}
