"""Virtual keys as the admin API takes and gives them.

1. The text of a key stands only in the answers of creating, copying, rotating and revealing one.
2. What is left out of an edit stays as it is. So does what is null, except ``expires_at``: null ends the expiry.
"""

import ipaddress
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic.config import JsonDict

from aimesh.control.http import Page
from aimesh.control.schemas_policy import LimitsBody, RouteBody
from aimesh.control.texts import Line, OptionalLine, Time
from aimesh.core.policy import Period, Unit

MOST_LABELS = 32
MOST_AT_ONCE = 1000
LONGEST_GRACE_S = 90 * 86_400


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("only printable characters are possible")
    return text


def _untrimmed(text: str) -> str:
    if text != text.strip():
        raise ValueError("it does not begin or end with a space")
    return _printable(text)


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text))
    except ValueError:
        pass
    try:
        wide = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueError("not a network; for example 10.0.0.0/8, or a single address") from None
    raise ValueError(f"it has bits beyond its length; did you mean {wide}?")


Alias = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(_untrimmed)]
Pattern = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_untrimmed)]
Network = Annotated[str, StringConstraints(min_length=1, max_length=60), AfterValidator(_network)]
LabelName = Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(_untrimmed)]
LabelValue = Annotated[str, StringConstraints(max_length=256), AfterValidator(_printable)]

Patterns = Annotated[
    list[Pattern],
    Field(
        max_length=200,
        description="Models it may call; `*` stands for any text. None: all.",
        examples=[["qwen/*"]],
    ),
]
Networks = Annotated[
    list[Network],
    Field(
        max_length=100,
        description="Where calls may come from (CIDR). None: anywhere.",
        examples=[["10.0.0.0/8"]],
    ),
]
Labels = Annotated[
    dict[LabelName, LabelValue],
    Field(max_length=MOST_LABELS, description="For allocating cost.", examples=[{"team": "search"}]),
]


class KeyEdit(BaseModel):
    """What to change. What is left out or null stays; only a null `expires_at` ends the expiry."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"models": ["qwen/*"], "labels": {"team": "search"}}}
    )

    models: Patterns | None = None
    networks: Networks | None = None
    expires_at: Time | None = Field(default=None, description="In the future. Null: never.")
    labels: Labels | None = None
    route: RouteBody | None = None
    limits: LimitsBody | None = None


class KeyPatch(KeyEdit):
    """What to change. What is left out or null stays; only a null `expires_at` ends the expiry."""

    alias: Alias | None = None


class KeyCreate(KeyEdit):
    """A new key. A route or limits that are left out are the tenant's defaults."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "alias": "search-production-chat",
                "models": ["qwen/*"],
                "labels": {"team": "search"},
                "limits": {"quotas": [{"unit": "tokens", "period": "monthly", "limit": 10_000_000}]},
            }
        },
    )

    alias: Alias = Field(description="Unique name; for example business line - environment - purpose.")


class KeyCopy(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"alias": "search-staging-chat"}})

    alias: Alias = Field(description="Of the new key.")


class KeyRotate(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"grace_s": 86_400}})

    grace_s: int = Field(
        default=0, ge=0, le=LONGEST_GRACE_S, description="How long the old text still works, in seconds."
    )


class Owner(BaseModel):
    id: str
    username: str | None = Field(description="Null: the person was removed.")


class QuotaUse(BaseModel):
    """A quota, and what was used of it in the running period. Null: not known."""

    unit: Unit
    period: Period
    limit: int | str = Field(description="Tokens, or money as decimal text.")
    used: int | str | None = None
    held: int | str | None = Field(default=None, description="Set aside for calls that are running.")
    remaining: int | str | None = None
    resets_at: Time | None = Field(default=None, description="When the period begins again; null: never.")


class LimitsUse(BaseModel):
    quotas: list[QuotaUse]
    rpm: int | None
    tpm: int | None
    concurrency: int | None


