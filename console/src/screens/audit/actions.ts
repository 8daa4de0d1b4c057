/** Actions in words. An action is a kind of thing and a verb; a newer server may have others, which show as they are. */
import { defineTexts } from "@/app/texts";

/** What can be asked for, by kind. */
export const ACTIONS: Record<string, string[]> = {
  key: ["create", "change", "enable", "disable", "rotate", "reveal", "delete"],
  byok: ["create", "change", "test", "delete"],
  user: ["create", "change", "password", "password_link", "lock", "bind", "remove"],
  session: ["begin", "refuse", "end"],
  token: ["create", "remove"],
  task: ["cancel"],
  credential: ["create", "change", "test", "delete"],
  model: ["change", "reset"],
  endpoint: ["change", "reset"],
  discount: ["create", "change", "delete"],
  usage: ["reprice"],
  alert_channel: ["create", "change", "test", "delete"],
  alert_rule: ["create", "change", "delete"],
  tenant: ["create", "change"],
};

interface ActionTexts {
  kinds: Record<string, string>;
  verbs: Record<string, string>;
  /** Where kind and verb together read badly. */
  whole: Record<string, string>;
  join: (kind: string, verb: string) => string;
  all: (kind: string) => string;
}

export const actionTexts = defineTexts<ActionTexts>({
  en: {
    kinds: {
      key: "API key",
      byok: "BYOK key",
      user: "Member",
      session: "Signing in",
      token: "API token",
      task: "Task",
      credential: "Provider key",
      model: "Model",
      endpoint: "Endpoint",
      discount: "Discount",
      usage: "Usage",
      alert_channel: "Alert channel",
      alert_rule: "Alert rule",
      tenant: "Tenant",
    },
    verbs: {
      create: "created",
      change: "changed",
      enable: "enabled",
      disable: "disabled",
      rotate: "rotated",
      reveal: "revealed",
      delete: "deleted",
      remove: "removed",
      test: "tested",
      lock: "locked",
      bind: "bound to single sign-on",
      cancel: "cancelled",
      reprice: "priced again",
      reset: "set back",
    },
    whole: {
      "session.begin": "Signed in",
      "session.refuse": "Sign-in refused",
      "session.end": "Signed out",
      "user.password": "Password set",
      "user.password_link": "Password link made",
    },
    join: (kind, verb) => `${kind} ${verb}`,
    all: (kind) => `${kind}: everything`,
  },
  zh: {
    kinds: {
      key: "API Key",
      byok: "自带密钥",
      user: "成员",
      session: "登录",
      token: "API 令牌",
      task: "任务",
      credential: "供应商密钥",
      model: "模型",
      endpoint: "端点",
      discount: "折扣",
      usage: "用量",
      alert_channel: "告警渠道",
      alert_rule: "告警规则",
      tenant: "租户",
    },
    verbs: {
      create: "创建",
      change: "修改",
      enable: "启用",
      disable: "禁用",
      rotate: "轮换",
      reveal: "查看明文",
      delete: "删除",
      remove: "移除",
      test: "测试",
      lock: "锁定",
      bind: "绑定单点登录",
      cancel: "取消",
      reprice: "重新计价",
      reset: "恢复默认",
    },
    whole: {
      "session.begin": "登录",
      "session.refuse": "登录被拒绝",
      "session.end": "退出登录",
      "user.password": "设置密码",
      "user.password_link": "生成密码链接",
    },
    join: (kind, verb) => `${kind}：${verb}`,
    all: (kind) => `${kind}：全部`,
  },
});

export function actionInWords(action: string, t: ActionTexts): string {
  const whole = t.whole[action];
  if (whole !== undefined) return whole;
  const [kind = "", verb = ""] = action.split(".");
  const words = t.verbs[verb];
  return words === undefined ? action : t.join(t.kinds[kind] ?? kind, words);
}
