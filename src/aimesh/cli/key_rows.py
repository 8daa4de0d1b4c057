"""Virtual keys as the commands name and show them.

1. A reference is an alias, or else a key's text, whole or masked, or its id. ``-`` reads it from stdin, so that a
   text need not stand on a command line.
2. A reference that fits several keys changes none of them.
3. The text of a key is not sent: it is looked for by its SHA-256, before the reference is taken for an alias.
"""

from typing import Any

import typer

from aimesh.catalog.problem import did_you_mean
from aimesh.cli.client import segment
from aimesh.cli.connect import Session
from aimesh.cli.faults import Misused, Refused
from aimesh.cli.output import Answer, Document
from aimesh.core.policy import Unit
from aimesh.core.secret import Secret
from aimesh.store.key_text import is_made, named_by_digest

KEY_COLUMNS = ("alias", "key", "status", "quota", "routing", "models", "owner", "created")
_STATUS = {"active": "enabled"}
_MASK = "****"


def find_alias(session: Session, alias: str) -> Document | None:
    """The key with exactly this alias."""
    rows = session.client.rows("/keys", {"alias": alias})
    return next((row for row in rows if row["alias"] == alias), None)


def find_key(session: Session, ref: str) -> Document:
    """The key that is meant. Raises ``Refused``."""
    if ref == "-":
        ref = typer.get_text_stream("stdin").readline().strip()
    if not ref:
        raise Misused("which key? Name its alias; aimesh key list shows all")
    found = list(session.client.rows("/keys", {"key": asked_key(ref)})) if may_be_text(ref) else []
    if not found and is_made(ref):
        raise Refused(_not_found(session, ref), code="KEY_NOT_FOUND")
    if not found and (named := find_alias(session, ref)) is not None:
        return named
    if not found and not may_be_text(ref):
        found = list(session.client.rows("/keys", {"key": ref}))
    if len(found) > 1:
        names = ", ".join(row["alias"] for row in found)
        raise Refused(f"this fits several keys, say which by its alias: {names}", code="KEY_AMBIGUOUS")
    if found:
        return found[0]
    try:
        return session.client.get(f"/keys/{segment(ref)}").data
    except Refused as error:
        if error.status not in (404, 422):
            raise
    raise Refused(_not_found(session, ref), code="KEY_NOT_FOUND")


def may_be_text(ref: str) -> bool:
    """A key of aimesh.yaml may have any text of 16 characters or more."""
    return len(ref) >= 16 and " " not in ref and _MASK not in ref


def asked_key(ref: str) -> str:
    """What is sent to find a key by its text, whole or masked."""
    return ref if _MASK in ref else named_by_digest(Secret(ref))


def _not_found(session: Session, ref: str) -> str:
    if ref.startswith("ck-"):
        # Whoever mistyped a key does not want to see it again.
        return "there is no key with this text; aimesh key list shows all"
    first = session.client.page("/keys", number=1, size=200).rows
    hint = did_you_mean(ref, [row["alias"] for row in first])
    return f"there is no key named {ref!r}; {hint or 'aimesh key list shows all'}"


def user_id(session: Session, name: str) -> str:
    """The id of a member, by username or id."""
    for row in session.client.rows("/members"):
        if name in (row["username"], row["id"]):
            return str(row["id"])
    raise Refused(f"there is no member {name!r}; aimesh member list shows all", code="MEMBER_NOT_FOUND")


def key_data(key: Document) -> Document:
    """A key for programs."""
    limits: Document = key.get("limits") or {}
    owner = key.get("owner")
    return {
        "id": key["id"],
        "alias": key["alias"],
        "key": key["key"],
        "status": _STATUS.get(key["status"], key["status"]),
        "owner": owner.get("username") if isinstance(owner, dict) else owner,
        "models": key.get("models") or [],
        "networks": key.get("networks") or [],
        "expires_at": key.get("expires_at"),
        "labels": key.get("labels") or {},
        "route": key.get("route") or {},
        "quotas": limits.get("quotas") or [],
        "rpm": limits.get("rpm"),
        "tpm": limits.get("tpm"),
        "concurrency": limits.get("concurrency"),
        "source": key.get("source"),
        "created_at": key.get("created_at"),
        "updated_at": key.get("updated_at"),
    }


def key_row(data: Document) -> Document:
    """A key for people."""
    return {
        "alias": data["alias"],
        "key": data["key"],
        "status": data["status"],
        "quota": ", ".join(map(quota_text, data["quotas"])) or "none",
        "routing": route_text(data["route"]),
        "models": ", ".join(data["models"]) or "all",
        "owner": data["owner"] or "",
        "created": time_text(data["created_at"]),
    }


def key_more(data: Document) -> Document:
    """The rest of a key for people: what is said of it alone."""
    rates = {"requests a minute": "rpm", "tokens a minute": "tpm", "calls at once": "concurrency"}
    return {
        "networks": ", ".join(data["networks"]) or "any",
        "expires": time_text(data["expires_at"]) or "never",
        "labels": ", ".join(f"{name}={value}" for name, value in data["labels"].items()),
        "rates": ", ".join(f"{data[name]} {words}" for words, name in rates.items() if data[name]) or "any",
        "source": data["source"],
        "updated": time_text(data["updated_at"]),
        "id": data["id"],
    }


def quota_text(quota: Document) -> str:
    used = quota.get("used")
    unit = "" if quota["unit"] == Unit.TOKENS.value else f" {quota['unit']}"
    share = f"{amount_text(used)} of " if used is not None else ""
    return f"{quota['period']} {share}{amount_text(quota['limit'])}{unit}"


def amount_text(amount: Any) -> str:
    return f"{amount:,}" if isinstance(amount, int) else str(amount)


def route_text(route: Document) -> str:
    mode = route.get("mode", "default")
    names = [*route.get("providers", ()), *route.get("credentials", ())]
    if mode == "default":
        names = [f"by {route.get('rank_by', 'price')}", *names]
    return f"{mode}: {', '.join(names)}" if names else str(mode)


def time_text(text: Any) -> str:
    """ISO 8601 as people read it. The first second of all stands for "always"."""
    if str(text or "").startswith("1970-01-01T00:00:00"):
        return ""
    return str(text or "").replace("T", " ").split(".", 1)[0].removesuffix("Z")


def changed_answer(key: Document, text: str) -> Answer:
    """A key that was changed; people get a sentence."""
    return Answer(data=key_data(key), text=text, note=" ".join(key.get("warnings") or ()))


def text_answer(key: Document) -> Answer:
    """A key with its text; people get the text alone."""
    data = {"id": key["id"], "alias": key["alias"], "key": key["text"]}
    if key.get("limits") is not None:
        data |= {name: value for name, value in key_data(key).items() if name not in data}
    return Answer(data=data, text=key["text"], note=" ".join(key.get("warnings") or ()))