_KEY: JsonDict = {
    "id": "key-0190f2a4c1de5f3b9a77c0d2",
    "alias": "search-production-chat",
    "key": "ck-1****9f3c",
    "status": "active",
    "owner": {"id": "usr_0190f2a4c1de5f3b9a77c0d2", "username": "lin"},
    "models": ["qwen/*"],
    "networks": [],
    "expires_at": None,
    "labels": {"team": "search"},
    "route": {"mode": "default", "rank_by": "price"},
    "limits": {
        "quotas": [
            {
                "unit": "tokens",
                "period": "monthly",
                "limit": 10_000_000,
                "used": 1_200,
                "held": 0,
                "remaining": 9_998_800,
                "resets_at": "2026-02-01T00:00:00+08:00",
            }
        ],
        "rpm": None,
        "tpm": None,
        "concurrency": None,
    },
    "source": "database",
    "old_text_until": None,
    "warnings": [],
    "created_at": "2026-01-31T08:00:00Z",
    "updated_at": "2026-01-31T08:00:00Z",
    "version": 1,
}


class KeyView(BaseModel):
    model_config = ConfigDict(json_schema_extra={"example": _KEY})

    id: str
    alias: str
    key: str = Field(description="Masked.")
    status: Literal["active", "disabled", "expired"]
    owner: Owner | None = Field(description="Who made it; null: nobody.")
    models: list[str]
    networks: list[str]
    expires_at: Time | None
    labels: dict[str, str]
    route: RouteBody
    limits: LimitsUse
    source: Literal["database", "file"] = Field(description="`file`: from aimesh.yaml, and read-only here.")
    old_text_until: Time | None = Field(description="Until then a text that was rotated away works too.")
    warnings: list[str] = Field(description="What is set and cannot work at present.")
    created_at: Time | None
    updated_at: Time | None
    version: int = Field(description="For `If-Match`.")


_TEXT = "ck-0000000000000000000000000000000000000000"


class KeyWithText(KeyView):
    """The one answer with the text of the key."""

    model_config = ConfigDict(json_schema_extra={"example": _KEY | {"text": _TEXT}})

    text: str


class KeptKey(KeyView):
    model_config = ConfigDict(json_schema_extra={"example": _KEY | {"text": None}})

    text: str | None = Field(
        description="Of a key that was made; null: it was there, and was changed if need be."
    )


class KeyText(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={"example": {"id": _KEY["id"], "alias": _KEY["alias"], "text": _TEXT}}
    )

    id: str
    alias: str
    text: str


class KeyPage(Page[KeyView]):
    """Keys of aimesh.yaml first, then the newest first."""


class RouteView(RouteBody):
    warnings: list[str] = Field(default=[], description="What is set and cannot work at present.")


KeyStatusName = Literal["active", "disabled", "expired"]


class KeyChoice(BaseModel):
    """Every key that fits, at most 1000."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"label": "team=search"}})

    alias: OptionalLine = ""
    label: OptionalLine = ""
    status: KeyStatusName | None = None
    operator: OptionalLine = ""


class KeyBatch(BaseModel):
    """One thing to do to many keys: either `ids` or `filter` says which."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"action": "disable", "ids": ["key-0190f2a4c1de5f3b9a77c0d2"]}},
    )

    action: Literal["enable", "disable", "delete", "set_labels", "set_limits", "set_route"]
    ids: (
        Annotated[
            list[Line],
            Field(max_length=MOST_AT_ONCE),
        ]
        | None
    ) = None
    filter: KeyChoice | None = None
    labels: Labels | None = Field(default=None, description="For `set_labels`.")
    limits: LimitsBody | None = Field(default=None, description="For `set_limits`.")
    route: RouteBody | None = Field(default=None, description="For `set_route`.")


class BatchFault(BaseModel):
    code: str
    message: str


class BatchResult(BaseModel):
    id: str
    ok: bool
    error: BatchFault | None = None


class BatchAnswer(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {"data": [{"id": _KEY["id"], "ok": True, "error": None}], "done": 1, "failed": 0}
        }
    )

    data: list[BatchResult]
    done: int
    failed: int
