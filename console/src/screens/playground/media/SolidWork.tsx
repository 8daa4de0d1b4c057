import { lazy, type ReactNode, Suspense } from "react";
import { useTexts } from "@/app/texts";
import type { WorkProps } from "../work";
import { TaskWork } from "./TaskWork";
import { texts } from "./texts";

const SolidFile = lazy(() => import("@/screens/tasks/SolidFile").then((all) => ({ default: all.SolidFile })));
const CHOICES = {};

function show(url: string, task: string, number: number): ReactNode {
  return (
    <Suspense fallback={null}>
      <SolidFile file={{ kind: "3d", url, expires_at: "", expired: false }} task={task} number={number} />
    </Suspense>
  );
}

export default function SolidWork(props: WorkProps) {
  const t = useTexts(texts);
  return <TaskWork {...props} kind="3d" firstPrompt={t.solidPrompt} choices={CHOICES} show={show} />;
}
