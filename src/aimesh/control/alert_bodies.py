"""What is sent to a webhook: bodies and signatures, each as its receiver wants it.

1. ``webhook``: JSON of the notice. With a secret, ``x-aimesh-signature`` is ``sha256=`` and the hexadecimal HMAC-SHA256
   over the seconds of ``x-aimesh-timestamp``, a dot and the body.
2. DingTalk signs milliseconds in the address, Feishu (Lark) seconds in the body, with an empty text under a key made
   of both; robots of WeCom have no signature.
3. A robot that refuses says so in its body, with HTTP 200.

The vendors' own pages were not read for this. Clients cite open.feishu.cn/document/client-docs/bot-v3/add-custom-bot
for Feishu and developer.work.weixin.qq.com/document/path/91770 for WeCom. Bodies and both signatures are as several of
them, which do not know one another, make them; no vendor's robot has been called.
- DingTalk: https://tmasjc.rbind.io/2019-11-10-trigger-dingtalk-webhook, https://www.mihaoyun.com/wordpress/?p=391
- Feishu: https://github.com/lynnclub/go (v1/sign), https://github.com/leesinz/Athena (notifications/feishu.py)
- WeCom, with the longest text: https://docs.zhuonian.xyz/api/wecom-webhook.html
"""

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from urllib.parse import quote_plus

import msgspec
from msgspec import Struct

from aimesh.core.alert_kind import ChannelKind
from aimesh.store.alerts import ChannelSecrets, Notice

_LONGEST_BYTES = 2000
"""WeCom takes 2048."""
_TITLES = {"firing": "ALERT", "resolved": "RESOLVED", "test": "TEST"}


class Post(Struct, frozen=True):
    query: str
    """To be added to the URL's own; empty: nothing."""
    headers: tuple[tuple[str, str], ...]
    body: bytes


class _Said(Struct):
    """What a robot answers."""

    errcode: int = 0
    code: int = 0
    errmsg: str = ""
    msg: str = ""


def title_of(notice: Notice) -> str:
    return f"[{_TITLES[notice.status]}] {notice.rule}"


def text_of(notice: Notice) -> str:
    text = f"{title_of(notice)}\n{notice.message}\n{_iso(notice.at_s)}"
    return text.encode()[:_LONGEST_BYTES].decode(errors="ignore")


def post_of(kind: ChannelKind, secrets: ChannelSecrets, notice: Notice, now_s: float) -> Post:
    match kind:
        case ChannelKind.DINGTALK:
            body = {"msgtype": "text", "text": {"content": text_of(notice)}}
            return Post(_dingtalk_query(secrets.secret, now_s), (), msgspec.json.encode(body))
        case ChannelKind.FEISHU:
            told: dict[str, object] = {"msg_type": "text", "content": {"text": text_of(notice)}}
            return Post("", (), msgspec.json.encode(_feishu_sign(secrets.secret, now_s) | told))
        case ChannelKind.WECOM:
            body = {"msgtype": "text", "text": {"content": text_of(notice)}}
            return Post("", (), msgspec.json.encode(body))
        case ChannelKind.WEBHOOK | ChannelKind.SMTP:
            return _signed(secrets.secret, _json_of(notice), now_s)


def refusal_in(kind: ChannelKind, body: bytes) -> str:
    """Why a robot does not take it, from an answer with HTTP 200; empty: it does."""
    if kind is ChannelKind.WEBHOOK:
        return ""
    try:
        said = msgspec.json.decode(body, type=_Said)
    except msgspec.DecodeError:
        return "the answer is not a robot's"
    number = said.errcode or said.code
    return f"{number}: {said.errmsg or said.msg}"[:200] if number else ""


def _json_of(notice: Notice) -> bytes:
    told = {
        "id": notice.id,
        "status": notice.status,
        "rule": notice.rule,
        "kind": notice.kind,
        "subject": notice.subject,
        "value": notice.value,
        "message": notice.message,
        "at": _iso(notice.at_s),
        "since": _iso(notice.since_s),
    }
    return msgspec.json.encode(told)


def _signed(secret: str, body: bytes, now_s: float) -> Post:
    stamp = str(int(now_s))
    headers = [("x-aimesh-timestamp", stamp)]
    if secret:
        digest = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        headers.append(("x-aimesh-signature", f"sha256={digest}"))
    return Post("", tuple(headers), body)


def _dingtalk_query(secret: str, now_s: float) -> str:
    if not secret:
        return ""
    stamp = str(round(now_s * 1000))
    digest = hmac.new(secret.encode(), f"{stamp}\n{secret}".encode(), hashlib.sha256).digest()
    return f"timestamp={stamp}&sign={quote_plus(base64.b64encode(digest))}"


def _feishu_sign(secret: str, now_s: float) -> dict[str, object]:
    if not secret:
        return {}
    stamp = str(int(now_s))
    digest = hmac.new(f"{stamp}\n{secret}".encode(), b"", hashlib.sha256).digest()
    return {"timestamp": stamp, "sign": base64.b64encode(digest).decode()}


def _iso(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
