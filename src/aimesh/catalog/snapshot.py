"""The compiled catalogue: immutable, and only dictionary look-ups on the way of a call.

1. ``find`` answers for public identifiers, aliases and whole endpoint names alike.
2. ``endpoints_for`` gives the callable endpoints of a model over an interface, cheapest first, unknown prices
   last, then by name. An endpoint that is disabled or has no upstream name is listed and not callable.
3. Everything that can be computed once is computed here.
"""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from urllib.parse import urlsplit

from msgspec import Struct

from aimesh.catalog.match import endpoint_name, expand
from aimesh.catalog.price import Price, blended_rank, compiled
from aimesh.catalog.schema import (
    DEFAULT_PATHS,
    Auth,
    EndpointEntry,
    InterfaceName,
    Limits,
    ModelEntry,
    Paths,
    ProviderEntry,
    merged_traits,
)
from aimesh.core.ids import EndpointName, InterfaceId, ModelName, ProviderId
from aimesh.core.kind import Kind
from aimesh.core.origin import Origin
from aimesh.core.traits import Traits

DEFAULT_CNY_PER_USD = Fraction(7)


class Provider(Struct, frozen=True):
    id: ProviderId
    name: str
    title_zh: str
    site: str
    checked: str
    auth: Auth
    environment: str
    """Environment variable that holds a credential when none is configured."""
    interfaces: tuple[InterfaceId, ...]
    base_urls: dict[str, str]


class Endpoint(Struct, frozen=True):
    name: EndpointName
    provider: ProviderId
    model: ModelName
    interface: InterfaceId
    kind: Kind
    upstream_name: str
    """Empty: not known."""
    base_url: str
    """Of this interface, without a slash at the end: ``https://host/compatible-mode/v1``."""
    origin: Origin
    prefix: str
    """Path part of ``base_url``; every path of this endpoint stands below it."""
    paths: Paths
    """Below ``prefix``. Empty ones are not served."""
    path: str
    """Whole request path: ``/compatible-mode/v1/chat/completions``."""
    auth: Auth
    traits: Traits
    price: Price | None
    blended_rank: int | None
    """For ordering only; None: no price known."""
    limits: Limits
    context: int | None
    max_output: int | None
    enabled: bool

    @property
    def is_callable(self) -> bool:
        return self.enabled and bool(self.upstream_name)

    @property
    def host(self) -> str:
        """Value of the ``Host`` header."""
        return urlsplit(self.base_url).netloc.rpartition("@")[2]


class Model(Struct, frozen=True):
    name: ModelName
    title: str
    vendor: str
    kind: Kind
    description: str
    description_zh: str
    input: tuple[str, ...]
    output: tuple[str, ...]
    context: int | None
    max_input: int | None
    max_output: int | None
    abilities: tuple[str, ...]
    aliases: tuple[str, ...]
    endpoints: tuple[Endpoint, ...]

    @property
    def interfaces(self) -> tuple[InterfaceId, ...]:
        """Over which it can be called."""
        return tuple(dict.fromkeys(endpoint.interface for endpoint in self.endpoints if endpoint.is_callable))


class Found(Struct, frozen=True):
    model: Model
    pinned: Endpoint | None = None
    """The caller named this endpoint: no other may be tried."""


class Catalog(Struct, frozen=True):
    providers: dict[ProviderId, Provider]
    models: dict[ModelName, Model]
    """By public identifier, in the order of the files."""
    endpoints: dict[EndpointName, Endpoint]
    aliases: dict[str, ModelName]
    found: dict[str, Found]
    callable: dict[tuple[ModelName, InterfaceId], tuple[Endpoint, ...]]

    def find(self, name: str) -> Found | None:
        return self.found.get(name)

    def endpoints_for(self, model: ModelName, interface: InterfaceId) -> tuple[Endpoint, ...]:
        return self.callable.get((model, interface), ())

    def allowed(self, patterns: Iterable[str]) -> frozenset[ModelName]:
        """The models that a key's patterns allow."""
        return expand(patterns, self.models, self.aliases)


def compile_catalog(
    providers: Mapping[str, ProviderEntry],
    models: Iterable[ModelEntry],
    *,
    cny_per_usd: Fraction = DEFAULT_CNY_PER_USD,
    rebase: str = "",
) -> Catalog:
    """Compiles entries that passed ``crosscheck``. ``rebase``, for the simulator, sends every provider to
    ``<rebase>/<provider id>`` and keeps the paths."""
    compiled_providers = {
        ProviderId(name): _provider(ProviderId(name), entry, rebase) for name, entry in providers.items()
    }
    compiled_models: dict[ModelName, Model] = {}
    for entry in models:
        if entry.enabled is not False:
            model = _model(entry, providers, compiled_providers, cny_per_usd)
            compiled_models[model.name] = model
    return _indexed(compiled_providers, compiled_models)


