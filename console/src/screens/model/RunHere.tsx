/** Runs the example from the page. What makes pictures, films or objects asks first, where it costs something. */
import { CaretRightOutlined } from "@ant-design/icons";
import { App, Button, Space } from "antd";
import { $api } from "@/api/client";
import { useTexts } from "@/app/texts";
import { canStream, type ExampleCall, sampleBody } from "@/gateway/examples";
import { RunAnswer } from "./RunAnswer";
import { callTexts } from "./texts-calls";
import { useRun } from "./useRun";

const COSTLY = new Set(["image", "video", "3d"]);

export function RunHere({ call, keyId }: { call: Omit<ExampleCall, "keyText">; keyId: string }) {
  const t = useTexts(callTexts);
  const { modal } = App.useApp();
  const runner = useRun();
  const installation = $api.useQuery("get", "/installation", {}, { staleTime: 300_000 });
  const isSimulated = installation.data?.simulator ?? false;
  const over = call.interface;
  const run = () => {
    const isStreamed = call.stream && canStream(over);
    const body = { ...sampleBody(over, call.model, call.kind), ...(isStreamed ? { stream: true } : {}) };
    void runner.run(over, body, keyId);
  };
  const ask = () => modal.confirm({ title: t.costTitle, content: t.cost, okText: t.runIt, onOk: run });
  const isCostly = COSTLY.has(call.kind ?? "") && !isSimulated;
  return (
    <div className="model-run">
      <Space>
        <Button
          icon={<CaretRightOutlined />}
          loading={runner.isRunning}
          onClick={() => void (isCostly ? ask() : run())}
        >
          {t.run}
        </Button>
        {runner.isRunning ? <Button onClick={runner.stop}>{t.stop}</Button> : null}
        {runner.hasBegun && !runner.isRunning ? (
          <Button type="text" onClick={runner.clear}>
            {t.clear}
          </Button>
        ) : null}
      </Space>
      <RunAnswer runner={runner} isSimulated={isSimulated} />
    </div>
  );
}
