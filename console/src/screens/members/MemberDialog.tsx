/** Adds somebody, or changes name, address and role. */
import { useQueryClient } from "@tanstack/react-query";
import { Form, Input, Modal, Radio, Space } from "antd";
import { $api } from "@/api/client";
import type { Member, NewMember, Role } from "@/api/schema";
import { useSession } from "@/app/session";
import { useTexts } from "@/app/texts";
import { useSaying } from "@/ui/useSaying";
import { Refusal } from "./Refusal";
import { RoleName, rolesBelow, roleTexts } from "./roles";
import { texts } from "./texts";

type Fields = Required<Pick<NewMember, "username" | "display_name" | "email" | "role">>;

interface Props {
  /** Null: a new one. */
  member: Member | null;
  onClose: () => void;
  onAdded: (member: Member) => Promise<void>;
}

export function MemberDialog({ member, onClose, onAdded }: Props) {
  const t = useTexts(texts);
  const say = useSaying();
  const client = useQueryClient();
  const [form] = Form.useForm<Fields>();
  const done = (words: string) => {
    say.done(words);
    onClose();
    return client.invalidateQueries({ queryKey: ["get", "/members"] });
  };
  const add = $api.useMutation("post", "/members", {
    onSuccess: async (made) => {
      await done(t.added(made.username));
      await onAdded(made);
    },
  });
  const change = $api.useMutation("patch", "/members/{user_id}", {
    onSuccess: (saved) => done(t.saved(saved.username)),
  });
  const send = ({ username, ...terms }: Fields) => {
    if (member === null) {
      add.mutate({ body: { username: username.trim(), ...terms, enabled: true } });
      return;
    }
    const header = { "if-match": `"${member.version}"` };
    change.mutate({ params: { path: { user_id: member.id }, header }, body: terms });
  };
  const error = add.error ?? change.error;
  return (
    <Modal
      open
      title={member ? t.editTitle(member.username) : t.addTitle}
      okText={member ? t.save : t.addYes}
      cancelText={t.cancel}
      confirmLoading={add.isPending || change.isPending}
      onOk={() => form.submit()}
      onCancel={onClose}
    >
      <Form
        form={form}
        layout="vertical"
        requiredMark={false}
        initialValues={member ?? { display_name: "", email: "", role: "MEMBER" }}
        onFinish={send}
      >
        <MemberFields member={member} />
        {error ? <Refusal error={error} words={t.refusals} /> : null}
      </Form>
    </Modal>
  );
}

function MemberFields({ member }: { member: Member | null }) {
  const t = useTexts(texts);
  return (
    <>
      <Form.Item
        name="username"
        label={t.username}
        extra={member ? t.usernameFixed : t.usernameHint}
        validateTrigger="onBlur"
        rules={[
          { required: true, message: t.missing },
          { pattern: /^\s*[\w.@+-]+\s*$/, message: t.usernameHint },
        ]}
      >
        <Input maxLength={100} autoComplete="off" disabled={member !== null} />
      </Form.Item>
      <Form.Item name="display_name" label={t.displayName}>
        <Input maxLength={200} autoComplete="off" />
      </Form.Item>
      <Form.Item
        name="email"
        label={t.email}
        extra={t.emailHint}
        validateTrigger="onBlur"
        rules={[{ type: "email", message: t.notEmail }]}
      >
        <Input maxLength={200} autoComplete="off" />
      </Form.Item>
      <RoleField member={member} />
    </>
  );
}

function RoleField({ member }: { member: Member | null }) {
  const t = useTexts(texts);
  const words = useTexts(roleTexts);
  const session = useSession();
  const isOwn = member !== null && member.id === session.user?.id;
  const offered: Role[] = rolesBelow(session.role);
  return (
    <Form.Item name="role" label={t.role} extra={isOwn ? t.ownRole : undefined}>
      <Radio.Group disabled={isOwn} aria-label={t.role}>
        <Space orientation="vertical">
          {offered.map((role) => (
            <Radio key={role} value={role} style={{ alignItems: "flex-start" }}>
              <RoleName role={role} />
              <div className="quiet">{words[role]}</div>
            </Radio>
          ))}
        </Space>
      </Radio.Group>
    </Form.Item>
  );
}
