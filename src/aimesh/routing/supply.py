"""What may serve calls under one snapshot: the catalogue's endpoints and the credentials, with a memo of what was
worked out from them.

1. A tenant's credentials are kept in that tenant's ``Holdings``, and so is every ranking made with them: no look-up
   that begins at one tenant can end at another's. Tenants without credentials of their own share one.
2. Nothing is worked out before a call asks for it, so a supply costs nothing to make, however large it is.
3. The memo is bounded, gives up its oldest one at a time, and dies with the snapshot: by and by (``forget``), because
   freeing all of it at once would hold up calls.
"""

from collections import deque
from collections.abc import Iterable

from msgspec import Struct

from aimesh.catalog.snapshot import Catalog, Endpoint, Found, Model
from aimesh.core.ids import CredentialId, EndpointName, InterfaceId, ProviderId, TenantId
from aimesh.core.policy import Route
from aimesh.routing.candidate import Candidate, Credential, Make
from aimesh.routing.rank import Held, Ranking, Shelf, rank, reachable

MOST_KEPT = 20_000
"""Rankings in the memo."""
MOST_LISTS = 100
"""Lists of models per tenant with credentials of its own, and for the others together."""

Name = tuple[str, str, InterfaceId]
"""The mark of a route, the word for the model, and the interface."""


class Reach(Struct, frozen=True):
    """What a route makes of one word for a model and one interface."""

    model: Model
    ranking: Ranking
    """Never empty."""


class Holdings:
    """What one tenant's calls may use, and what was worked out with it."""

    __slots__ = ("held", "models", "reaches")

    def __init__(self, built_in: Shelf, own: Iterable[Credential]) -> None:
        by_name = sorted(own, key=lambda credential: credential.name)
        named = {credential.name: credential for credential in by_name}
        self.held = Held(built_in=built_in, own=_shelf(named.values()), named=named)
        self.reaches: dict[Name, Reach] = {}
        self.models: dict[str, tuple[Model, ...]] = {}
        """Models with anything to serve them, by the mark of a route."""


class Supply:
    """``make`` makes a candidate of an endpoint and a credential."""

    __slots__ = ("_catalog", "_kept", "_made", "_make", "_others", "_own")

    def __init__(self, catalog: Catalog, credentials: Iterable[Credential], make: Make) -> None:
        self._catalog = catalog
        self._make = make
        self._made: dict[tuple[str, str], Candidate] = {}
        self._kept: deque[tuple[Holdings, Name]] = deque()
        """What ``keep`` kept, the oldest first."""
        built_in: list[Credential] = []
        own: dict[TenantId, list[Credential]] = {}
        for credential in credentials:
            mine = built_in if credential.tenant is None else own.setdefault(credential.tenant, [])
            mine.append(credential)
        shelf = _shelf(built_in)
        self._others = Holdings(shelf, ())
        self._own = {tenant: Holdings(shelf, mine) for tenant, mine in own.items()}

    def of(self, tenant: TenantId) -> Holdings:
        return self._own.get(tenant, self._others)

    def ranking(self, holdings: Holdings, route: Route, found: Found, interface: InterfaceId) -> Ranking:
        """Worked out anew. Empty when the route leaves nothing."""
        if found.pinned is None:
            endpoints = self._catalog.endpoints_for(found.model.name, interface)
        else:
            endpoints = (found.pinned,) if found.pinned.interface == interface else ()
        return rank(route, endpoints, holdings.held, self._candidate)

    def keep(self, holdings: Holdings, name: Name, reach: Reach) -> None:
        """For the next call like it."""
        if name not in holdings.reaches:
            self._kept.append((holdings, name))
            if len(self._kept) > MOST_KEPT:
                self._drop_oldest()
        holdings.reaches[name] = reach

    def forget(self, count: int) -> bool:
        """Lets go of up to ``count`` rankings of a supply that is about to go itself; whether it knows any more."""
        for _ in range(min(count, len(self._kept))):
            self._drop_oldest()
        for _ in range(min(count, len(self._made))):
            self._made.popitem()
        return bool(self._kept or self._made)

    def _drop_oldest(self) -> None:
        holdings, name = self._kept.popleft()
        holdings.reaches.pop(name, None)

    def models(self, holdings: Holdings, route: Route, mark: str) -> tuple[Model, ...]:
        """Models that the route can reach over any interface, sorted by name."""
        found = holdings.models.get(mark)
        if found is None:
            providers = reachable(route, holdings.held)
            found = tuple(
                model
                for _, model in sorted(self._catalog.models.items())
                if any(each.is_callable and each.provider in providers for each in model.endpoints)
            )
            if len(holdings.models) >= MOST_LISTS:
                holdings.models.clear()
            holdings.models[mark] = found
        return found

    def candidate(
        self, endpoint: EndpointName, credential: CredentialId, tenant: TenantId
    ) -> Candidate | None:
        """One certain candidate that a tenant may use; None: no longer configured."""
        found = self._catalog.endpoints.get(endpoint)
        if found is None or not found.is_callable:
            return None
        held = self.of(tenant).held
        for each in (*held.own.get(found.provider, ()), *held.built_in.get(found.provider, ())):
            if each.id == credential:
                return self._candidate(found, each)
        return None

    def _candidate(self, endpoint: Endpoint, credential: Credential) -> Candidate:
        if credential.tenant is not None:
            return self._make(endpoint, credential)
        # Built-in ones are in nearly every ranking.
        name = (endpoint.name, credential.id)
        made = self._made.get(name)
        if made is None:
            made = self._made[name] = self._make(endpoint, credential)
        return made


def _shelf(credentials: Iterable[Credential]) -> Shelf:
    shelf: dict[ProviderId, list[Credential]] = {}
    for credential in credentials:
        shelf.setdefault(credential.provider, []).append(credential)
    return {provider: tuple(found) for provider, found in shelf.items()}
