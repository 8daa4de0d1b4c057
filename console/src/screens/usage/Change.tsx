import { ArrowDownOutlined, ArrowUpOutlined } from "@ant-design/icons";
import { Tooltip } from "antd";
import { useTexts } from "@/app/texts";
import { useFormat } from "@/ui/useFormat";
import { texts } from "./texts";

/** How much more or less than before. It is not coloured: more use is neither good nor bad. */
export function Change({ percent, before }: { percent: number | null | undefined; before: string }) {
  const t = useTexts(texts);
  const format = useFormat();
  if (percent === null || percent === undefined) {
    return (
      <Tooltip title={t.noBefore}>
        <span className="quiet">-</span>
      </Tooltip>
    );
  }
  const text = format.percent(Math.abs(percent) / 100);
  return (
    <Tooltip title={t.against(before)}>
      <span className="quiet number">
        {percent > 0 ? <ArrowUpOutlined aria-label="+" /> : null}
        {percent < 0 ? <ArrowDownOutlined aria-label="-" /> : null} {text}
      </span>
    </Tooltip>
  );
}
