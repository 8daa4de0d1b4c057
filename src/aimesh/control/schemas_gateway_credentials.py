"""Credentials as the admin API takes and gives them. A secret is taken and never given."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, StringConstraints
from pydantic.config import JsonDict

from aimesh.control.http import Page
from aimesh.control.schemas_gateway import Pattern
from aimesh.control.texts import Time
from aimesh.settings import is_header_text


def _name(text: str) -> str:
    if not text.isprintable() or set(text) & set('/"\\') or text != text.strip():
        raise ValueError("a name has printable characters but slashes and quotes, and no space at its ends")
    return text


def _secret(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value().strip()
    if not text or not is_header_text(text):
        raise ValueError(
            "a secret has characters that a header can carry: no spaces, no letters beyond ASCII"
        )
    return SecretStr(text)


Name = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(_name)]
ProviderName = Annotated[
    str, StringConstraints(min_length=1, max_length=100, pattern=r"^[a-z0-9][a-z0-9_]*$")
]
SecretText = Annotated[SecretStr, Field(min_length=1, max_length=8192), AfterValidator(_secret)]

_EXAMPLE: JsonDict = {
    "id": "byok:default/cloud_north/team-key",
    "provider": "cloud_north",
    "name": "team-key",
    "masked": "sk-1****9f3c",
    "enabled": True,
    "source": "database",
    "test": {"ok": True, "at": "2026-01-31T08:00:00Z", "latency_ms": 412, "message": ""},
    "used_by": [{"id": "key-0190f2a4c1de5f3b9a77c0d2", "alias": "search-production-chat"}],
    "created_at": "2026-01-31T08:00:00Z",
    "updated_at": "2026-01-31T08:00:00Z",
    "version": 1,
}


class CredentialCreate(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"provider": "cloud_north", "name": "team-key", "secret": "sk-..."}},
    )

    provider: ProviderName
    name: Name = Field(description="Unique within its owner; routes and records show it.")
    secret: SecretText = Field(description="Never given back.")
    enabled: bool = True


class CredentialPatch(BaseModel):
    """What to change. What is left out or null stays."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"enabled": False}})

    name: Name | None = None
    secret: SecretText | None = Field(default=None, description="Never given back.")
    enabled: bool | None = None


class CredentialProbe(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"model": "qwen/qwen3.7-max"}})

    model: Pattern | None = Field(
        default=None,
        description="Model or endpoint to test with; null: the cheapest that costs next to nothing.",
    )


class NewCredentialProbe(CredentialProbe):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"provider": "cloud_north", "secret": "sk-..."}}
    )

    provider: ProviderName
    secret: SecretText = Field(description="Tested, and not kept.")


class LastTest(BaseModel):
    ok: bool
    at: Time
    latency_ms: int
    message: str = Field(description="What the provider said; empty where it went well.")


class ProbeAnswer(BaseModel):
    """What one small real call gave."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "ok": True,
                "model": "qwen/qwen3.7-max",
                "endpoint": "cloud_north@qwen/qwen3.7-max@open_ai",
                "latency_ms": 412,
                "status": 200,
                "message": "",
            }
        }
    )

    ok: bool
    model: str = Field(description="Empty: no call was made.")
    endpoint: str
    latency_ms: int | None
    status: int | None = Field(description="HTTP status of the provider; null: it gave none.")
    message: str = Field(description="What the provider said; empty where it went well.")


class UsedBy(BaseModel):
    id: str
    alias: str


class CredentialView(BaseModel):
    model_config = ConfigDict(json_schema_extra={"example": _EXAMPLE})

    id: str = Field(description="As records show it.")
    provider: str
    name: str
    masked: str
    enabled: bool
    source: Literal["database", "file", "environment"] = Field(
        description="Other than `database`: from aimesh.yaml or a variable, and read-only here."
    )
    test: LastTest | None = Field(description="The last test of this secret; null: none yet.")
    used_by: list[UsedBy] | None = Field(
        default=None, description="Keys whose routes name it; null in lists, and for the platform's."
    )
    created_at: Time | None
    updated_at: Time | None
    version: int = Field(description="For `If-Match`.")


class CredentialPage(Page[CredentialView]):
    """By name."""


class ByokProvider(BaseModel):
    """A provider that can have keys of one's own."""

    id: str
    title: str
    title_zh: str
    site: str
    auth: str = Field(description="How a secret travels: `bearer`, `x_api_key`, or `none`.")
    interfaces: list[str]
    configured: int = Field(description="How many credentials the tenant has.")
    enabled: int = Field(description="How many of them are enabled.")
    built_in: bool = Field(description="The platform has a credential of its own.")
    test_models: list[str] = Field(description="Models to test with, the cheapest first.")


class ByokProviderPage(Page[ByokProvider]):
    """By id."""
