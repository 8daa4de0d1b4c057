"""Providers, models and endpoints as the admin API shows them, and the entries that it takes.

1. An entry that is taken has the fields of aimesh.yaml; its schema is made from the same types.
2. Prices are shown as they are written: decimal text in the price's currency, per million tokens, or per picture,
   second or asset. An absent price is not known.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints, WithJsonSchema
from pydantic.config import JsonDict

from aimesh.catalog.schema import Limits as UpstreamLimits
from aimesh.catalog.schema import ModelEntry, PriceEntry, ProviderEntry
from aimesh.control.http import Page
from aimesh.control.models_supply import EndpointStatus

EntrySource = Literal["built_in", "database", "file"]


# JSON Schema is JSON: the one place for Any.
def _schema_of(kind: type, example: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a type, whole: references would be lost in a larger document."""
    schema: dict[str, Any] = msgspec.json.schema(kind)
    found = _inlined(schema, schema.get("$defs", {}))
    assert isinstance(found, dict)
    found.pop("$defs", None)
    return found | {"examples": [dict(example)]}


def _inlined(value: Any, definitions: Mapping[str, Any]) -> Any:
    if isinstance(value, list | tuple):
        return [_inlined(item, definitions) for item in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        return _inlined(definitions[value["$ref"].rpartition("/")[2]], definitions)
    return {name: _inlined(item, definitions) for name, item in value.items() if name != "$defs"}


_PROVIDER_EXAMPLE = {"name": "Our cluster", "base_url": "http://10.0.0.5:8000/v1", "speaks": {"open_ai": {}}}
_MODEL_EXAMPLE = {
    "name": "our/llama-70b",
    "kind": "chat",
    "endpoints": [{"provider": "our_cluster", "interfaces": ["open_ai"], "as": "llama-70b"}],
}
_PRICE_EXAMPLE: JsonDict = {"currency": "CNY", "tiers": [{"input": "2", "output": "8"}]}

_Json = dict[str, JsonValue]
ProviderBody = Annotated[_Json, WithJsonSchema(_schema_of(ProviderEntry, _PROVIDER_EXAMPLE))]
ModelBody = Annotated[_Json, WithJsonSchema(_schema_of(ModelEntry, _MODEL_EXAMPLE))]
PriceBody = Annotated[_Json, WithJsonSchema(_schema_of(PriceEntry, _PRICE_EXAMPLE))]

ProviderPath = Annotated[str, StringConstraints(max_length=100, pattern=r"^[a-z0-9][a-z0-9_]*$")]
ModelPath = Annotated[str, StringConstraints(max_length=200, pattern=r"^[A-Za-z0-9][A-Za-z0-9._/:+-]*$")]
UpstreamName = ModelPath
"""As the catalogue's schema has it."""

_Ceiling = Annotated[int, Field(ge=1, le=1 << 53)]


class CeilingsBody(BaseModel):
    """Ceilings that protect the upstream. Null: not known."""

    model_config = ConfigDict(extra="forbid")

    rpm: _Ceiling | None = Field(default=None, description="Requests per minute.")
    tpm: _Ceiling | None = Field(default=None, description="Tokens per minute.")
    concurrency: _Ceiling | None = Field(default=None, description="Calls or jobs at once.")

    def value(self) -> UpstreamLimits:
        return UpstreamLimits(rpm=self.rpm, tpm=self.tpm, concurrency=self.concurrency)


class EndpointPatch(BaseModel):
    """What to change of an endpoint. What is left out stays; null is as it was built in."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"enabled": False, "price": _PRICE_EXAMPLE}}
    )

    enabled: bool | None = None
    upstream: UpstreamName | None = Field(default=None, description="The provider's own name of the model.")
    price: PriceBody | None = None
    limits: CeilingsBody | None = None


class EndpointView(BaseModel):
    """One provider that runs one model over one interface."""

    name: str = Field(examples=["cloud_north@qwen/qwen3.7-max@open_ai"])
    provider: str
    provider_name: str
    provider_title_zh: str
    model: str
    interface: str
    kind: str
    upstream: str = Field(description="The provider's own name of the model; empty: not known.")
    status: EndpointStatus = Field(
        description="`unconfigured`: no usable credential, or the provider's name of the model is not known."
    )
    cooling: bool = Field(
        description="Some worker of this node leaves it alone for a while, because calls to it failed: `/circuits`."
    )
    built_in: bool = Field(description="Callable with the platform's credential.")
    byok: bool = Field(description="Callable with a credential of the tenant.")
    price: dict[str, JsonValue] | None = Field(description="As written; null: not known.")
    limits: CeilingsBody
    context: int | None
    max_output: int | None
    source: EntrySource = Field(
        description="Who said something about the model last: `file` is read-only here."
    )
    version: int = Field(description="Of the change to its model, for `If-Match`; 0: there is none.")


class EndpointPage(Page[EndpointView]):
    """By name."""


class ModelView(BaseModel):
    """What callers ask for by one name."""

    name: str
    title: str
    vendor: str
    kind: str
    description: str
    description_zh: str
    input: list[str]
    output: list[str]
    context: int | None
    max_input: int | None
    max_output: int | None
    abilities: list[str]
    aliases: list[str]
    interfaces: list[str] = Field(description="Over which it can be called.")
    enabled: bool
    callable: bool = Field(description="At least one endpoint is active, for the key that was asked for.")
    built_in: bool
    byok: bool
    endpoints: list[EndpointView]
    source: EntrySource
    version: int = Field(description="Of the change, for `If-Match`; 0: there is none.")


class CallExample(BaseModel):
    region: str
    interface: str
    language: Literal["curl", "python"]
    code: str = Field(description="Runs as it is, once a key is put in.")


class RegionView(BaseModel):
    id: str
    name: str
    base_url: str


class ModelDetail(ModelView):
    regions: list[RegionView] = Field(description="Public addresses of this installation.")
    examples: list[CallExample]
    entry: dict[str, JsonValue] | None = Field(
        description="What administrators changed, as it can be sent back; null: nothing."
    )


class ModelPage(Page[ModelView]):
    """By name."""


class ProviderView(BaseModel):
    """An account and a region that runs models."""

    id: str
    name: str
    title_zh: str
    site: str
    checked: str = Field(description="Day on which somebody checked the facts.")
    auth: str
    interfaces: list[str]
    models: int = Field(description="How many models it runs.")
    status: EndpointStatus = Field(description="`active`: something can be called.")
    built_in: bool
    byok: bool
    source: EntrySource
    version: int = Field(description="Of the change, for `If-Match`; 0: there is none.")


class ProviderDetail(ProviderView):
    base_urls: dict[str, str] | None = Field(description="Null: not for this role.")
    environment: str | None = Field(description="Variable that holds a credential; null: not for this role.")
    entry: dict[str, JsonValue] | None = Field(
        description="What administrators changed, as it can be sent back; null: nothing."
    )


class ProviderPage(Page[ProviderView]):
    """By id."""
