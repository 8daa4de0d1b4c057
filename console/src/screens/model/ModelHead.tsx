import { ExperimentOutlined } from "@ant-design/icons";
import { Breadcrumb, Button, Descriptions, Tag, Typography } from "antd";
import { Link } from "react-router";
import { useLanguage } from "@/app/preferences";
import { useTexts } from "@/app/texts";
import { contextText } from "@/screens/models/contextText";
import { AccessTags, KindTag } from "@/screens/models/Marks";
import { catalogNames } from "@/screens/models/names";
import type { ModelDetail } from "@/screens/models/types";
import { CopyButton } from "@/ui/CopyButton";
import { texts } from "./texts";

export function ModelHead({ model }: { model: ModelDetail }) {
  const t = useTexts(texts);
  const language = useLanguage();
  const title = model.title || model.name;
  return (
    <>
      <Breadcrumb items={[{ title: <Link to="/models">{t.all}</Link> }, { title }]} />
      <header className="page-head model-head">
        <div className="page-head-words">
          <h1>{title}</h1>
          <div className="model-name">
            <Typography.Text code>{model.name}</Typography.Text>
            <CopyButton text={model.name} label={t.copyName} />
            <KindTag kind={model.kind} />
            <AccessTags model={model} />
            {model.enabled ? null : <Tag color="default">{t.disabled}</Tag>}
          </div>
          <p>{(language === "zh" && model.description_zh) || model.description}</p>
        </div>
        <Link to={`/playground?model=${encodeURIComponent(model.name)}`}>
          <Button type="primary" icon={<ExperimentOutlined />}>
            {t.tryIt}
          </Button>
        </Link>
      </header>
      <Facts model={model} />
    </>
  );
}

function Facts({ model }: { model: ModelDetail }) {
  const t = useTexts(texts);
  const names = useTexts(catalogNames);
  const words = (codes: string[], of: Record<string, string>) =>
    codes.map((code) => of[code] ?? code).join(", ");
  const tokens = (count: number | null) => (count === null ? null : t.tokens(contextText(count)));
  const facts: [string, string | null][] = [
    [t.vendor, model.vendor],
    [t.context, tokens(model.context)],
    [t.maxInput, tokens(model.max_input)],
    [t.maxOutput, tokens(model.max_output)],
    [t.takes, words(model.input, names.modalities)],
    [t.gives, words(model.output, names.modalities)],
    [t.abilities, words(model.abilities, names.abilities)],
    [t.aliases, model.aliases.join(", ")],
  ];
  return (
    <Descriptions
      size="small"
      className="model-facts"
      column={{ xs: 1, sm: 2, lg: 4 }}
      items={facts
        .filter(([, value]) => value)
        .map(([label, value]) => ({ key: label, label, children: value }))}
    />
  );
}
