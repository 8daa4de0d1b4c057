/** Pictures that go in: from a file (as a `data:` address) or from an address. */
import { CloseOutlined, PictureOutlined } from "@ant-design/icons";
import { App, Button, Input, Popover, Space, Upload } from "antd";
import { useState } from "react";
import { useTexts } from "@/app/texts";
import { texts } from "./texts";

const MOST_BYTES = 8 * 1024 * 1024;

export interface PicturesProps {
  value: string[];
  onChange: (images: string[]) => void;
  most?: number;
}

export function Pictures({ value, onChange, most = 8 }: PicturesProps) {
  const t = useTexts(texts);
  const [isOpen, setIsOpen] = useState(false);
  const add = (url: string) => {
    onChange([...value, url]);
    setIsOpen(false);
  };
  return (
    <Space wrap size="small">
      {value.map((url, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the same picture may be there twice
        <span key={at} className="picture">
          <img src={url} alt={t.imageNumber(at + 1)} />
          <Button
            size="small"
            shape="circle"
            icon={<CloseOutlined />}
            aria-label={t.removeImage(at + 1)}
            onClick={() => onChange(value.filter((_, other) => other !== at))}
          />
        </span>
      ))}
      {value.length < most ? (
        <Popover trigger="click" open={isOpen} onOpenChange={setIsOpen} content={<Source onPicture={add} />}>
          <Button icon={<PictureOutlined />}>{t.addImage}</Button>
        </Popover>
      ) : null}
    </Space>
  );
}

function Source({ onPicture }: { onPicture: (url: string) => void }) {
  const t = useTexts(texts);
  const { message } = App.useApp();
  const [address, setAddress] = useState("");
  const isAddress = /^(https?:\/\/|data:image\/)\S+$/.test(address.trim());
  const takeAddress = () => {
    if (isAddress) onPicture(address.trim());
  };
  const read = (file: File) => {
    if (!file.type.startsWith("image/")) void message.error(t.notAnImage);
    else if (file.size > MOST_BYTES) void message.error(t.imageTooBig);
    else {
      const reader = new FileReader();
      reader.onload = () => onPicture(String(reader.result));
      reader.readAsDataURL(file);
    }
    // Nothing is sent anywhere yet.
    return false;
  };
  return (
    <Space orientation="vertical" style={{ width: 280 }}>
      <Upload accept="image/*" showUploadList={false} beforeUpload={read}>
        <Button block>{t.fromFile}</Button>
      </Upload>
      <Space.Compact block>
        <Input
          aria-label={t.imageAddress}
          placeholder={t.imageAddressHint}
          value={address}
          onChange={(event) => setAddress(event.target.value)}
          onPressEnter={takeAddress}
        />
        <Button disabled={!isAddress} onClick={takeAddress}>
          {t.use}
        </Button>
      </Space.Compact>
    </Space>
  );
}
