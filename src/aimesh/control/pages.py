"""Pages for people until there is a console: setting the first or a new password, and what went wrong.

1. A page is one self-contained document: no other site, no cookie, no secret in it. Its policy lets in exactly its own
   script and style, by their hashes.
2. The token of a link stands behind ``#`` and is taken out of the address as soon as it is read.
3. Chinese or English, as the browser asks.
"""

import base64
import hashlib
import html
from collections.abc import Mapping

from fastapi import Request
from fastapi.responses import HTMLResponse

from aimesh.control.noun import PREFIX

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 0; background: #f4f5f7; color: #1c2024; }
main { max-width: 24rem; margin: 12vh auto 0; padding: 2rem; background: #fff; border-radius: 8px; }
h1 { font-size: 1.25rem; margin: 0 0 1rem; }
label { display: block; margin: 0.75rem 0 0; }
input { box-sizing: border-box; width: 100%; padding: 0.5rem; font: inherit; }
button { margin-top: 1.25rem; padding: 0.5rem 1rem; font: inherit; cursor: pointer; }
[role=alert] { color: #b00020; min-height: 1.5em; margin: 0.75rem 0 0; }
[hidden] { display: none; }
main.wide { max-width: 60rem; margin: 2rem auto; }
h3 { font: 600 1rem ui-monospace, monospace; margin: 2rem 0 0; overflow-wrap: anywhere; }
td { padding: 0 1rem 0 0; vertical-align: top; }
"""

_SCRIPT = """
"use strict";
const words = document.querySelector("main").dataset;
const form = document.querySelector("form");
const alert = document.querySelector("[role=alert]");
const found = /^#(setup|link)=([A-Za-z0-9_-]+)$/.exec(location.hash);
history.replaceState(null, "", location.pathname);
if (found === null) {
  alert.textContent = words.noLink;
} else {
  document.getElementById("who").hidden = found[1] === "link";
  form.elements.username.required = found[1] === "setup";
  form.hidden = false;
}
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const fields = form.elements;
  alert.textContent = "";
  if (fields.password.value !== fields.again.value) {
    alert.textContent = words.differ;
    return;
  }
  const isSetup = found[1] === "setup";
  const body = { password: fields.password.value };
  if (isSetup) {
    body.token = found[2];
    body.username = fields.username.value;
  }
  fields.send.disabled = true;
  try {
    const answer = await fetch(words.api + (isSetup ? "/setup" : "/password-links/" + found[2]), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    const told = await answer.json();
    if (answer.ok) {
      form.hidden = true;
      document.getElementById("done").hidden = false;
      document.getElementById("name").textContent = told.name;
    } else {
      alert.textContent = told.error.message;
    }
  } catch {
    alert.textContent = words.away;
  }
  fields.send.disabled = false;
});
"""

_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "title": "Set a password",
        "username": "Username",
        "password": "Password (at least 10 characters)",
        "again": "Password again",
        "send": "Save",
        "done": "The password is set. You are signed in as",
        "on": "Go on",
        "no_link": "Open this page with the link that you were given.",
        "differ": "The two passwords differ.",
        "away": "aimesh cannot be reached. Try again in a moment.",
        "failed": "Signing in did not work",
        "no_script": "This page needs JavaScript.",
    },
    "zh-CN": {
        "title": "设置密码",
        "username": "用户名",
        "password": "密码（至少 10 个字符）",
        "again": "再次输入密码",
        "send": "保存",
        "done": "密码已设置，当前登录用户：",
        "on": "继续",
        "no_link": "请使用收到的链接打开此页面。",
        "differ": "两次输入的密码不一致。",
        "away": "无法连接 aimesh，请稍后再试。",
        "failed": "登录失败",
        "no_script": "此页面需要启用 JavaScript。",
    },
}


def setup_page(request: Request) -> HTMLResponse:
    """``GET /setup``."""
    language = language_of(request)
    words = {name: html.escape(text) for name, text in _WORDS[language].items()}
    main = f"""<main data-api="{PREFIX}" data-no-link="{words["no_link"]}" data-differ="{words["differ"]}"
 data-away="{words["away"]}">
<h1>{words["title"]}</h1>
<noscript>{words["no_script"]}</noscript>
<form hidden autocomplete="on">
<label id="who">{words["username"]}<input name="username" autocomplete="username" maxlength="100"></label>
<label>{words["password"]}<input name="password" type="password" autocomplete="new-password" minlength="10"
 maxlength="256" required></label>
<label>{words["again"]}<input name="again" type="password" autocomplete="new-password" required></label>
<button name="send">{words["send"]}</button>
</form>
<p role="alert"></p>
<p id="done" hidden>{words["done"]} <b id="name"></b>. <a href="/">{words["on"]}</a></p>
</main>
<script>{_SCRIPT}</script>"""
    return HTMLResponse(_document(language, words["title"], main), headers=page_headers())


def failure_page(request: Request, message: str) -> str:
    language = language_of(request)
    title = html.escape(_WORDS[language]["failed"])
    main = f'<main><h1>{title}</h1><p role="alert">{html.escape(message)}</p><a href="/">aimesh</a></main>'
    return _document(language, title, main)


def plain_page(title: str, main: str) -> str:
    """A page in English without a script; ``main`` is markup."""
    return _document("en", html.escape(title), main)


def page_headers() -> dict[str, str]:
    policy = (
        "default-src 'none'; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; "
        f"script-src 'sha256-{_hash(_SCRIPT)}'; style-src 'sha256-{_hash(_STYLE)}'"
    )
    return {"content-security-policy": policy}


def wants_page(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")


def language_of(request: Request) -> str:
    """The first of the browser's languages that there is."""
    for one in request.headers.get("accept-language", "").split(","):
        name = one.partition(";")[0].strip().lower()
        if name.startswith("zh"):
            return "zh-CN"
        if name.startswith("en"):
            return "en"
    return "en"


def _document(language: str, title: str, main: str) -> str:
    return f"""<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} - aimesh</title>
<style>{_STYLE}</style>
</head>
<body>
{main}
</body>
</html>
"""


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
