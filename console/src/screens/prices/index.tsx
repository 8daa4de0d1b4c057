/** Prices that usage was priced with, discounts of tenants, and pricing again. */
import { Tabs } from "antd";
import { useTexts } from "@/app/texts";
import { PageHead } from "@/ui/PageHead";
import { useUrlState } from "@/ui/useUrlState";
import { Discounts } from "./Discounts";
import { Repricing } from "./Repricing";
import { texts } from "./texts";
import { Versions } from "./Versions";

export default function Prices() {
  const t = useTexts(texts);
  const [values, change] = useUrlState();
  return (
    <>
      <PageHead title={t.title} about={t.about} />
      <Tabs
        activeKey={values.tab ?? "versions"}
        onChange={(tab) => change({ tab: tab === "versions" ? null : tab })}
        destroyOnHidden
        items={[
          {
            key: "versions",
            label: t.tabs.versions,
            children: (
              <Versions endpoint={values.endpoint ?? ""} onEndpoint={(endpoint) => change({ endpoint })} />
            ),
          },
          {
            key: "discounts",
            label: t.tabs.discounts,
            children: <Discounts tenant={values.of} onTenant={(of) => change({ of })} />,
          },
          { key: "reprice", label: t.tabs.reprice, children: <Repricing /> },
        ]}
      />
    </>
  );
}