def rebased(base_url: str, provider: ProviderId, rebase: str) -> str:
    """``base_url`` at the provider's place below another address; its path stays."""
    return moved(base_url, f"{rebase.rstrip('/')}/{provider}") if rebase else base_url


def moved(base_url: str, origin: str) -> str:
    return origin.rstrip("/") + urlsplit(base_url).path.rstrip("/")


def _provider(name: ProviderId, entry: ProviderEntry, rebase: str) -> Provider:
    families = dict.fromkeys(DEFAULT_PATHS[interface][0] for interface in entry.speaks)
    base_urls = {family: entry.base_urls.get(family) or entry.base_url or "" for family in families}
    if entry.origin is not None:
        base_urls = {family: moved(url, entry.origin) for family, url in base_urls.items()}
    return Provider(
        id=name,
        name=entry.name or name,
        title_zh=entry.title_zh or entry.name or name,
        site=entry.site,
        checked=entry.checked,
        auth=entry.auth or "bearer",
        environment=entry.environment,
        interfaces=tuple(InterfaceId(interface) for interface in entry.speaks),
        base_urls={family: rebased(url.rstrip("/"), name, rebase) for family, url in base_urls.items()},
    )


def _model(
    entry: ModelEntry,
    providers: Mapping[str, ProviderEntry],
    compiled_providers: Mapping[ProviderId, Provider],
    cny_per_usd: Fraction,
) -> Model:
    assert entry.kind is not None
    endpoints = [
        _endpoint(
            entry,
            endpoint,
            interface,
            raw=providers[endpoint.provider],
            provider=compiled_providers[ProviderId(endpoint.provider)],
            cny_per_usd=cny_per_usd,
        )
        for endpoint in entry.endpoints
        for interface in endpoint.interfaces
    ]
    return Model(
        name=ModelName(entry.name),
        title=entry.title or entry.name.rpartition("/")[2],
        vendor=entry.vendor,
        kind=entry.kind,
        description=entry.description,
        description_zh=entry.description_zh,
        input=entry.input,
        output=entry.output,
        context=entry.context,
        max_input=entry.max_input,
        max_output=entry.max_output,
        abilities=entry.abilities,
        aliases=entry.aliases,
        endpoints=tuple(sorted(endpoints, key=_order)),
    )


def _endpoint(
    model: ModelEntry,
    entry: EndpointEntry,
    interface: InterfaceName,
    *,
    raw: ProviderEntry,
    provider: Provider,
    cny_per_usd: Fraction,
) -> Endpoint:
    assert model.kind is not None
    name = ModelName(model.name)
    family, usual = DEFAULT_PATHS[interface]
    own = {path: given for path, given in _fields(raw.speaks[interface]) if given}
    paths = Paths(**dict(_fields(usual)) | own)
    base_url = provider.base_urls[family]
    parts = urlsplit(base_url)
    is_tls = parts.scheme == "https"
    price = None if entry.price is None else compiled(entry.price)
    return Endpoint(
        name=endpoint_name(provider.id, name, InterfaceId(interface)),
        provider=provider.id,
        model=name,
        interface=InterfaceId(interface),
        kind=model.kind,
        upstream_name=entry.upstream or "",
        base_url=base_url,
        origin=Origin(host=parts.hostname or "", port=parts.port or (443 if is_tls else 80), tls=is_tls),
        prefix=parts.path,
        paths=paths,
        path=parts.path + paths.path,
        auth=provider.auth,
        traits=merged_traits(raw.traits, model.traits, entry.traits),
        price=price,
        blended_rank=blended_rank(price, cny_per_usd),
        limits=entry.limits or Limits(),
        context=entry.context or model.context,
        max_output=entry.max_output or model.max_output,
        enabled=entry.enabled is not False,
    )


def _fields(paths: Paths) -> tuple[tuple[str, str], ...]:
    return tuple((name, getattr(paths, name)) for name in Paths.__struct_fields__)


def _order(endpoint: Endpoint) -> tuple[bool, int, str]:
    return endpoint.blended_rank is None, endpoint.blended_rank or 0, endpoint.name


def _indexed(providers: dict[ProviderId, Provider], models: dict[ModelName, Model]) -> Catalog:
    aliases: dict[str, ModelName] = {}
    found: dict[str, Found] = {}
    endpoints: dict[EndpointName, Endpoint] = {}
    ready: dict[tuple[ModelName, InterfaceId], list[Endpoint]] = {}
    for model in models.values():
        whole = Found(model=model)
        found[model.name] = whole
        for alias in model.aliases:
            aliases[alias] = model.name
            found[alias] = whole
        for endpoint in model.endpoints:
            endpoints[endpoint.name] = endpoint
            found[endpoint.name] = Found(model=model, pinned=endpoint)
            if endpoint.is_callable:
                ready.setdefault((model.name, endpoint.interface), []).append(endpoint)
    return Catalog(
        providers=providers,
        models=models,
        endpoints=endpoints,
        aliases=aliases,
        found=found,
        callable={key: tuple(rows) for key, rows in ready.items()},
    )
