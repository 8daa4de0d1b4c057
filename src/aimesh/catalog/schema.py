"""The types of the YAML files: what a provider, a model, an endpoint and a price may say.

1. Unknown keys are errors. Unknown facts are absent: an absent price or limit means "not known", never zero.
2. Amounts are decimals in the price's currency: per million tokens; per one picture, second or asset.
3. Counts of tokens written as "32 k" in a price list are thousands; the top of a tier is inclusive.
4. The same types serve the operator's file, where a field left out keeps the built-in value.
"""

from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Meta, Struct

from aimesh.core.kind import Kind
from aimesh.core.money import Currency
from aimesh.core.traits import Traits

InterfaceName = Literal[
    "open_ai",
    "anthropic",
    "responses",
    "open_ai_embedding",
    "open_ai_image",
    "ark_image",
    "task",
    "ark_embedding",
    "dashscope_video",
    "dashscope_embedding",
]
FamilyName = Literal["openai", "anthropic", "dashscope", "ark"]
Auth = Literal["bearer", "x_api_key", "none"]
"""How a credential travels: ``Authorization: Bearer``, ``x-api-key``, or not at all (one's own server)."""
Modality = Literal["text", "image", "video", "audio", "document", "vector", "3d"]
Ability = Literal[
    "reasoning", "tools", "structured_output", "vision", "prompt_cache", "web_search", "streaming"
]

Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/:+-]*$")]
"""Names of models and upstream models."""
ProviderName = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_]*$")]
"""Id of a provider: an account and a region, in small letters, digits and underscores."""
Count = Annotated[int, Meta(ge=1, le=1 << 53)]
"""At most what every JSON reader takes exactly."""
Url = Annotated[str, Meta(pattern=r"^https?://[^\s/?#]+(/[^\s?#]*)?$")]
Moment = Annotated[
    str,
    Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2})$"),
]
"""A time with its offset from UTC: ``2026-10-08T00:00:00+08:00``."""


