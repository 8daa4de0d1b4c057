"""Discounts: rows of ``discounts``.

1. Whoever prices reads them with the transaction in which it writes what it priced. Workers, whose budgets count what
   is billed, get them with the world, so every change moves its number.
2. A change is made to the version that was read; one that came between is not overwritten.
"""

from msgspec import structs
from sqlalchemy import RowMapping, delete, func, insert, select, update

from aimesh.catalog.price_discount import Discount, Discounts, DiscountTerms, Scope
from aimesh.core.ids import TenantId
from aimesh.store.changes import bump
from aimesh.store.engine import Connection
from aimesh.store.tables import DISCOUNTS


def read_discounts(db: Connection) -> Discounts:
    """All of them, of all tenants."""
    return Discounts(_discount(row) for row in db.execute(select(DISCOUNTS)).mappings())


def list_discounts(db: Connection, tenant: TenantId, *, after: str | None, limit: int) -> list[Discount]:
    """By id, which is by time of making; ``after`` is the last one seen."""
    question = select(DISCOUNTS).where(DISCOUNTS.c.tenant == tenant).order_by(DISCOUNTS.c.id).limit(limit)
    if after is not None:
        question = question.where(DISCOUNTS.c.id > after)
    return [_discount(row) for row in db.execute(question).mappings()]


def count_discounts(db: Connection, tenant: TenantId) -> int:
    question = select(func.count()).select_from(DISCOUNTS).where(DISCOUNTS.c.tenant == tenant)
    return db.execute(question).scalar_one()


def find_discount(db: Connection, discount: str) -> Discount | None:
    row = db.execute(select(DISCOUNTS).where(DISCOUNTS.c.id == discount)).mappings().first()
    return _discount(row) if row is not None else None


def add_discount(db: Connection, discount: Discount) -> None:
    db.execute(
        insert(DISCOUNTS).values(
            id=discount.id,
            tenant=discount.tenant,
            created_at_s=discount.created_at_s,
            updated_at_s=discount.updated_at_s,
            version=discount.version,
            **_columns(discount.terms),
        )
    )
    bump(db, "world")


def change_discount(
    db: Connection, discount: Discount, terms: DiscountTerms, now_s: float
) -> Discount | None:
    """None: somebody else changed it since it was read."""
    done = db.execute(
        update(DISCOUNTS)
        .where(DISCOUNTS.c.id == discount.id, DISCOUNTS.c.version == discount.version)
        .values(updated_at_s=now_s, version=discount.version + 1, **_columns(terms))
    )
    if not done.rowcount:
        return None
    bump(db, "world")
    return structs.replace(discount, terms=terms, updated_at_s=now_s, version=discount.version + 1)


def delete_discount(db: Connection, discount: str) -> None:
    db.execute(delete(DISCOUNTS).where(DISCOUNTS.c.id == discount))
    bump(db, "world")


def _columns(terms: DiscountTerms) -> dict[str, str | float | None]:
    return {
        "scope": terms.scope.value,
        "name": terms.name,
        "factor": terms.factor,
        "from_s": terms.since_s,
        "until_s": terms.until_s,
    }


def _discount(row: RowMapping) -> Discount:
    return Discount(
        id=row["id"],
        tenant=TenantId(row["tenant"]),
        terms=DiscountTerms(
            scope=Scope(row["scope"]),
            name=row["name"],
            factor=row["factor"],
            since_s=row["from_s"],
            until_s=row["until_s"],
        ),
        created_at_s=row["created_at_s"],
        updated_at_s=row["updated_at_s"],
        version=row["version"],
    )
