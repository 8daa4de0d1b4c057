"""The quotas of a key as its holder can learn them: one call of one token, and the headers of its answer.

1. The call goes through the data plane like any other: it costs what it costs, and counts.
2. Headers that are absent mean "not reported", never zero.
"""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx

from aimesh.catalog.load import load_built_in
from aimesh.cli.faults import Misused, Refused
from aimesh.cli.output import Document
from aimesh.core.kind import Kind
from aimesh.core.policy import Period
from aimesh.core.secret import Secret

QUOTA_UNAVAILABLE = "GATEWAY_QUOTA_UNAVAILABLE"
MODEL_UNAVAILABLE = "GATEWAY_PROBE_MODEL_UNAVAILABLE"
_HEADER = "x-czgw-ratelimit-api-key-token-"
_CODES = {"PDO": Period.DAILY, "PWO": Period.WEEKLY, "PMO": Period.MONTHLY, "PTO": Period.TOTAL}
_TIMEOUT_S = 60.0
_UNKNOWN_MODEL = (400, 403, 404)


def probe(base_url: str, key: Secret[str], model: str = "") -> list[Document]:
    """One row for each quota that the key has. ``model`` empty: a chat model that the key may call. Raises
    ``Refused``."""
    base = call_base(base_url)
    with httpx.Client(headers={"authorization": f"Bearer {key.reveal()}"}, timeout=_TIMEOUT_S) as client:
        try:
            chosen = model or _chat_model(client, base)
            answer = client.post(
                f"{base}/chat/completions",
                json={"model": chosen, "messages": [{"role": "user", "content": "hi"}], "max_tokens": 1},
            )
        except httpx.TransportError as error:
            raise Refused(f"{base} cannot be reached: {str(error) or type(error).__name__}") from error
    if not model and answer.status_code in _UNKNOWN_MODEL:
        raise Refused(
            f"the key cannot call {chosen}, which was only a guess; name one that it can call with --model",
            code=MODEL_UNAVAILABLE,
            status=answer.status_code,
        )
    if not answer.is_success:
        raise _refusal(answer)
    rows = list(_quotas(answer.headers, chosen))
    if not rows:
        raise Refused(
            "the answer reports no token quota: the key has none, or the gateway does not report it",
            code=QUOTA_UNAVAILABLE,
        )
    return rows


def call_base(url: str) -> str:
    """``.../gateway/v1``, from whatever part of it was given."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Misused("--base-url is where calls go, for example https://ai.example.com/gateway/v1")
    path = parts.path.rstrip("/")
    head, _, last = path.rpartition("/")
    is_version = last.startswith("v") and last[1:].isdecimal()
    if is_version and not head.endswith("/gateway"):
        path = f"{head}/gateway/{last}"
    elif path.endswith("/gateway"):
        path += "/v1"
    elif not is_version:
        path += "/gateway/v1"
    return f"{parts.scheme}://{parts.netloc}{path}"


def _chat_model(client: httpx.Client, base: str) -> str:
    answer = client.get(f"{base}/models")
    if not answer.is_success:
        raise _refusal(answer)
    listed = [str(one["id"]) for one in _decoded(answer).get("data") or ()]
    kinds = {str(one.name): one.kind for one in load_built_in().models}
    # A model that is not built in may be of any kind: it is asked only when there is nothing better.
    ranked = sorted(listed, key=lambda name: kinds.get(name) is not Kind.CHAT)
    usable = [name for name in ranked if kinds.get(name) in (Kind.CHAT, None)]
    if not usable:
        raise Refused("the key may call no chat model, and only those report a quota", code=MODEL_UNAVAILABLE)
    return usable[0]


def _quotas(headers: httpx.Headers, model: str) -> Iterator[Document]:
    columns = {
        name: [one.strip() for one in headers.get(_HEADER + name, "").split(",") if one.strip()]
        for name in ("period", "limit", "used", "remaining")
    }
    for place, code in enumerate(columns["period"]):
        period = _CODES.get(code)
        yield {
            "unit": "tokens",
            "period": period.value if period is not None else code,
            "period_code": code,
            "limit": _number(columns["limit"], place),
            "used": _number(columns["used"], place),
            "remaining": _number(columns["remaining"], place),
            "scope": "api-key",
            "model": model,
        }


def _number(texts: list[str], place: int) -> int | None:
    if place >= len(texts) or not texts[place].lstrip("-").isdecimal():
        return None
    return int(texts[place])


def _refusal(answer: httpx.Response) -> Refused:
    error: Any = _decoded(answer).get("error")
    if not isinstance(error, dict):
        return Refused(f"the gateway answered {answer.status_code}", status=answer.status_code)
    return Refused(
        str(error.get("message") or f"the gateway answered {answer.status_code}"),
        code=str(error.get("code") or QUOTA_UNAVAILABLE),
        status=answer.status_code,
    )


def _decoded(answer: httpx.Response) -> Document:
    try:
        data = answer.json()
    except (json.JSONDecodeError, UnicodeDecodeError):
        return {}
    return data if isinstance(data, dict) else {}
