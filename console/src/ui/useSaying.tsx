/** Short words after an action: it worked, or it did not and why. */
import { App } from "antd";
import { toProblem } from "@/api/problem";
import { useTexts } from "@/app/texts";
import { ProblemWords } from "./ErrorView";
import { texts } from "./texts";

export interface Saying {
  done: (text: string) => void;
  failed: (error: unknown) => void;
}

export function useSaying(): Saying {
  const { message, notification } = App.useApp();
  const t = useTexts(texts);
  return {
    done: (text) => void message.success(text),
    failed: (error) => {
      const problem = toProblem(error);
      notification.error({
        title: problem.code === "UNREACHABLE" ? t.unreachable : (t.codes[problem.code] ?? problem.message),
        description: <ProblemWords error={error} />,
        duration: 10,
      });
    },
  };
}
