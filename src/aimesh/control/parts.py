"""What the admin API is made of: the parts that ``make_app`` is given, and how a handler gets at them.

1. Everything that reaches outside (database, clock, providers) comes in here, so a test can put its own in.
2. What a handler keeps between requests (slowed addresses, an identity provider's keys) lives in a part, not in
   a module.
"""

from dataclasses import dataclass, field
from typing import Annotated, Protocol

from fastapi import Depends, Request

from aimesh.control.models_catalog import Catalogs
from aimesh.control.oidc import IdentityProvider
from aimesh.control.passwords import Passwords
from aimesh.control.throttle import Throttle
from aimesh.core.clock import Clock
from aimesh.core.policy import Limits, Quota
from aimesh.settings import Settings
from aimesh.store.engine import Store
from aimesh.store.vault import Vault
from aimesh.telemetry.logs import Log


class QuotaState(Protocol):
    """One quota, and what was used of it in the running period."""

    @property
    def quota(self) -> Quota: ...

    @property
    def used(self) -> int: ...

    @property
    def held(self) -> int: ...

    @property
    def resets_at(self) -> float | None: ...


class LedgerReader(Protocol):
    """What was used of limits; ``scope`` names a key or a tenant as the data plane does."""

    def read(self, scope: str, limits: Limits, now: float) -> list[QuotaState]: ...


@dataclass(frozen=True, slots=True)
class Parts:
    store: Store
    settings: Settings
    clock: Clock
    vault: Vault | None = None
    """None: nothing that must be read back can be stored."""
    ledger: LedgerReader | None = None
    """None: nobody counts, and what was used is unknown."""
    log: Log | None = None
    identity_provider: IdentityProvider | None = None
    """None: the one that the settings name, if they do."""
    passwords: Passwords = field(default_factory=Passwords)
    throttle: Throttle = field(default_factory=Throttle)
    catalogs: Catalogs = field(default_factory=Catalogs)


def parts_of(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


Uses = Annotated[Parts, Depends(parts_of)]
"""Type of a handler's parameter that gets the parts."""
