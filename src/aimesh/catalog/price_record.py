"""What a usage record costs: the price of its endpoint when the call began, less the tenant's discount.

1. Usage over a tenant's own credential (BYOK) is priced at list: it is what the tenant pays elsewhere, not to us.
2. An endpoint that the catalogue does not have, or has without a price: unknown, never zero.
3. Whoever keeps records keeps ``used`` with them: it says what the versions in the records mean.
"""

from msgspec import Struct

from aimesh.catalog.price import Price, holding, priced
from aimesh.catalog.price_discount import NO_DISCOUNTS, Discounts
from aimesh.catalog.snapshot import Catalog
from aimesh.core.ids import EndpointName
from aimesh.core.money import WHOLE
from aimesh.core.priced import Priced
from aimesh.core.record import UsageRecord

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
        price = self._version
        if price is None:
            endpoint = self._endpoints.get(record.endpoint)
            price = None if endpoint is None else holding(endpoint.price, record.at)
            if price is None:
                return None
        factor = WHOLE
        if not record.credential.startswith(BYOK):
            factor = self._discounts.factor(record.tenant, record.provider, record.model, record.at)
        found = priced(price, record.usage, record.at, factor)
        if found is not None and found.version not in self.used:
            self.used[found.version] = Version(endpoint=record.endpoint, price=price)
        return found
