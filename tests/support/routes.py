"""A small catalogue and credentials for tests of routing, written and shown in short words.

``alpha`` is built-in, ``alpha#2`` the built-in credential named 2, ``alpha+mine`` the BYOK credential named mine.
"""

from collections.abc import Iterable, Mapping

import msgspec
from tests.support.catalogs import catalog

from aimesh.catalog.snapshot import Catalog, Endpoint
from aimesh.core.ids import CredentialId, InterfaceId, ModelName, ProviderId, TenantId
from aimesh.core.policy import Route
from aimesh.core.secret import Secret
from aimesh.routing.candidate import Candidate, Credential
from aimesh.routing.rank import Ranking
from aimesh.routing.supply import Supply
from aimesh.wire.interface import Target

MODEL = ModelName("test/m")
CHAT = InterfaceId("open_ai")
MESSAGES = InterfaceId("anthropic")
US = TenantId("us")
THEM = TenantId("them")
NOBODY = TenantId("nobody")
"""Has no credentials of its own."""

_USUAL = "default"


def catalog_of(prices: Mapping[str, float | None], *, model: str = MODEL, more: str = "") -> Catalog:
    """One model at providers with these prices, over chat; ``more``: YAML of further models."""
    files = {
        f"providers/{name}.yaml": f"{{name: {name}, base_url: 'https://{name}.example', auth: bearer, "
        "speaks: {open_ai: {}, anthropic: {}, responses: {}}}"
        for name in prices
    }
    endpoints = "".join(
        f"      - {{provider: {name}, interfaces: [open_ai], as: up{_price(price)}}}\n"
        for name, price in prices.items()
    )
    files["models/v.yaml"] = (
        f"vendor: V\nmodels:\n  - name: {model}\n    kind: chat\n    endpoints:\n{endpoints}{more}"
    )
    return catalog(files)


def model_yaml(name: str, *endpoints: str) -> str:
    """One of ``more``; an endpoint is the inside of its braces."""
    lines = "".join(f"      - {{{endpoint}}}\n" for endpoint in endpoints)
    return f"  - name: {name}\n    kind: chat\n    endpoints:\n{lines}"


def _price(price: float | None) -> str:
    if price is None:
        return ""
    return (
        f", price: {{currency: CNY, source: T, date: '2026', tiers: [{{input: {price}, output: {price}}}]}}"
    )


def credential(word: str, tenant: TenantId = US) -> Credential:
    """``tenant``: whose it is, if the word is that of a BYOK credential."""
    provider, plus, own = word.partition("+")
    if plus:
        return Credential(
            id=CredentialId(f"{tenant}:{own}"),
            provider=ProviderId(provider),
            name=own,
            secret=Secret(f"secret {word} of {tenant}"),
            tenant=tenant,
        )
    provider, _, name = word.partition("#")
    name = name or _USUAL
    return Credential(
        id=CredentialId(f"{provider}/{name}"),
        provider=ProviderId(provider),
        name=name,
        secret=Secret(f"secret {word}"),
    )


def make(endpoint: Endpoint, given: Credential) -> Candidate:
    assert endpoint.provider == given.provider
    return Candidate(
        endpoint=endpoint,
        credential=given.id,
        origin=endpoint.origin,
        path=endpoint.path.encode(),
        head=Secret(given.secret.reveal().encode()),
        target=Target(upstream_name=endpoint.upstream_name, traits=endpoint.traits),
        name=given.name,
        tenant=given.tenant,
    )


def supply_of(
    known: Catalog, *, built_in: str = "", ours: str = "", theirs: str = "", more: Iterable[Credential] = ()
) -> Supply:
    """Each argument: words of credentials."""
    credentials = [credential(word) for word in built_in.split()]
    credentials += [credential(word, US) for word in ours.split()]
    credentials += [credential(word, THEM) for word in theirs.split()]
    return Supply(known, [*credentials, *more], make)


def ranking_of(
    supply: Supply,
    known: Catalog,
    route: Route,
    *,
    tenant: TenantId = US,
    asked: str = MODEL,
    interface: InterfaceId = CHAT,
) -> Ranking:
    found = known.found[asked]
    return supply.ranking(supply.of(tenant), route, found, interface)


def word(candidate: Candidate) -> str:
    provider = candidate.endpoint.provider
    if candidate.tenant is not None:
        return f"{provider}+{candidate.name}"
    return provider if candidate.name == _USUAL else f"{provider}#{candidate.name}"


def words(candidates: Iterable[Candidate]) -> str:
    return " ".join(word(candidate) for candidate in candidates)


def shape(ranking: Ranking) -> str:
    """Tiers by ``/``, groups by ``<``, equals in brackets; credentials that share the load joined by ``|``."""
    if not ranking.tiers:
        return words(ranking.candidates)
    tiers = []
    for tier in ranking.tiers:
        groups = []
        for group in tier:
            stops = [
                " ".join(
                    [word(each) for each in stop.own]
                    + (["|".join(word(each) for each in stop.built_in)] if stop.built_in else [])
                )
                for stop in group.items
            ]
            groups.append(stops[0] if len(stops) == 1 else "[" + ", ".join(stops) + "]")
        tiers.append(" < ".join(groups))
    return " / ".join(tiers)


def route(**members: object) -> Route:
    """A route from the members that an administrator writes."""
    return msgspec.convert(members, Route)
