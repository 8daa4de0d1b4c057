"""What types cannot say about catalogue entries: that names exist, are not taken, and that prices make sense.

1. A layer is one file: its document for places, its entries, and where each stands.
2. Layers are checked in order, against the result of all of them: a problem stands where the person wrote it.
"""

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from msgspec import Struct

from aimesh.catalog.document import Document, Path
from aimesh.catalog.overlay import overlaid_model, overlaid_provider
from aimesh.catalog.price import compiled
from aimesh.catalog.problem import Problem, did_you_mean, shown_name
from aimesh.catalog.schema import DEFAULT_PATHS, EndpointEntry, ModelEntry, PriceTerms, ProviderEntry, Tier
from aimesh.core.kind import Kind

KINDS: dict[str, tuple[Kind, ...]] = {
    "open_ai": (Kind.CHAT,),
    "anthropic": (Kind.CHAT,),
    "responses": (Kind.CHAT,),
    "open_ai_embedding": (Kind.EMBEDDING,),
    "ark_embedding": (Kind.EMBEDDING,),
    "dashscope_embedding": (Kind.EMBEDDING,),
    "open_ai_image": (Kind.IMAGE,),
    "ark_image": (Kind.IMAGE,),
    "task": (Kind.VIDEO, Kind.MODEL_3D),
    "dashscope_video": (Kind.VIDEO,),
}
"""What an interface can carry."""


class Layer(Struct, frozen=True):
    document: Document
    providers: dict[str, tuple[Path, ProviderEntry]]
    models: tuple[tuple[Path, ModelEntry], ...]
    is_built_in: bool
    """Built-in entries owe a source and a date for every price; the operator's owe an upstream name."""


class Merged(Struct, frozen=True):
    providers: dict[str, ProviderEntry]
    models: dict[str, ModelEntry]


def merged(below: Merged, layer: Layer) -> Merged:
    """The entries of ``below`` with those of the layer over them."""
    providers = dict(below.providers)
    for name, (_, provider) in layer.providers.items():
        known = providers.get(name)
        providers[name] = provider if known is None else overlaid_provider(known, provider)
    models = dict(below.models)
    for _, model in layer.models:
        present = models.get(model.name)
        models[model.name] = model if present is None else overlaid_model(present, model)
    return Merged(providers=providers, models=models)


def check(layer: Layer, result: Merged, below: Merged) -> list[Problem]:
    """What is wrong with a layer, given what it became (``result``) and what it stands on (``below``)."""
    at = layer.document.problem
    problems = [
        at(path + where, message, hint, at_key=True)
        for name, (path, _) in layer.providers.items()
        for where, message, hint in _provider_faults(name, result.providers[name], below)
    ]
    if problems:
        # Endpoints of a provider that is half defined would only repeat the same fault.
        return problems
    owners = _owners(result.models, layer)
    seen: set[str] = set()
    for path, model in layer.models:
        if model.name in seen:
            problems.append(at((*path, "name"), f"the model {shown_name(model.name)} is defined twice"))
        seen.add(model.name)
        problems.extend(
            at(path + where, message, hint)
            for where, message, hint in _model_faults(model, result, layer.is_built_in)
        )
        for index, alias in enumerate(model.aliases):
            owner = owners.get(alias, model.name)
            if owner != model.name:
                problems.append(
                    at((*path, "aliases", index), f"'{alias}' already names the model {shown_name(owner)}")
                )
    return problems


Fault = tuple[Path, str, str]
"""Where below the entry, what, and what instead."""


def _owners(models: Mapping[str, ModelEntry], layer: Layer) -> dict[str, str]:
    """Whose a name is: a model's own before any alias, an alias of another layer before this one's."""
    here = {model.name for _, model in layer.models}
    owners: dict[str, str] = {}
    for model in sorted(models.values(), key=lambda model: model.name in here):
        for alias in model.aliases:
            owners.setdefault(alias, model.name)
    return owners | {name: name for name in models}


def _provider_faults(name: str, entry: ProviderEntry, below: Merged) -> Iterator[Fault]:
    if not entry.speaks:
        hint = did_you_mean(name, below.providers.keys() - {name})
        if hint or entry == ProviderEntry():
            yield (), f"unknown provider {shown_name(name)}", hint or "define it with base_url and speaks"
        else:
            yield (), f"the provider {shown_name(name)} speaks no interface", "add speaks: {open_ai: {}}"
        return
    urls: list[tuple[Path, str | None]] = [(("base_url",), entry.base_url), (("origin",), entry.origin)]
    urls += [(("base_urls", family), url) for family, url in entry.base_urls.items()]
    for where, url in urls:
        if url is not None and (why := _url_fault(url)):
            yield where, why, "for example https://api.example.com/v1"
    for interface, paths in entry.speaks.items():
        family, usual = DEFAULT_PATHS[interface]
        if not (entry.base_urls.get(family) or entry.base_url):
            yield ("speaks", interface), f"no base URL for {interface}", f"add base_urls.{family} or base_url"
        for field in paths.__struct_fields__:
            path = getattr(paths, field)
            if path and not _is_plain(path):
                yield ("speaks", interface, field), _NOT_PLAIN, ""
            elif path and not path.startswith("/"):
                yield ("speaks", interface, field), "a path begins with '/'", f"/{path}"
            elif path and not getattr(usual, field):
                yield ("speaks", interface, field), f"{interface} has no path '{field}'", ""


