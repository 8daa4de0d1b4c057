import { PlusOutlined } from "@ant-design/icons";
import { Button, Space, type TableColumnsType } from "antd";
import { useState } from "react";
import { $api } from "@/api/client";
import type { ChannelAnswer } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { Loaded } from "@/screens/platform/Loaded";
import { platformTexts } from "@/screens/platform/texts";
import { useRefresh, versionTag } from "@/screens/platform/useRefresh";
import { WideTable } from "@/screens/platform/WideTable";
import { Empty } from "@/ui/Empty";
import { useSaying } from "@/ui/useSaying";
import { ChannelForm } from "./ChannelForm";
import { channelBody, toFields } from "./channel";
import { RowActions, RowSwitch } from "./RowTools";
import { texts } from "./texts";
import { channelTexts } from "./texts-channels";

export function Channels() {
  const t = useTexts(channelTexts);
  const asked = $api.useQuery("get", "/alert-channels", {});
  /** Null: a new one. */
  const [edited, setEdited] = useState<ChannelAnswer | null | undefined>(undefined);
  const columns = useChannelColumns(setEdited);
  const add = (
    <Button type="primary" icon={<PlusOutlined />} onClick={() => setEdited(null)}>
      {t.add}
    </Button>
  );
  return (
    <Loaded asked={asked} rows={4}>
      {({ data }) => (
        <Space orientation="vertical" size="middle" style={{ width: "100%" }}>
          {data.length > 0 ? add : null}
          <WideTable<ChannelAnswer>
            rowKey="id"
            columns={columns}
            dataSource={data}
            pagination={false}
            scroll={{ x: 760 }}
            locale={{ emptyText: <Empty title={t.empty} hint={t.emptyHint} action={add} /> }}
          />
          {edited === undefined ? null : (
            <ChannelForm channel={edited} onClose={() => setEdited(undefined)} />
          )}
        </Space>
      )}
    </Loaded>
  );
}

function useChannelColumns(onChange: (channel: ChannelAnswer) => void): TableColumnsType<ChannelAnswer> {
  const all = useTexts(texts);
  const common = useTexts(platformTexts);
  const t = useTexts(channelTexts);
  return [
    { title: all.name, render: (_, one) => one.name },
    { title: all.kind, width: 180, render: (_, one) => t.kinds[one.kind] },
    {
      title: all.goesTo,
      render: (_, one) => (
        <>
          <span className="mono">{one.host}</span>
          {one.recipients.length > 0 ? <div className="quiet">{one.recipients.join(", ")}</div> : null}
        </>
      ),
    },
    { title: common.on, width: 80, render: (_, one) => <OnOff channel={one} /> },
    {
      title: common.more,
      width: 150,
      render: (_, one) => <Actions channel={one} onChange={() => onChange(one)} />,
    },
  ];
}

function OnOff({ channel }: { channel: ChannelAnswer }) {
  const t = useTexts(channelTexts);
  const refresh = useRefresh("/alert");
  const set = $api.useMutation("put", "/alert-channels/{channel_id}");
  const change = async (enabled: boolean) => {
    const path = { channel_id: channel.id };
    const body = channelBody({ ...toFields(channel), enabled });
    await set.mutateAsync({ params: { path, header: { "if-match": versionTag(channel.version) } }, body });
    await refresh();
  };
  return <RowSwitch name={channel.name} isOn={channel.enabled} words={t} onSwitch={change} />;
}

function Actions({ channel, onChange }: { channel: ChannelAnswer; onChange: () => void }) {
  const t = useTexts(channelTexts);
  const say = useSaying();
  const refresh = useRefresh("/alert");
  const params = { path: { channel_id: channel.id } };
  const test = $api.useMutation("post", "/alert-channels/{channel_id}/test", {
    onSuccess: (answer) =>
      answer.ok
        ? say.done(t.testGood(channel.name))
        : say.failed(new Error(`${t.testBad}: ${answer.message}`)),
    onError: say.failed,
  });
  const remove = $api.useMutation("delete", "/alert-channels/{channel_id}");
  return (
    <RowActions
      name={channel.name}
      words={t}
      onChange={onChange}
      onDelete={() => remove.mutateAsync({ params }).then(refresh)}
    >
      <Button size="small" loading={test.isPending} onClick={() => test.mutate({ params })}>
        {t.test}
      </Button>
    </RowActions>
  );
}
