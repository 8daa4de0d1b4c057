/** Vectors of texts and pictures, and how close they are. */
import { PlayCircleOutlined } from "@ant-design/icons";
import { Button, Form, Input, Select, Skeleton } from "antd";
import { useState } from "react";
import type { ModelView } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { CallFacts } from "@/gateway/CallFacts";
import { ModelSelect } from "@/gateway/ModelSelect";
import { Empty } from "@/ui/Empty";
import { ErrorView } from "@/ui/ErrorView";
import { Layout } from "../media/Layout";
import { NoModels } from "../NoModels";
import { Pictures } from "../Pictures";
import { texts as common } from "../texts";
import { useChosen, type WorkProps } from "../work";
import { Similarities, VectorTable } from "./Tables";
import { texts } from "./texts";
import { useVectors } from "./useVectors";
import { type Input as One, vectorBodies } from "./vectors";

const DIMENSIONS = [256, 512, 1024, 1536, 2048];

export default function VectorWork(props: WorkProps) {
  const chosen = useChosen(props, "embedding");
  if (chosen.isNone) return <NoModels />;
  if (chosen.error) return <ErrorView error={chosen.error} />;
  const [model] = chosen.models;
  return model ? <Vectors {...props} model={model} /> : <Skeleton active />;
}

function Vectors({ model, keyId, onNames }: WorkProps & { model: ModelView }) {
  const t = useTexts(texts);
  const words = useTexts(common);
  const [text, setText] = useState(t.sample);
  const [images, setImages] = useState<string[]>([]);
  const [dimensions, setDimensions] = useState(0);
  const { found, error, isRunning, run } = useVectors(keyId);
  const interfaceName = model.interfaces[0] ?? "open_ai_embedding";
  const takesPictures = model.input.includes("image");
  const inputs = inputsOf(text, takesPictures ? images : []);
  const [body = {}] = vectorBodies(interfaceName, model.name, inputs, dimensions || null);
  const start = () => void run(interfaceName, model.name, inputs, dimensions || null);
  const form = (
    <Form layout="vertical" onFinish={start}>
      <Form.Item>
        <ModelSelect kind="embedding" keyId={keyId} value={model.name} onChange={(name) => onNames([name])} />
      </Form.Item>
      <Form.Item label={t.inputs} htmlFor="vector-inputs">
        <Input.TextArea
          id="vector-inputs"
          value={text}
          autoSize={{ minRows: 4, maxRows: 12 }}
          onChange={(event) => setText(event.target.value)}
        />
      </Form.Item>
      {takesPictures ? (
        <Form.Item label={t.pictures}>
          <Pictures value={images} onChange={setImages} />
        </Form.Item>
      ) : null}
      <Form.Item label={t.dimensions}>
        <Select
          aria-label={t.dimensions}
          value={dimensions}
          onChange={setDimensions}
          options={[
            { value: 0, label: words.asProvider },
            ...DIMENSIONS.map((value) => ({ value, label: String(value) })),
          ]}
        />
      </Form.Item>
      <Button
        type="primary"
        htmlType="submit"
        icon={<PlayCircleOutlined />}
        loading={isRunning}
        disabled={keyId === "" || inputs.length === 0}
      >
        {words.run}
      </Button>
    </Form>
  );
  return (
    <Layout code={{ interfaceName, model: model.name, body, keyId }} form={form}>
      {isRunning && !found ? <Skeleton active /> : null}
      {error ? <ErrorView error={error} onRetry={start} /> : null}
      {!found && !isRunning && !error ? <Empty title={t.empty} /> : null}
      {found ? (
        <>
          <VectorTable found={found} />
          <Similarities found={found} />
          <CallFacts requestId={found.requestIds[0] ?? ""} totalMs={found.totalMs} usage={found.usage} />
        </>
      ) : null}
    </Layout>
  );
}

function inputsOf(text: string, images: string[]): One[] {
  const lines = text.split("\n").flatMap((line) => (line.trim() ? [line.trim()] : []));
  return [
    ...lines.map((value) => ({ kind: "text" as const, value })),
    ...images.map((value) => ({ kind: "image" as const, value })),
  ];
}
