/** Pictures from words, and from other pictures. */
import { Skeleton } from "antd";
import { useState } from "react";
import type { ModelView } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { CallFacts } from "@/gateway/CallFacts";
import { pathOf } from "@/gateway/interfaces";
import { readUsage } from "@/gateway/usage";
import { Empty } from "@/ui/Empty";
import { ErrorView } from "@/ui/ErrorView";
import { NoModels } from "../NoModels";
import { useChosen, type WorkProps } from "../work";
import { Layout } from "./Layout";
import { OrderForm } from "./OrderForm";
import { imageBody, type Order, readImages } from "./order";
import { texts } from "./texts";
import { useCall } from "./useCall";

const SIZES: Record<string, string[]> = {
  ark_image: ["2048x2048", "2304x1728", "1728x2304", "2560x1440", "1440x2560"],
  open_ai_image: ["1024x1024", "1536x1024", "1024x1536"],
};

export default function ImageWork(props: WorkProps) {
  const chosen = useChosen(props, "image");
  if (chosen.isNone) return <NoModels />;
  if (chosen.error) return <ErrorView error={chosen.error} />;
  const [model] = chosen.models;
  return model ? <Images {...props} model={model} /> : <Skeleton active />;
}

function Images(props: WorkProps & { model: ModelView }) {
  const { model, keyId } = props;
  const t = useTexts(texts);
  const [kept, setKept] = useState<Omit<Order, "model">>({
    prompt: t.imagePrompt,
    images: [],
    size: "",
    ratio: "",
    resolution: "",
    duration: null,
    watermark: false,
  });
  const order = { ...kept, model: model.name };
  const interfaceName = model.interfaces[0] ?? "open_ai_image";
  const sizes = SIZES[interfaceName] ?? [];
  const body = imageBody(interfaceName, { ...order, size: sizes.includes(order.size) ? order.size : "" });
  const { call, stop, result, isRunning, error } = useCall(keyId);
  const pictures = result?.isOk ? readImages(result.body) : [];
  const run = () => void call(pathOf(interfaceName), body);
  return (
    <Layout
      code={{ interfaceName, model: model.name, body, keyId }}
      form={
        <OrderForm
          {...props}
          kind="image"
          order={order}
          onOrder={(change) => setKept({ ...kept, ...change })}
          sizes={sizes}
          hasWatermark={interfaceName === "ark_image"}
          mostPictures={interfaceName === "ark_image" && model.input.includes("image") ? 6 : 0}
          onRun={run}
          onStop={stop}
          isRunning={isRunning}
        />
      }
    >
      {isRunning ? <Skeleton.Node active style={{ width: "100%", height: 320 }} /> : null}
      {error ? <ErrorView error={error} onRetry={run} /> : null}
      {!result && !isRunning && !error ? <Empty title={t.emptyImage} /> : null}
      <div className="pictures">
        {pictures.map((url, at) => (
          <a key={url} href={url} target="_blank" rel="noopener noreferrer">
            <img src={url} alt={`${t.resultNumber(at + 1)}: ${order.prompt}`} />
          </a>
        ))}
      </div>
      {result ? (
        <CallFacts
          requestId={result.requestId}
          totalMs={result.totalMs}
          usage={readUsage(interfaceName, result.body)}
        />
      ) : null}
    </Layout>
  );
}
