"""What a call's usage costs, once it is known."""

from msgspec import Struct

from aimesh.core.money import Currency


class Priced(Struct, frozen=True, gc=False):
    cost_nano: int
    """Nano-units, discounts taken off."""
    list_nano: int
    """The same before discounts."""
    currency: Currency
    version: str
    """Of the price: ``catalog.price.Price.version``."""
