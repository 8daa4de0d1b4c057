/** An error for which a screen has words of its own, in the reader's language; otherwise as everywhere. */
import { Alert } from "antd";
import { toProblem } from "@/api/problem";
import { ErrorView, ProblemWords } from "@/ui/ErrorView";

/** By code of the error. */
export type RefusalWords = Record<string, string>;

export function Refusal({ error, words }: { error: unknown; words: RefusalWords }) {
  const title = words[toProblem(error).code];
  if (title === undefined) return <ErrorView error={error} />;
  return <Alert type="error" showIcon title={title} description={<ProblemWords error={error} />} />;
}
