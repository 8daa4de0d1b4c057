import { Button } from "antd";
import { Link } from "react-router";
import { useTexts } from "@/app/texts";
import { Empty } from "@/ui/Empty";
import { texts } from "./texts";

export function NoModels() {
  const t = useTexts(texts);
  return (
    <Empty
      title={t.noModels}
      hint={t.noModelsHint}
      action={
        <Link to="/models">
          <Button>{t.toModels}</Button>
        </Link>
      }
    />
  );
}
