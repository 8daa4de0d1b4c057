/** Models as cards; the whole card is a link. */
import { Skeleton } from "antd";
import { Link } from "react-router";
import { useLanguage } from "@/app/preferences";
import { useTexts } from "@/app/texts";
import { CopyButton } from "@/ui/CopyButton";
import { addressOfModel } from "./address";
import { contextText } from "./contextText";
import { AccessTags, KindTag, ModelStatus, PriceShort } from "./Marks";
import { texts } from "./texts";
import type { ModelView } from "./types";

export function Grid({ models }: { models: ModelView[] }) {
  return (
    <ul className="models-grid">
      {models.map((model) => (
        <li key={model.name} className="models-card">
          <Card model={model} />
        </li>
      ))}
    </ul>
  );
}

function Card({ model }: { model: ModelView }) {
  const t = useTexts(texts);
  const language = useLanguage();
  const about = (language === "zh" && model.description_zh) || model.description;
  return (
    <article>
      <header>
        <Initial vendor={model.vendor} />
        <div className="models-card-names">
          <h2>
            <Link to={addressOfModel(model.name)}>{model.title || model.name}</Link>
          </h2>
          <span className="quiet mono">{model.name}</span>
        </div>
        <CopyButton className="models-card-copy" text={model.name} label={t.copyName(model.name)} />
      </header>
      <p className="models-card-about">{about}</p>
      <div className="models-card-facts quiet">
        <KindTag kind={model.kind} />
        <span>{model.vendor}</span>
        {model.context === null ? null : <span>{t.contextOf(contextText(model.context))}</span>}
        <span>{t.endpointCount(model.endpoints.length)}</span>
      </div>
      <div className="models-card-price">
        <PriceShort model={model} />
      </div>
      <footer>
        <ModelStatus model={model} />
        <span className="models-card-access">
          <AccessTags model={model} />
        </span>
      </footer>
    </article>
  );
}

/** Stands for a vendor whose sign we do not have. */
export function Initial({ vendor }: { vendor: string }) {
  return (
    <span className="models-initial" aria-hidden="true">
      {(vendor || "?").slice(0, 1).toUpperCase()}
    </span>
  );
}

export function GridSkeleton() {
  return (
    <div className="models-grid">
      {Array.from({ length: 9 }, (_, place) => place).map((place) => (
        <div key={place} className="models-card">
          <Skeleton active avatar={{ shape: "square" }} paragraph={{ rows: 3 }} />
        </div>
      ))}
    </div>
  );
}
