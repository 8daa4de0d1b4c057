"""A route, compiled for the endpoints of one model over one interface: everything about the order of attempts that
does not depend on the call.

1. ``permitted`` is the one rule of which credentials a route lets a call use at a provider. Built-in ones and those
   of one tenant are all there is here: another tenant's cannot be asked for.
2. A stop is an endpoint with its permitted credentials: the tenant's own (BYOK) in the order of their names, then the
   built-in ones, which share the load.
3. Stops of equal rank are a group; whoever plans a call orders the group. Ranks are a tier, then a price; an unknown
   price ranks last. A route that ranks by measurements ranks anew per call, within its tiers.
4. Every permitted candidate is in ``Ranking.candidates`` exactly once.
"""

from collections.abc import Mapping, Sequence
from itertools import groupby

from msgspec import Struct

from aimesh.catalog.snapshot import Endpoint
from aimesh.core.ids import ProviderId
from aimesh.core.policy import RankBy, Route, RouteMode
from aimesh.routing.candidate import Candidate, Credential, Make
from aimesh.routing.draw import Equals, equals, seed_of

Shelf = Mapping[ProviderId, tuple[Credential, ...]]


class Held(Struct, frozen=True):
    """The credentials that one tenant's calls may use."""

    built_in: Shelf
    own: Shelf
    """The tenant's, by name."""
    named: Mapping[str, Credential]
    """The tenant's, again."""


class Stop(Struct, frozen=True):
    """An endpoint in a ranking."""

    endpoint: Endpoint
    weight: int
    seed: int
    own: tuple[Candidate, ...]
    """Come first, in this order."""
    built_in: tuple[Candidate, ...]
    whole: tuple[Candidate, ...]
    """Both."""
    shared: Equals[Candidate] | None
    """The built-in ones, where there are several; None: nothing is left to a draw."""


Group = Equals[Stop]
Tier = tuple[Group, ...]


class Measured:
    """The tiers of a ranking as measurements put them a moment ago: see ``routing/plan.py``. A memo, not a value."""

    __slots__ = ("tiers", "until_s")

    def __init__(self) -> None:
        self.tiers: tuple[Tier, ...] = ()
        self.until_s = 0.0


class Ranking(Struct, frozen=True):
    candidates: tuple[Candidate, ...]
    """All of them, the equals in the order of their names."""
    tiers: tuple[Tier, ...] = ()
    """Groups in order of price within each tier. Empty: ``candidates`` is the order of every call."""
    rank_by: RankBy = RankBy.PRICE
    affinity: bool = False
    is_capped: bool = False
    """The setting's number of attempts holds; otherwise all are tried."""
    streamed: Measured | None = None
    """Where ``rank_by`` is not price."""
    whole: Measured | None = None


def permitted(
    route: Route, provider: ProviderId, held: Held
) -> tuple[Sequence[Credential], Sequence[Credential]]:
    """The tenant's own credentials and the built-in ones that a route lets a call use at a provider."""
    if route.mode is RouteMode.BYOK:
        own = held.own.get(provider, ())
        if route.credentials:
            own = tuple(each for each in _listed(route, held) if each.provider == provider)
        return own, ()
    is_restricted = bool(route.providers) or route.mode is RouteMode.PROVIDER
    if is_restricted and provider not in route.providers:
        return (), ()
    return held.own.get(provider, ()), held.built_in.get(provider, ())


def reachable(route: Route, held: Held) -> frozenset[ProviderId]:
    """The providers at which a route permits anything."""
    return frozenset(
        provider
        for provider in held.built_in.keys() | held.own.keys()
        if any(permitted(route, provider, held))
    )


def rank(route: Route, endpoints: Sequence[Endpoint], held: Held, make: Make) -> Ranking:
    """``endpoints``: of one model over one interface, cheapest first; or the one that a caller pinned."""
    if route.mode is RouteMode.BYOK and route.credentials:
        # A provider has one endpoint for a model and an interface.
        at = {endpoint.provider: endpoint for endpoint in endpoints if endpoint.is_callable}
        listed = (each for each in _listed(route, held) if each.provider in at)
        return Ranking(tuple(make(at[each.provider], each) for each in listed))
    stops = [
        _stop(route, endpoint, own, built_in, make)
        for endpoint in endpoints
        for own, built_in in (permitted(route, endpoint.provider, held),)
        if endpoint.is_callable and (own or built_in)
    ]
    if route.mode is RouteMode.PROVIDER:
        stops.sort(key=lambda stop: route.providers.index(stop.endpoint.provider))
        tiers: tuple[Tier, ...] = (tuple(group_of((stop,)) for stop in stops),)
        rank_by = RankBy.PRICE
    else:
        tiers = _tiers(route, stops)
        rank_by = route.rank_by if len(stops) > 1 else RankBy.PRICE
    groups = [group.items for tier in tiers for group in tier]
    is_fixed = rank_by is RankBy.PRICE and all(len(group) == 1 and not group[0].shared for group in groups)
    return Ranking(
        candidates=tuple(candidate for group in groups for stop in group for candidate in stop.whole),
        tiers=() if is_fixed else tiers,
        rank_by=rank_by,
        affinity=route.affinity,
        is_capped=route.mode is RouteMode.DEFAULT,
        streamed=None if rank_by is RankBy.PRICE else Measured(),
        whole=None if rank_by is RankBy.PRICE else Measured(),
    )


def group_of(stops: Sequence[Stop]) -> Group:
    return equals(stops, seeds=[stop.seed for stop in stops], weights=[stop.weight for stop in stops])


def _listed(route: Route, held: Held) -> list[Credential]:
    """What is left of the route's list, each once."""
    return [held.named[name] for name in dict.fromkeys(route.credentials) if name in held.named]


def _stop(
    route: Route,
    endpoint: Endpoint,
    own: Sequence[Credential],
    built_in: Sequence[Credential],
    make: Make,
) -> Stop:
    ours = tuple(make(endpoint, each) for each in own)
    theirs = tuple(make(endpoint, each) for each in built_in)
    seeds = [seed_of(*each.circuit) for each in theirs]
    return Stop(
        endpoint=endpoint,
        weight=route.weights.get(endpoint.provider, 1),
        seed=seed_of(endpoint.name),
        own=ours,
        built_in=theirs,
        whole=ours + theirs,
        shared=equals(theirs, seeds=seeds, weights=()) if len(theirs) > 1 else None,
    )


def _tiers(route: Route, stops: list[Stop]) -> tuple[Tier, ...]:
    def tier(stop: Stop) -> int:
        return route.tiers.get(stop.endpoint.provider, 0)

    # Both sorts keep the order that they find: by price, then by name.
    return tuple(
        tuple(group_of(list(group)) for _, group in groupby(sorted(members, key=_price), key=_price))
        for _, members in groupby(sorted(stops, key=tier), key=tier)
    )


def _price(stop: Stop) -> tuple[bool, int]:
    rank = stop.endpoint.blended_rank
    return rank is None, rank or 0
