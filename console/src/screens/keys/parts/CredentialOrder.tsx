/** Own provider keys (BYOK) in order. Who may not list them writes their names. */
import { PlusOutlined } from "@ant-design/icons";
import { Button, Input, Space } from "antd";
import { useState } from "react";
import { Link } from "react-router";
import { useTexts } from "@/app/texts";
import { OrderedList } from "./OrderedList";
import { Part, type RoutePartProps } from "./Part";
import { AddSelect } from "./ProviderChoice";
import { texts } from "./texts";
import { useCredentials, useProviderNames } from "./useNames";

export function CredentialOrder({ route, change, disabled }: RoutePartProps) {
  const t = useTexts(texts);
  const { credentials, isAllowed } = useCredentials();
  const { nameOf } = useProviderNames();
  const mark = (name: string) => {
    if (credentials === undefined) return undefined;
    const found = credentials.find((each) => each.name === name);
    if (found === undefined) return t.gone;
    return found.enabled ? undefined : t.isDisabled;
  };
  const add = (name: string) => {
    if (!route.credentials.includes(name)) change({ credentials: [...route.credentials, name] });
  };
  const options = (credentials ?? [])
    .filter((each) => !route.credentials.includes(each.name))
    .map((each) => ({ value: each.name, label: `${each.name} (${nameOf(each.provider)})` }));
  return (
    <Part
      label={t.order}
      hint={
        credentials?.length === 0 ? (
          <>
            {t.noByok} <Link to="/byok">{t.toByok}</Link>
          </>
        ) : route.credentials.length === 0 ? (
          t.noCredentials
        ) : (
          t.orderHint
        )
      }
    >
      <OrderedList
        label={t.order}
        disabled={disabled}
        lines={route.credentials.map((name) => ({ id: name, title: name, mark: mark(name) }))}
        onChange={(names) => change({ credentials: names })}
      />
      {isAllowed ? (
        <AddSelect label={t.addCredential} options={options} disabled={disabled} onAdd={add} />
      ) : (
        <AddByName disabled={disabled} onAdd={add} />
      )}
    </Part>
  );
}

function AddByName({ disabled, onAdd }: { disabled: boolean; onAdd: (name: string) => void }) {
  const t = useTexts(texts);
  const [name, setName] = useState("");
  const add = () => {
    if (name.trim()) onAdd(name.trim());
    setName("");
  };
  return (
    <Space.Compact block>
      <Input
        aria-label={t.credentialName}
        placeholder={t.credentialName}
        disabled={disabled}
        value={name}
        onChange={(event) => setName(event.target.value)}
        onPressEnter={(event) => {
          // Enter here adds a name and sends no form.
          event.preventDefault();
          add();
        }}
      />
      <Button icon={<PlusOutlined />} disabled={disabled || !name.trim()} onClick={add}>
        {t.add}
      </Button>
    </Space.Compact>
  );
}
