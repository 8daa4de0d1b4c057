"""What alerts are told from that no other question asks: calls of single credentials, and what was tried with them."""

from collections import Counter

import msgspec
from msgspec import Struct
from sqlalchemy import case, func, select

from aimesh.core.record import AttemptRecord
from aimesh.store.engine import Connection
from aimesh.store.tables import USAGE_RECORDS
from aimesh.store.usage_points_queries import FAULTS
from aimesh.store.usage_rows import SETTLEMENT


class Faults(Struct, frozen=True):
    requests: int
    faults: int
    """See ``usage_points_queries.FAULTS``."""
    rescued: int = 0
    """Attempts that failed, whose call went on with another: beside the requests."""


_ATTEMPTS = msgspec.json.Decoder(tuple[AttemptRecord, ...])
_AT_A_TIME = 1000


def credential_faults(db: Connection, since_s: float) -> dict[str, Faults]:
    """Ids of credentials to the calls that began since then, and to the attempts of such calls."""
    table = USAGE_RECORDS.c
    rescued = _rescued(db, since_s)
    is_fault = case((table.outcome.in_([one.value for one in sorted(FAULTS)]), 1), else_=0)
    question = (
        select(table.credential, func.count(), func.sum(is_fault))
        .where(table.at_s >= since_s, table.credential != "", ~table.id.startswith(SETTLEMENT))
        .group_by(table.credential)
    )
    found = {
        name: Faults(int(count), int(faults), rescued.pop(name, 0))
        for name, count, faults in db.execute(question)
    }
    return found | {name: Faults(0, 0, count) for name, count in rescued.items()}


def _rescued(db: Connection, since_s: float) -> Counter[str]:
    """The last attempt of a call is the call's own."""
    table = USAGE_RECORDS.c
    question = select(table.attempts).where(table.at_s >= since_s, table.attempts != "[]")
    counts: Counter[str] = Counter()
    for (attempts,) in db.execute(question.execution_options(yield_per=_AT_A_TIME)):
        counts.update(attempt.credential for attempt in _ATTEMPTS.decode(attempts)[:-1] if attempt.credential)
    return counts
