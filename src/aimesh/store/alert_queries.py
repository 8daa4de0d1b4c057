"""What alerts are told from that no other question asks: calls of single credentials."""

from msgspec import Struct
from sqlalchemy import case, func, select

from aimesh.store.engine import Connection
from aimesh.store.tables import USAGE_RECORDS
from aimesh.store.usage_points_queries import FAULTS
from aimesh.store.usage_rows import SETTLEMENT


class Faults(Struct, frozen=True):
    requests: int
    faults: int
    """See ``usage_points_queries.FAULTS``."""


def credential_faults(db: Connection, since_s: float) -> dict[str, Faults]:
    """Ids of credentials to the calls that began since then."""
    table = USAGE_RECORDS.c
    is_fault = case((table.outcome.in_([one.value for one in sorted(FAULTS)]), 1), else_=0)
    question = (
        select(table.credential, func.count(), func.sum(is_fault))
        .where(table.at_s >= since_s, table.credential != "", ~table.id.startswith(SETTLEMENT))
        .group_by(table.credential)
    )
    return {name: Faults(int(count), int(faults)) for name, count, faults in db.execute(question)}
