import { PlayCircleOutlined, StopOutlined } from "@ant-design/icons";
import { Button, Form, Input, InputNumber, Select, Space, Switch } from "antd";
import type { Kind } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { ModelSelect } from "@/gateway/ModelSelect";
import { Pictures } from "../Pictures";
import { texts as common } from "../texts";
import type { WorkProps } from "../work";
import type { Order } from "./order";
import { texts } from "./texts";

export interface OrderFormProps extends WorkProps {
  kind: Kind;
  order: Order;
  onOrder: (change: Partial<Order>) => void;
  /** Values on offer; an empty list: there is no such choice. */
  sizes?: string[];
  ratios?: string[];
  resolutions?: string[];
  hasDuration?: boolean;
  hasWatermark?: boolean;
  mostPictures: number;
  /** The model cannot begin without one. */
  needsPicture?: boolean;
  onRun: () => void;
  onStop: () => void;
  isRunning: boolean;
}

export function OrderForm(props: OrderFormProps) {
  const t = useTexts(common);
  const words = useTexts(texts);
  const { order, onOrder, keyId } = props;
  const lacksPicture = props.needsPicture === true && order.images.length === 0;
  const isEmpty = order.prompt.trim() === "" && order.images.length === 0;
  const isReady = keyId !== "" && !lacksPicture && !isEmpty;
  return (
    <Form layout="vertical" onFinish={props.onRun}>
      <Form.Item>
        <ModelSelect
          kind={props.kind}
          keyId={keyId}
          value={order.model}
          onChange={(name) => props.onNames([name])}
        />
      </Form.Item>
      <Form.Item label={t.prompt} htmlFor="order-prompt">
        <Input.TextArea
          id="order-prompt"
          value={order.prompt}
          autoSize={{ minRows: 3, maxRows: 10 }}
          onChange={(event) => onOrder({ prompt: event.target.value })}
        />
      </Form.Item>
      {props.mostPictures > 0 ? (
        <Form.Item label={words.pictures} {...(lacksPicture ? { extra: words.needsPicture } : {})}>
          <Pictures
            value={order.images}
            most={props.mostPictures}
            onChange={(images) => onOrder({ images })}
          />
        </Form.Item>
      ) : null}
      <Choice
        label={words.size}
        values={props.sizes}
        value={order.size}
        onChange={(size) => onOrder({ size })}
      />
      <Choice
        label={words.ratio}
        values={props.ratios}
        value={order.ratio}
        onChange={(ratio) => onOrder({ ratio })}
      />
      <Choice
        label={words.resolution}
        values={props.resolutions}
        value={order.resolution}
        onChange={(resolution) => onOrder({ resolution })}
      />
      {props.hasDuration ? (
        <Form.Item label={words.duration} htmlFor="order-duration">
          <InputNumber
            id="order-duration"
            min={2}
            max={15}
            precision={0}
            placeholder={t.asProvider}
            value={order.duration}
            onChange={(duration) => onOrder({ duration })}
            style={{ width: "100%" }}
          />
        </Form.Item>
      ) : null}
      {props.hasWatermark ? (
        <Form.Item label={words.watermark}>
          <Switch
            aria-label={words.watermark}
            checked={order.watermark}
            onChange={(watermark) => onOrder({ watermark })}
          />
        </Form.Item>
      ) : null}
      <Space>
        <Button
          type="primary"
          htmlType="submit"
          icon={<PlayCircleOutlined />}
          loading={props.isRunning}
          disabled={!isReady}
        >
          {t.run}
        </Button>
        {props.isRunning ? (
          <Button icon={<StopOutlined />} onClick={props.onStop}>
            {t.stop}
          </Button>
        ) : null}
        {keyId === "" ? <span className="quiet">{t.noKeyYet}</span> : null}
      </Space>
    </Form>
  );
}

function Choice(props: {
  label: string;
  values?: string[];
  value: string;
  onChange: (value: string) => void;
}) {
  const t = useTexts(common);
  if (!props.values?.length) return null;
  const options = [
    { value: "", label: t.asProvider },
    ...props.values.map((value) => ({ value, label: value })),
  ];
  return (
    <Form.Item label={props.label}>
      <Select aria-label={props.label} options={options} value={props.value} onChange={props.onChange} />
    </Form.Item>
  );
}
