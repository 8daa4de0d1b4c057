import { QuestionCircleOutlined } from "@ant-design/icons";
import { Collapse } from "antd";
import { Link } from "react-router";
import { useTexts } from "@/app/texts";
import { texts } from "./texts";

/** What the three routing modes make of own keys. */
export function HowItWorks() {
  const { how } = useTexts(texts);
  const content = (
    <>
      <p style={{ marginTop: 0 }}>{how.intro}</p>
      <ul style={{ paddingInlineStart: 20 }}>
        {how.modes.map(([mode, words]) => (
          <li key={mode} style={{ marginBottom: 4 }}>
            <strong>{mode}</strong>: {words}
          </li>
        ))}
      </ul>
      <p className="quiet" style={{ marginBottom: 0 }}>
        {how.links} <Link to="/keys">{how.keys}</Link> · <Link to="/usage?source=byok">{how.usage}</Link>
        <br />
        {how.advice}
      </p>
    </>
  );
  return (
    <Collapse
      size="small"
      style={{ marginBottom: 16, maxWidth: 960 }}
      items={[
        {
          key: "how",
          label: (
            <>
              <QuestionCircleOutlined /> {how.title}
            </>
          ),
          children: content,
        },
      ]}
    />
  );
}
