/** A channel as its form has it. An empty address or secret is not sent: the stored one stays. */
import type { ChannelAnswer, ChannelBody } from "@/api/schema";

export interface ChannelFields {
  name: string;
  kind: ChannelAnswer["kind"];
  enabled?: boolean;
  allow_private?: boolean;
  url?: string;
  secret?: string;
  host?: string;
  port?: number | null;
  security?: ChannelAnswer["security"];
  username?: string;
  sender?: string;
  recipients?: string[];
}

export const NEW_CHANNEL: ChannelFields = {
  name: "",
  kind: "webhook",
  enabled: true,
  allow_private: false,
  port: 587,
  security: "starttls",
  recipients: [],
};

export function toFields(channel: ChannelAnswer): ChannelFields {
  const { name, kind, enabled, allow_private, host, port, security, username, sender, recipients } = channel;
  const isMail = kind === "smtp";
  return {
    name,
    kind,
    enabled,
    allow_private,
    security,
    port: isMail ? port : 587,
    ...(isMail ? { host, username, sender, recipients } : {}),
  };
}

export function channelBody(fields: ChannelFields): ChannelBody {
  const usual = {
    name: fields.name.trim(),
    kind: fields.kind,
    enabled: fields.enabled ?? true,
    allow_private: fields.allow_private ?? false,
    ...(fields.secret ? { secret: fields.secret } : {}),
  };
  const mail = {
    host: fields.host?.trim() ?? "",
    port: fields.port ?? 587,
    security: fields.security ?? ("starttls" as const),
    username: fields.username?.trim() ?? "",
    sender: fields.sender?.trim() || null,
    recipients: fields.recipients ?? [],
  };
  if (fields.kind === "smtp") return { ...usual, ...mail };
  const none = { host: "", port: 587, security: "starttls" as const, username: "", recipients: [] };
  return { ...usual, ...none, ...(fields.url?.trim() ? { url: fields.url.trim() } : {}) };
}
