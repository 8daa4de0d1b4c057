"""What the database is to know of a record beyond what the record says: its kind, its key's owner, what it costs.

1. Owners and kinds are those of the time of the import, prices those of the time of the call, as far as the catalogue
   says since when they hold.
2. One look at the database serves a whole batch; owners are asked for again when keys have changed.
3. What goes wrong with one record is that record's: the others of its batch go on.
"""

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from aimesh.catalog.price_record import Pricer
from aimesh.catalog.snapshot import Catalog
from aimesh.control.models_catalog import Catalogs
from aimesh.core.clock import Clock
from aimesh.core.ids import KeyId
from aimesh.core.record import UsageRecord
from aimesh.settings import Settings
from aimesh.store.changes import current
from aimesh.store.engine import Connection, Store
from aimesh.store.key_owners import Owner, owners_of
from aimesh.store.prices import read_pricer
from aimesh.store.usage_import import Beside
from aimesh.store.usage_rows import Metered

_MOST_OWNERS = 100_000


class Unmetered(Struct, frozen=True):
    """A record of which this release cannot say what the database is to know."""

    why: str


class Batch(Struct, frozen=True):
    several: list[Metered | Unmetered]
    """In the order of the records."""
    beside: Beside


class Meter:
    """For one thread."""

    def __init__(self, store: Store, settings: Settings, catalogs: Catalogs, clock: Clock) -> None:
        self._store = store
        self._settings = settings
        self._catalogs = catalogs
        self._clock = clock
        self._owners: dict[KeyId, Owner] = {}
        self._keys_number = -1

    def metered(self, records: Sequence[UsageRecord]) -> Batch:
        """In their order. Raises ``StoreError``."""
        with self._store.read() as db:
            # With the models that are switched off: they have been called while they were on.
            catalog = self._catalogs.of(self._settings, db).shown
            pricer = read_pricer(db, catalog)
            owners = self._find_owners(db, {record.key_id for record in records})
        several = [_metered(record, owners[record.key_id], catalog, pricer) for record in records]
        users: dict[str, str] = {owner.id: owner.username for owner in owners.values() if owner.username}
        return Batch(several, Beside(versions=pricer.used, users=users, at_s=self._clock.wall_s()))

    def _find_owners(self, db: Connection, keys: set[KeyId]) -> dict[KeyId, Owner]:
        number = current(db, "keys")
        if number != self._keys_number or len(self._owners) > _MOST_OWNERS:
            self._owners = {}
            self._keys_number = number
        missing = keys - self._owners.keys()
        if missing:
            self._owners |= owners_of(db, missing)
        return {key: self._owners[key] for key in keys}


def _metered(record: UsageRecord, owner: Owner, catalog: Catalog, pricer: Pricer) -> Metered | Unmetered:
    model = catalog.models.get(record.model)
    try:
        priced = pricer.price(record)
    except Exception as error:  # noqa: BLE001 - a record's own edge: what nobody foresaw must not repeat its batch for ever
        return Unmetered(f"its price cannot be told: {described(error)}")
    return Metered(
        record=record, user=owner.id, kind="" if model is None else model.kind.value, priced=priced
    )


def described(error: Exception) -> str:
    """What went wrong and where in our files; not its words, which may quote the record."""
    place, trace = "", error.__traceback__
    while trace is not None:
        place = f" ({Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno})"
        trace = trace.tb_next
    return f"{type(error).__name__}{place}"