def _is_plain(text: str) -> bool:
    """Whether a request can carry it as it is."""
    return text.isascii() and text.isprintable() and " " not in text


_NOT_PLAIN = "a character that no request can carry"


def _url_fault(url: str) -> str:
    """What the pattern of the schema lets through."""
    if not _is_plain(url):
        return _NOT_PLAIN
    try:
        parts = urlsplit(url)
        if not parts.hostname or parts.port == 0:
            return "no URL: a host or a port is missing"
    except ValueError as error:
        return f"no URL: {error}"
    return ""


def _model_faults(model: ModelEntry, result: Merged, is_built_in: bool) -> Iterator[Fault]:
    whole = result.models[model.name]
    if whole.kind is None:
        hint = did_you_mean(model.name, (name for name, entry in result.models.items() if entry is not model))
        yield (), "the key 'kind' is missing", hint or f"one of: {', '.join(Kind)}"
        return
    for where, name in ((("name",), model.name), *((("aliases", i), a) for i, a in enumerate(model.aliases))):
        if not _is_plain(name):
            yield where, _NOT_PLAIN, ""
    taken: set[tuple[str, str]] = set()
    for index, endpoint in enumerate(model.endpoints):
        for where, message, hint in _endpoint_faults(endpoint, whole, result, is_built_in):
            yield ("endpoints", index, *where), message, hint
        for interface in endpoint.interfaces:
            if (endpoint.provider, interface) in taken:
                yield (
                    ("endpoints", index),
                    f"a second endpoint {endpoint.provider}@{model.name}@{interface}",
                    "",
                )
            taken.add((endpoint.provider, interface))


def _endpoint_faults(
    endpoint: EndpointEntry, model: ModelEntry, result: Merged, is_built_in: bool
) -> Iterator[Fault]:
    provider = result.providers.get(endpoint.provider)
    if provider is None:
        hint = did_you_mean(endpoint.provider, result.providers)
        yield ("provider",), f"unknown provider {shown_name(endpoint.provider)}", hint
        return
    if not _is_plain(endpoint.upstream or ""):
        yield ("as",), _NOT_PLAIN, ""
    if not endpoint.interfaces:
        yield ("interfaces",), "an endpoint needs an interface", f"one of: {', '.join(provider.speaks)}"
    for index, interface in enumerate(endpoint.interfaces):
        if interface not in provider.speaks:
            yield (
                ("interfaces", index),
                f"the provider '{endpoint.provider}' does not speak {interface}",
                f"it speaks: {', '.join(provider.speaks)}",
            )
        if model.kind not in KINDS[interface]:
            yield ("interfaces", index), f"{interface} cannot carry a model of kind '{model.kind}'", ""
        if not is_built_in and not _upstream(model, endpoint.provider, interface):
            yield (), "the key 'as' is missing", "the name the provider knows the model by"
    if endpoint.price is not None:
        for where, message, hint in _price_faults(endpoint.price, is_built_in):
            yield ("price", *where), message, hint
        for index, dated in enumerate(endpoint.price.dated):
            if dated.since is None and dated.until is None:
                yield ("price", "dated", index), "a price of a limited time needs since or until", ""
            for where, message, hint in _price_faults(dated, is_built_in):
                yield ("price", "dated", index, *where), message, hint


def _upstream(model: ModelEntry, provider: str, interface: str) -> str | None:
    return next(
        (
            entry.upstream
            for entry in model.endpoints
            if entry.provider == provider and interface in entry.interfaces and entry.upstream
        ),
        None,
    )


def _price_faults(price: PriceTerms, is_built_in: bool) -> Iterator[Fault]:
    if is_built_in and not (price.source and price.date):
        yield (), "a built-in price needs a source and a date", ""
    amounts = (price.tiers, price.per_second, price.per_asset, price.video_tokens)
    if price.per_image is None and not any(amounts):
        yield (), "a price without an amount", "leave the price out when it is not known"
    yield from _tier_faults(("tiers",), price.tiers)
    for index, window in enumerate(price.windows):
        yield from _tier_faults(("windows", index, "tiers"), window.tiers)
    try:
        compiled(price)
    except ValueError as error:
        yield (), str(error), ""


def _tier_faults(path: Path, tiers: tuple[Tier, ...]) -> Iterator[Fault]:
    top = 0
    for index, tier in enumerate(tiers):
        rates = (getattr(tier, name) for name in tier.__struct_fields__ if not name.endswith("up_to"))
        if all(rate is None for rate in rates):
            yield (*path, index), "a tier without an amount", ""
        if tier.up_to is None:
            if index < len(tiers) - 1 and tier.output_up_to is None:
                yield (*path, index), "only the last tier has no top", "add up_to"
            continue
        if tier.up_to < top:
            yield (*path, index, "up_to"), "tiers stand in the order of their tops", ""
        top = tier.up_to
