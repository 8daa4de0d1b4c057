import { defineTexts } from "@/app/texts";

export const texts = defineTexts({
  en: {
    title: "Sign in to aimesh",
    username: "Username",
    password: "Password",
    send: "Sign in",
    sso: "Sign in with single sign-on",
    firstTitle: "This installation has no administrator yet",
    firstHint:
      "Open the one-time link that aimesh printed when it started. It is printed again at every start until somebody has used it.",
    forgot: "Forgot the password? An administrator makes you a one-time link.",
    missing: "Needed",
  },
  zh: {
    title: "登录 aimesh",
    username: "用户名",
    password: "密码",
    send: "登录",
    sso: "使用单点登录",
    firstTitle: "此安装尚未设置管理员",
    firstHint: "请打开 aimesh 启动时打印的一次性链接。在有人使用之前，每次启动都会重新打印。",
    forgot: "忘记密码？请管理员为您生成一次性链接。",
    missing: "必填",
  },
});
