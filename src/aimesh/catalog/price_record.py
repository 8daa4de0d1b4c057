"""What a usage record costs: the price of its endpoint when the call began, less the tenant's discount.

1. Usage over a tenant's own credential (BYOK) is priced at list: it is what the tenant pays elsewhere, not to us.
2. An endpoint that the catalogue does not have, or has without a price: unknown, never zero.
3. Whoever keeps records keeps ``used`` with them: it says what the versions in the records mean.
"""

from msgspec import Struct

from aimesh.catalog.price import Price, cost, holding, priced
from aimesh.catalog.price_discount import NO_DISCOUNTS, Discount, Discounts, DiscountTerms, Scope, factor_of
from aimesh.catalog.snapshot import Catalog, Endpoint
from aimesh.core.ids import CredentialId, EndpointName, TenantId
from aimesh.core.money import WHOLE, Money
from aimesh.core.policy import TenantPolicy
from aimesh.core.priced import Priced
from aimesh.core.record import UsageRecord
from aimesh.core.usage import Usage

BYOK = "byok:"
"""What ids of credentials begin with that a tenant brought."""


class Version(Struct, frozen=True):
    """A price that something was priced with."""

    endpoint: EndpointName
    """One that has it; several may have the same."""
    price: Price


class Pricer:
    """Prices records by one state of the catalogue and of the discounts; by one ``version`` of a price alone, whatever
    its times, where one is given."""

    def __init__(
        self, catalog: Catalog, discounts: Discounts = NO_DISCOUNTS, *, version: Price | None = None
    ) -> None:
        self._endpoints = catalog.endpoints
        self._discounts = discounts
        self._version = version
        self.used: dict[str, Version] = {}
        """By ``Price.version``; grows while records are priced."""

    def knows(self, endpoint: EndpointName) -> bool:
        return self._version is not None or endpoint in self._endpoints

    def price(self, record: UsageRecord) -> Priced | None:
        """None: no price is known for what was used, or nothing was used that has one."""
        price, at_s = self._version, record.priced_at
        if price is None:
            endpoint = self._endpoints.get(record.endpoint)
            price = None if endpoint is None else holding(endpoint.price, at_s)
            if price is None:
                return None
        factor = WHOLE
        if not record.credential.startswith(BYOK):
            factor = self._discounts.factor(record.tenant, record.provider, record.model, at_s)
        found = priced(price, record.usage, at_s, factor)
        if found is not None and found.version not in self.used:
            self.used[found.version] = Version(endpoint=record.endpoint, price=price)
        return found


class Payer:
    """A tenant with discounts, for budgets: what a call costs it before there is a record."""

    def __init__(self, tenant: TenantId, discounts: Discounts) -> None:
        self._tenant = tenant
        self._discounts = discounts

    def cost(self, endpoint: Endpoint, credential: CredentialId, usage: Usage, at_s: float) -> Money | None:
        """The same as ``Pricer.price`` says of the record."""
        if credential.startswith(BYOK):
            return cost(endpoint.price, usage, at_s)
        factor = self._discounts.factor(self._tenant, endpoint.provider, endpoint.model, at_s)
        found = priced(holding(endpoint.price, at_s), usage, at_s, factor)
        return None if found is None else Money(nano=found.cost_nano, currency=found.currency)


def payer_of(tenant: TenantPolicy) -> Payer | None:
    """None: it pays list prices. What a later release says of discounts and this one cannot read is left out."""
    found: list[Discount] = []
    for one in tenant.discounts:
        try:
            factor_of(one.factor)
            terms = DiscountTerms(Scope(one.scope), one.name, one.factor, one.since_s, one.until_s)
        except ValueError:
            continue
        found.append(
            Discount(id=one.id, tenant=tenant.id, terms=terms, created_at_s=0, updated_at_s=0, version=0)
        )
    return Payer(tenant.id, Discounts(found)) if found else None