class Paths(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where an interface is served, below the base URL of its family. Empty: the interface's usual path."""

    path: str = ""
    """Where calls are sent."""
    task: str = ""
    """One long job; ``{id}`` stands for its id."""
    cancel: str = ""
    """Where a long job is cancelled or deleted."""
    list: str = ""
    """Where long jobs are listed."""
    count_tokens: str = ""
    """Where tokens are counted without a call."""


DEFAULT_PATHS: dict[str, tuple[FamilyName, Paths]] = {
    "open_ai": ("openai", Paths(path="/chat/completions")),
    "responses": ("openai", Paths(path="/responses")),
    "open_ai_embedding": ("openai", Paths(path="/embeddings")),
    "open_ai_image": ("openai", Paths(path="/images/generations")),
    "anthropic": ("anthropic", Paths(path="/v1/messages", count_tokens="/v1/messages/count_tokens")),
    "ark_image": ("ark", Paths(path="/images/generations")),
    "ark_embedding": ("ark", Paths(path="/embeddings/multimodal")),
    "task": (
        "ark",
        Paths(
            path="/contents/generations/tasks",
            task="/contents/generations/tasks/{id}",
            cancel="/contents/generations/tasks/{id}",
            list="/contents/generations/tasks",
        ),
    ),
    "dashscope_video": (
        "dashscope",
        Paths(
            path="/services/aigc/video-generation/video-synthesis",
            task="/tasks/{id}",
            cancel="/tasks/{id}/cancel",
            list="/tasks",
        ),
    ),
    "dashscope_embedding": (
        "dashscope",
        Paths(path="/services/embeddings/multimodal-embedding/multimodal-embedding"),
    ),
}
"""Interface to the family of its base URL and its usual paths there."""


class Tier(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Prices of token kinds, per million. Absent: not known, and counted at the price it is a part of."""

    up_to: Count | None = None
    """Inclusive top of the request's whole input in tokens; absent in the last tier: no top."""
    output_up_to: Count | None = None
    """The tier holds only for answers of at most so many tokens."""
    input: Decimal | None = None
    """Tokens of the request."""
    output: Decimal | None = None
    """Generated tokens, thinking included."""
    cached_input: Decimal | None = None
    """Input served from an implicit cache."""
    explicit_cached_input: Decimal | None = None
    """Input served from a cache that the caller asked for, where it differs from the implicit one."""
    cache_write: Decimal | None = None
    """Written to a cache; with lifetimes of its own, the five-minute one."""
    cache_write_1h: Decimal | None = None
    """Written to a cache with a lifetime of one hour."""
    input_image: Decimal | None = None
    """Tokens that stand for pictures or video."""
    input_audio: Decimal | None = None
    """Tokens that stand for sound in the request."""
    output_audio: Decimal | None = None
    """Tokens that stand for sound in the answer."""
    reasoning: Decimal | None = None
    """Generated tokens of thinking, where they have a price of their own."""


class VideoTokens(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Price of video tokens (per million) under conditions; the first that fits holds."""

    rate: Decimal
    """Per million."""
    resolutions: tuple[str, ...] = ()
    """Empty: any."""
    input_video: bool | None = None
    """Only with (without) a video in the request."""
    audio: bool | None = None
    """Only with (without) sound in the answer."""
    variant: str = ""
    """The tier of service that the answer names: ``flex``; empty: the usual one, and no other."""


class Window(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Hours of the week with tiers of their own, on a clock with a fixed offset."""

    name: str
    """As people read it: ``peak``."""
    utc_offset: Annotated[str, Meta(pattern=r"^[+-][0-9]{2}:[0-9]{2}$")]
    """Of the clock that the hours are read on: ``+08:00``."""
    days: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...]
    """Days of the week on that clock."""
    hours: tuple[Annotated[str, Meta(pattern=r"^[0-9]{2}:[0-9]{2}-[0-9]{2}:[0-9]{2}$")], ...]
    """``09:00-12:00``: from the first minute on, up to and without the second."""
    tiers: tuple[Tier, ...]
    """Instead of the price's own."""


class PriceTerms(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A price of a limited time: it has ``since``, ``until`` or both."""

    currency: Currency
    """Of every amount in this price."""
    source: str = ""
    """Where the price was read; codes are explained in the reference page."""
    date: Annotated[str, Meta(pattern=r"^[0-9]{4}(-[0-9]{2}){0,2}$")] | None = None
    """Day, month or year of that source."""
    tiers: tuple[Tier, ...] = ()
    """By length of input, shortest first; a single one without a top where length does not matter."""
    windows: tuple[Window, ...] = ()
    """Hours with other tiers; the first that holds counts."""
    per_image: Decimal | None = None
    """Per picture produced."""
    per_second: dict[str, Decimal] = {}
    """By resolution, e.g. ``720p``."""
    per_asset: dict[str, Decimal] = {}
    """By variant; ``default`` holds for every variant that is not named."""
    video_tokens: tuple[VideoTokens, ...] = ()
    """For video that is billed by tokens."""
    since: Moment | None = None
    """Calls that began earlier have another price, or an unknown one."""
    until: Moment | None = None
    """Calls that begin then or later have another price, or an unknown one."""


class PriceEntry(PriceTerms, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What usage of an endpoint costs."""

    dated: tuple[PriceTerms, ...] = ()
    """Prices of limited times; the first that holds when a call begins counts instead of this one."""


class Limits(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Ceilings of the upstream. Absent: not known."""

    rpm: Count | None = None
    """Requests per minute."""
    tpm: Count | None = None
    """Tokens per minute."""
    concurrency: Count | None = None
    """Calls or jobs at once."""


class TraitSettings(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The traits of ``core/traits.py``, each optional: only those that deviate."""

    usage_in_stream: Literal["option", "always", "never"] | None = None
    developer_role: bool | None = None
    base64_embeddings: bool | None = None
    anthropic_version: str | None = None
    anthropic_beta: bool | None = None
    count_tokens: bool | None = None
    video_media: bool | None = None
    image_sequence: bool | None = None


def merged_traits(*layers: TraitSettings) -> Traits:
    """The traits that hold, a later layer over an earlier one."""
    chosen = {
        name: value
        for layer in layers
        for name in layer.__struct_fields__
        if (value := getattr(layer, name)) is not None
    }
    return Traits(**chosen)


class ProviderEntry(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An account and a region that runs models."""

    name: str = ""
    """As people read it."""
    title_zh: str = ""
    """As people read it in Chinese."""
    site: str = ""
    """Where a person checks the facts."""
    checked: str = ""
    """Day on which somebody did."""
    base_url: Url | None = None
    """Base for every family that ``base_urls`` does not name."""
    base_urls: dict[FamilyName, Url] = {}
    """Base URL of each family of interfaces: their paths stand below it."""
    origin: Url | None = None
    """For the operator: replaces scheme and host of every base URL and keeps their paths."""
    auth: Auth | None = None
    """How a credential travels; default ``bearer``."""
    environment: str = ""
    """Environment variable that holds a credential when none is configured."""
    speaks: dict[InterfaceName, Paths] = {}
    """Interfaces it serves; ``{}`` for the usual paths."""
    traits: TraitSettings = TraitSettings()
    """Deviations of everything it serves."""


class EndpointEntry(
    Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, rename={"upstream": "as"}
):
    """One provider running one model over one or several interfaces, under one upstream name."""

    provider: ProviderName
    """Id of a provider."""
    interfaces: tuple[InterfaceName, ...]
    """Over which it can be called."""
    upstream: Name | None = None
    """The upstream's own id. Absent: not known; the endpoint is listed, and called once somebody names it."""
    traits: TraitSettings = TraitSettings()
    """Deviations of this endpoint."""
    price: PriceEntry | None = None
    """Absent: not known."""
    limits: Limits | None = None
    """Ceilings of this endpoint."""
    context: Count | None = None
    """Where the provider allows less than the model can."""
    max_output: Count | None = None
    """Where the provider allows less than the model can."""
    enabled: bool | None = None
    """``false``: listed and not called. ``true``: called, although an entry below says otherwise."""


class ModelEntry(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A public name that callers ask for."""

    name: Name
    """The public identifier."""
    title: str = ""
    """As people read it."""
    vendor: str = ""
    """Who made it."""
    kind: Kind | None = None
    """Required for a new model."""
    description: str = ""
    """One sentence."""
    description_zh: str = ""
    """One sentence in Chinese."""
    input: tuple[Modality, ...] = ()
    """What it takes."""
    output: tuple[Modality, ...] = ()
    """What it gives."""
    context: Count | None = None
    """Tokens of request and answer together."""
    max_input: Count | None = None
    """Tokens of a request."""
    max_output: Count | None = None
    """Tokens of an answer."""
    abilities: tuple[Ability, ...] = ()
    """What it can do beyond plain text."""
    aliases: tuple[Name, ...] = ()
    """Further names that callers may use."""
    traits: TraitSettings = TraitSettings()
    """Deviations of this model everywhere."""
    endpoints: tuple[EndpointEntry, ...] = ()
    """Who runs it."""
    enabled: bool | None = None
    """``false``: as if it were not there. ``true``: there, although an entry below says otherwise."""


class ModelFile(Struct, frozen=True, forbid_unknown_fields=True):
    """``data/models/<vendor>.yaml``: the vendor once, then its models."""

    vendor: str
    models: tuple[ModelEntry, ...]


class BuiltIn(Struct, frozen=True, forbid_unknown_fields=True):
    """All data files as one value: what the compiled file holds."""

    digest: str
    """SHA-256 of the YAML files it was made from."""
    providers: dict[ProviderName, ProviderEntry]
    models: tuple[ModelEntry, ...]
