import { Select } from "antd";
import { useState } from "react";
import { $api } from "@/api/client";

/** Names and patterns of models: chosen from those that there are, or written. */
export function ModelPatterns(props: {
  id?: string;
  value?: string[];
  onChange?: (models: string[]) => void;
}) {
  // Closed after each choice: in an open list the tab key, on its way to the next field, would choose one more.
  const [isOpen, setIsOpen] = useState(false);
  const query = $api.useQuery("get", "/models", { params: { query: { limit: 200 } } }, { staleTime: 60_000 });
  const names = query.data?.data.map((model) => model.name) ?? [];
  const vendors = new Set(
    names.filter((name) => name.includes("/")).map((name) => `${name.split("/")[0]}/*`),
  );
  return (
    <Select
      {...props}
      mode="tags"
      open={isOpen}
      onOpenChange={setIsOpen}
      onSelect={() => setIsOpen(false)}
      loading={query.isLoading}
      tokenSeparators={[",", " "]}
      options={[...vendors, ...names].map((name) => ({ value: name, label: name }))}
    />
  );
}
