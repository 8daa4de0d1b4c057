/** Prices calls of a time again; the difference is shown before anything is done. */
import { Button, DatePicker, Form, Input, Space } from "antd";
import dayjs, { type Dayjs } from "dayjs";
import { useTexts } from "@/app/texts";
import { fieldErrors } from "@/screens/platform/fieldErrors";
import { platformTexts } from "@/screens/platform/texts";
import { ErrorView } from "@/ui/ErrorView";
import { Difference } from "./Difference";
import { TenantSelect } from "./TenantSelect";
import { texts } from "./texts";
import { useRepricing } from "./useRepricing";

interface Fields {
  time: [Dayjs, Dayjs];
  endpoint?: string;
  version?: string;
  tenant?: string;
}

export function Repricing() {
  const t = useTexts(texts).again;
  const common = useTexts(platformTexts);
  const [form] = Form.useForm<Fields>();
  const repricing = useRepricing();
  const refused = fieldErrors(repricing.error, ["endpoint", "version"]);
  const help = (name: string) => refused.find((each) => each.name === name)?.errors.join(" ");
  const show = ({ time: [since, until], endpoint, version, tenant }: Fields) =>
    void repricing.show({
      tenant,
      body: {
        since: since.toISOString(),
        until: until.toISOString(),
        endpoint: endpoint?.trim() ?? "",
        version: version?.trim() ?? "",
      },
    });
  return (
    <Space orientation="vertical" size="middle" style={{ width: "100%" }}>
      <p className="quiet" style={{ margin: 0, maxWidth: "80ch" }}>
        {t.about}
      </p>
      <Form
        form={form}
        layout="vertical"
        requiredMark={false}
        style={{ maxWidth: 560 }}
        initialValues={{ time: [dayjs().subtract(1, "day"), dayjs()] }}
        onFinish={show}
        onValuesChange={repricing.forget}
      >
        <Form.Item name="time" label={t.time} rules={[{ required: true, message: common.missing }]}>
          <DatePicker.RangePicker showTime style={{ width: "100%" }} />
        </Form.Item>
        <Form.Item
          name="endpoint"
          label={t.endpoint}
          extra={help("endpoint") ?? t.endpointHint}
          validateStatus={help("endpoint") ? "error" : ""}
        >
          <Input className="mono" autoComplete="off" />
        </Form.Item>
        <Form.Item
          name="version"
          label={t.version}
          extra={help("version") ?? t.versionHint}
          validateStatus={help("version") ? "error" : ""}
        >
          <Input className="mono" autoComplete="off" />
        </Form.Item>
        <Form.Item name="tenant" label={t.tenant}>
          <TenantSelect label={t.tenant} placeholder={t.allTenants} />
        </Form.Item>
        <Button type="primary" htmlType="submit" loading={repricing.isBusy}>
          {t.show}
        </Button>
      </Form>
      {repricing.error ? <ErrorView error={repricing.error} /> : null}
      {repricing.sum ? (
        <Difference
          sum={repricing.sum}
          isBusy={repricing.isBusy}
          isShown={repricing.isShown}
          onRun={repricing.run}
        />
      ) : null}
    </Space>
  );
}
