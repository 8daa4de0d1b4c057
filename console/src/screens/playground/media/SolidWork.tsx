import { useTexts } from "@/app/texts";
import type { WorkProps } from "../work";
import { TaskWork } from "./TaskWork";
import { texts } from "./texts";

const CHOICES = {};

export default function SolidWork(props: WorkProps) {
  const t = useTexts(texts);
  return <TaskWork {...props} kind="3d" firstPrompt={t.solidPrompt} choices={CHOICES} show={() => null} />;
}
