"""What an administrator says about a virtual key, a tenant or a credential: the values that the database keeps, the
admin API takes, and the data plane obeys.

1. Everything here is plain data and survives JSON; nothing here knows how it is stored or enforced.
2. An absent limit is no limit; a limit is never zero.
3. Names of models are patterns (``catalog/match.py``), providers and credentials are ids that may have gone since.
"""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from aimesh.core.ids import CredentialId, KeyId, ProviderId, TenantId

Amount = Annotated[int, Meta(ge=1, le=(1 << 62))]


class RouteMode(StrEnum):
    DEFAULT = "default"
    """Built-in providers and BYOK, ranked."""
    PROVIDER = "provider"
    """The listed providers, in their order."""
    BYOK = "byok"
    """The listed BYOK credentials, in their order; never a built-in one."""


class RankBy(StrEnum):
    """How mode ``default`` ranks."""

    PRICE = "price"
    THROUGHPUT = "throughput"
    LATENCY = "latency"


class Route(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Which endpoints a key's calls may try, and in what order."""

    mode: RouteMode = RouteMode.DEFAULT
    rank_by: RankBy = RankBy.PRICE
    providers: tuple[ProviderId, ...] = ()
    """Mode ``provider``: the order. Mode ``default``: if not empty, only these providers are ranked."""
    credentials: tuple[str, ...] = ()
    """Mode ``byok``: names of the tenant's BYOK credentials, in order; empty: all of them, ranked."""
    tiers: dict[ProviderId, int] = {}
    """Mode ``default``: providers of a lower tier are tried before those of a higher one; unlisted ones are 0."""
    weights: dict[ProviderId, Amount] = {}
    """Shares of the load among providers of equal rank; unlisted ones are 1."""
    affinity: bool = True
    """Calls that begin with the same prompt prefer the same endpoint among equals, for its prompt cache."""


class Period(StrEnum):
    DAILY = "daily"
    WEEKLY = "weekly"
    """From Monday."""
    MONTHLY = "monthly"
    TOTAL = "total"
    """Never begins again."""


class Unit(StrEnum):
    TOKENS = "tokens"
    CNY = "CNY"
    USD = "USD"


class Quota(Struct, frozen=True, forbid_unknown_fields=True):
    """A ceiling of use in a period. Of several, any one that is spent refuses."""

    unit: Unit
    period: Period
    limit: Amount
    """Tokens, or nano-units of the currency."""


class Limits(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a key or a tenant may use. At most one quota per unit and period."""

    quotas: tuple[Quota, ...] = ()
    rpm: Amount | None = None
    """Requests per minute."""
    tpm: Amount | None = None
    """Tokens per minute."""
    concurrency: Amount | None = None
    """Calls at once."""


NO_LIMITS = Limits()


class KeyPolicy(Struct, frozen=True, omit_defaults=True):
    """A virtual key as the data plane gets it; found by the SHA-256 of its text, which is not here."""

    id: KeyId
    alias: str
    tenant: TenantId
    enabled: bool = True
    expires_at_s: float = 0.0
    """Wall-clock seconds; 0: never. For a text that was rotated away: the end of its grace, if that is sooner."""
    models: tuple[str, ...] = ()
    """Patterns; empty: every model."""
    networks: tuple[str, ...] = ()
    """CIDR; empty: any source address."""
    labels: dict[str, str] = {}
    route: Route = Route()
    limits: Limits = NO_LIMITS


class TenantStatus(StrEnum):
    ACTIVE = "active"
    OVERDUE = "overdue"
    """In arrears: calls are refused with ``GATEWAY_TENANT_OVERDUE``."""
    DISABLED = "disabled"


class DiscountPolicy(Struct, frozen=True, omit_defaults=True):
    """What of the list price a tenant pays; what the fields mean stands in ``catalog/price_discount.py``."""

    id: str
    scope: str
    name: str
    factor: str
    since_s: float
    until_s: float | None = None


class TenantPolicy(Struct, frozen=True, omit_defaults=True):
    """A tenant as the data plane gets it."""

    id: TenantId
    status: TenantStatus = TenantStatus.ACTIVE
    limits: Limits = NO_LIMITS
    """Over all keys of the tenant together."""
    discounts: tuple[DiscountPolicy, ...] = ()
    """Budgets count what is billed."""


class CredentialPolicy(Struct, frozen=True, omit_defaults=True):
    """A secret towards a provider, sealed. Without a tenant it is the platform's (built-in), with one it is BYOK."""

    id: CredentialId
    provider: ProviderId
    name: str
    """The alias that routes and records show; unique within its owner."""
    envelope: bytes
    """See ``store/vault.py``."""
    tenant: TenantId | None = None
