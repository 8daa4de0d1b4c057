"""Versions of prices: what ``price_version`` of a usage record means, for ever.

1. A version is written once, with the first records that it priced, in their transaction. It never changes.
2. Several nodes may write the same version at the same time; they write in the order of the versions.
"""

from collections.abc import Mapping

from msgspec import Struct
from sqlalchemy import ColumnElement, RowMapping, func, select, text

from aimesh.catalog.price import version_document
from aimesh.catalog.price_record import Pricer, Version
from aimesh.catalog.snapshot import Catalog
from aimesh.core.ids import EndpointName
from aimesh.store.discounts import read_discounts
from aimesh.store.engine import Connection
from aimesh.store.tables import PRICE_VERSIONS

_KEEP = text(
    "INSERT INTO price_versions (version, endpoint, document, first_seen_s)"
    " VALUES (:version, :endpoint, :document, :first_seen_s) ON CONFLICT (version) DO NOTHING"
)


class PriceVersion(Struct, frozen=True):
    version: str
    endpoint: EndpointName
    """One that had this price first; others may have the same."""
    document: bytes
    """JSON of ``catalog.schema.PriceTerms``."""
    first_seen_s: float
    """When the first record was priced with it."""


def read_pricer(db: Connection, catalog: Catalog) -> Pricer:
    """By the discounts that ``db`` sees."""
    return Pricer(catalog, read_discounts(db))


def keep_versions(db: Connection, used: Mapping[str, Version], now_s: float) -> None:
    rows = [
        {
            "version": version,
            "endpoint": used[version].endpoint,
            "document": version_document(used[version].price.entry).decode(),
            "first_seen_s": now_s,
        }
        for version in sorted(used)
    ]
    if rows:
        db.execute(_KEEP, rows)


def find_version(db: Connection, version: str) -> PriceVersion | None:
    question = select(PRICE_VERSIONS).where(PRICE_VERSIONS.c.version == version)
    row = db.execute(question).mappings().first()
    return _version(row) if row is not None else None


def list_versions(
    db: Connection, endpoint: EndpointName, *, after: tuple[float, str] | None, limit: int
) -> list[PriceVersion]:
    """The newest first; ``after``: time and version of the last one seen. An empty endpoint is any."""
    seen, name = PRICE_VERSIONS.c.first_seen_s, PRICE_VERSIONS.c.version
    question = select(PRICE_VERSIONS).order_by(seen.desc(), name).limit(limit)
    if after is not None:
        question = question.where((seen < after[0]) | ((seen == after[0]) & (name > after[1])))
    return [_version(row) for row in db.execute(question.where(*_of(endpoint))).mappings()]


def count_versions(db: Connection, endpoint: EndpointName) -> int:
    question = select(func.count()).select_from(PRICE_VERSIONS).where(*_of(endpoint))
    return db.execute(question).scalar_one()


def _of(endpoint: EndpointName) -> list[ColumnElement[bool]]:
    return [PRICE_VERSIONS.c.endpoint == endpoint] if endpoint else []


def _version(row: RowMapping) -> PriceVersion:
    return PriceVersion(
        version=row["version"],
        endpoint=EndpointName(row["endpoint"]),
        document=row["document"].encode(),
        first_seen_s=row["first_seen_s"],
    )
