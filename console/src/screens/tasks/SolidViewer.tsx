import { Alert } from "antd";
import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import { useTexts } from "@/app/texts";
import { useFormat } from "@/ui/useFormat";
import { type Solid, type Stage, stageOf } from "./scene";
import { texts } from "./texts";

const STEP = Math.PI / 18;

/** Turned by the mouse, by fingers and by keys; what it is stands below in words. */
export default function SolidViewer({ bytes }: { bytes: ArrayBuffer }) {
  const t = useTexts(texts);
  const place = useRef<HTMLDivElement>(null);
  const stage = useRef<Stage>(null);
  const [solid, setSolid] = useState<Solid | null>(null);
  const [problem, setProblem] = useState<"" | "noWebgl" | "bad3d">("");
  useEffect(() => {
    const inside = place.current;
    if (inside === null) return;
    let isOver = false;
    stageOf(inside, bytes.slice(0)).then(
      (made) => {
        if (isOver) return made.end();
        stage.current = made;
        setSolid(made.solid);
      },
      (error: unknown) => setProblem(/webgl/i.test(String(error)) ? "noWebgl" : "bad3d"),
    );
    return () => {
      isOver = true;
      stage.current?.end();
      stage.current = null;
    };
  }, [bytes]);
  if (problem) return <Alert type="warning" showIcon title={t[problem]} />;
  return (
    <>
      <div
        ref={place}
        className="task-model"
        role="application"
        aria-label={t.viewerLabel}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: keys turn it
        tabIndex={0}
        onKeyDown={(event) => stage.current && turned(stage.current, event)}
      />
      <p className="quiet" style={{ margin: "6px 0 0" }}>
        {t.viewerHint}
      </p>
      {solid ? <About solid={solid} bytes={bytes.byteLength} /> : null}
    </>
  );
}

function About({ solid, bytes }: { solid: Solid; bytes: number }) {
  const t = useTexts(texts);
  const format = useFormat();
  return (
    <p role="status" style={{ margin: "6px 0 0" }}>
      {t.about3d({
        meshes: format.count(solid.meshes),
        triangles: format.count(solid.triangles),
        width: format.count(solid.size.x),
        height: format.count(solid.size.y),
        depth: format.count(solid.size.z),
        size: format.bytes(bytes),
      })}
    </p>
  );
}

const ACTS = new Map<string, (stage: Stage) => void>([
  ["ArrowLeft", (stage) => stage.turn(-STEP, 0)],
  ["ArrowRight", (stage) => stage.turn(STEP, 0)],
  ["ArrowUp", (stage) => stage.turn(0, -STEP)],
  ["ArrowDown", (stage) => stage.turn(0, STEP)],
  ["+", (stage) => stage.zoom(0.9)],
  ["=", (stage) => stage.zoom(0.9)],
  ["-", (stage) => stage.zoom(1 / 0.9)],
  ["0", (stage) => stage.reset()],
]);

function turned(stage: Stage, event: KeyboardEvent): void {
  const act = ACTS.get(event.key);
  if (act === undefined) return;
  event.preventDefault();
  act(stage);
}
