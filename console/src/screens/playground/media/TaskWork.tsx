/** Films and 3D: made as tasks, asked for until they are ready. The task's id is in the address. */
import { Skeleton } from "antd";
import { type ReactNode, useState } from "react";
import type { Kind, ModelView } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { CallFacts } from "@/gateway/CallFacts";
import { pathOf } from "@/gateway/interfaces";
import { takesText } from "@/gateway/useModels";
import { Empty } from "@/ui/Empty";
import { ErrorView } from "@/ui/ErrorView";
import { useUrlState } from "@/ui/useUrlState";
import { NoModels } from "../NoModels";
import { useChosen, type WorkProps } from "../work";
import { Layout } from "./Layout";
import { OrderForm, type OrderFormProps } from "./OrderForm";
import { type Order, readTaskId, taskBody } from "./order";
import { TaskView } from "./TaskView";
import { texts } from "./texts";
import { useCall } from "./useCall";

export interface TaskWorkProps extends WorkProps {
  kind: Kind;
  firstPrompt: string;
  choices: Pick<OrderFormProps, "ratios" | "resolutions" | "hasDuration">;
  /** Shows what was made. */
  show: (url: string, task: string, number: number) => ReactNode;
}

export function TaskWork(props: TaskWorkProps) {
  const chosen = useChosen(props, props.kind);
  if (chosen.isNone) return <NoModels />;
  if (chosen.error) return <ErrorView error={chosen.error} />;
  const [model] = chosen.models;
  return model ? <Tasks {...props} model={model} /> : <Skeleton active />;
}

function Tasks(props: TaskWorkProps & { model: ModelView }) {
  const { model, keyId, names, onNames } = props;
  const t = useTexts(texts);
  const [values, change] = useUrlState();
  const id = values.task ?? "";
  const [kept, setKept] = useState<Omit<Order, "model">>({
    prompt: props.firstPrompt,
    images: [],
    size: "",
    ratio: "",
    resolution: "",
    duration: null,
    watermark: false,
  });
  const takesPictures = model.input.includes("image");
  const needsPicture = !takesText(model) || /-[ir]2v$/.test(model.name);
  const order = { ...kept, model: model.name, images: takesPictures ? kept.images : [] };
  const interfaceName = model.interfaces[0] ?? "task";
  const body = taskBody(interfaceName, order);
  const { call, stop, result, isRunning, error } = useCall(keyId);
  const run = async () => {
    change({ task: null });
    const told = await call(pathOf(interfaceName), body);
    if (told?.isOk) change({ task: readTaskId(told.body) });
  };
  return (
    <Layout
      code={{ interfaceName, model: model.name, body, keyId }}
      form={
        <OrderForm
          {...props.choices}
          names={names}
          onNames={onNames}
          keyId={keyId}
          kind={props.kind}
          order={order}
          onOrder={(next) => setKept({ ...kept, ...next })}
          mostPictures={takesPictures ? 4 : 0}
          needsPicture={needsPicture}
          onRun={() => void run()}
          onStop={stop}
          isRunning={isRunning}
        />
      }
    >
      {error ? <ErrorView error={error} onRetry={() => void run()} /> : null}
      {id ? <TaskView interfaceName={interfaceName} id={id} keyId={keyId} show={props.show} /> : null}
      {!id && !isRunning && !error ? <Empty title={t.emptyTask} /> : null}
      {isRunning ? <Skeleton active /> : null}
      {result ? <CallFacts requestId={result.requestId} totalMs={result.totalMs} hasCost={false} /> : null}
    </Layout>
  );
}
