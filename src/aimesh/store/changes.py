"""Numbers that move with every change that the data plane must see.

1. A number moves in the transaction of the change itself: whoever reads number and rows in one ``read`` has every
   change up to that number.
2. Writers follow one another, so numbers are committed in their order.
"""

from typing import Literal

from sqlalchemy import insert, select, update

from aimesh.store.engine import Connection
from aimesh.store.tables import VERSIONS

ChangeName = Literal["keys", "world"]


def bump(db: Connection, name: ChangeName) -> int:
    """Gives the new number."""
    number = db.execute(
        update(VERSIONS)
        .where(VERSIONS.c.name == name)
        .values(number=VERSIONS.c.number + 1)
        .returning(VERSIONS.c.number)
    ).scalar()
    if number is None:
        number = db.execute(
            insert(VERSIONS).values(name=name, number=1).returning(VERSIONS.c.number)
        ).scalar_one()
    return int(number)


def current(db: Connection, name: ChangeName) -> int:
    """0: nothing was changed yet."""
    number = db.execute(select(VERSIONS.c.number).where(VERSIONS.c.name == name)).scalar()
    return int(number) if number is not None else 0
