"""A small catalogue with prices to change, and records to price."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

from msgspec import structs
from tests.support.records import typical_record

from aimesh.catalog.schema import EndpointEntry, ModelEntry, Paths, PriceEntry, ProviderEntry, Tier
from aimesh.catalog.snapshot import Catalog, compile_catalog
from aimesh.core.ids import EndpointName, ModelName, ProviderId
from aimesh.core.kind import Kind
from aimesh.core.money import Currency
from aimesh.core.record import UsageRecord

PROVIDERS = ("cloud_north", "cloud_south")
MODELS = ("maker/small", "maker/large")
ENDPOINTS = tuple(f"{provider}@{model}@open_ai" for provider in PROVIDERS for model in MODELS)


def catalog_with(prices: Mapping[str, str | PriceEntry], endpoints: Sequence[str] = ENDPOINTS) -> Catalog:
    """Endpoint to ``currency input output`` per million tokens, or to a whole price."""
    providers = {
        name: ProviderEntry(
            base_url=f"https://{name.replace('_', '-')}.example/v1", speaks={"open_ai": Paths()}
        )
        for name in PROVIDERS
    }
    return compile_catalog(
        providers,
        [
            ModelEntry(
                name=model,
                kind=Kind.CHAT,
                endpoints=tuple(
                    EndpointEntry(
                        provider=provider,
                        interfaces=("open_ai",),
                        upstream=model,
                        price=_price(prices.get(f"{provider}@{model}@open_ai")),
                    )
                    for provider in PROVIDERS
                    if f"{provider}@{model}@open_ai" in endpoints
                ),
            )
            for model in MODELS
        ],
        cny_per_usd=Fraction(7),
    )


def priced_record(name: str, endpoint: str) -> UsageRecord:
    provider, model, _ = endpoint.split("@")
    return structs.replace(
        typical_record(name),
        endpoint=EndpointName(endpoint),
        provider=ProviderId(provider),
        model=ModelName(model),
    )


def _price(price: str | PriceEntry | None) -> PriceEntry | None:
    if not isinstance(price, str):
        return price
    currency, given, answered = price.split()
    return PriceEntry(
        currency=Currency(currency), tiers=(Tier(input=Decimal(given), output=Decimal(answered)),)
    )
