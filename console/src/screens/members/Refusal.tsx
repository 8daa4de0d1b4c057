/** Errors for which a screen has words of its own, in the reader's language; the others as everywhere. */
import { Alert, App } from "antd";
import { toProblem } from "@/api/problem";
import { ErrorView, ProblemWords } from "@/ui/ErrorView";
import { useSaying } from "@/ui/useSaying";

/** By code of the error. */
export type RefusalWords = Record<string, string>;

export function Refusal({ error, words }: { error: unknown; words: RefusalWords }) {
  const title = words[toProblem(error).code];
  if (title === undefined) return <ErrorView error={error} />;
  return <Alert type="error" showIcon title={title} description={<ProblemWords error={error} />} />;
}

/** For an action that has no place of its own to say it. */
export function useRefused(words: RefusalWords): (error: unknown) => void {
  const { notification } = App.useApp();
  const say = useSaying();
  return (error) => {
    const title = words[toProblem(error).code];
    if (title === undefined) say.failed(error);
    else notification.error({ title, description: <ProblemWords error={error} />, duration: 10 });
  };
}
