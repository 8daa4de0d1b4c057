/** Roles, and what each may do, in words. */
import type { Role } from "@/api/schema";
import { defineTexts, useTexts } from "@/app/texts";
import { texts as shell } from "@/app/texts-shell";

export const ROLES: Role[] = ["MEMBER", "AI_GATEWAY_ADMIN", "PLATFORM_ADMIN"];

export const roleTexts = defineTexts<Record<Role, string>>({
  en: {
    MEMBER: "Makes and uses API keys of their own, and sees their own usage and tasks. Sees all models.",
    AI_GATEWAY_ADMIN:
      "Runs the tenant: all API keys, own provider keys (BYOK), usage of everybody, members, the audit log.",
    PLATFORM_ADMIN:
      "Runs the installation: providers, models, prices, alerts and all tenants, and everything within them.",
  },
  zh: {
    MEMBER: "创建和使用自己的 API Key，查看自己的用量和任务，可查看所有模型。",
    AI_GATEWAY_ADMIN: "管理租户：全部 API Key、自带密钥（BYOK）、所有人的用量、成员和审计日志。",
    PLATFORM_ADMIN: "管理整个安装：供应商、模型、价格、告警和所有租户，以及租户内的一切。",
  },
});

/** Who has a role gives it and lower ones. */
export function rolesBelow(role: Role): Role[] {
  return ROLES.slice(0, ROLES.indexOf(role) + 1);
}

export function RoleName({ role }: { role: Role }) {
  return <>{useTexts(shell).roles[role]}</>;
}
