"""The catalogue as the whole installation has it: built-in entries, changes of administrators, aimesh.yaml.

1. It is worked out anew only when the number of "world" has moved.
2. Changes of administrators that do not fit (any more: the file may have changed) are left out whole, as the
   publisher leaves them out.
"""

from threading import Lock

from msgspec import Struct, structs

from aimesh.catalog.crosscheck import Merged
from aimesh.catalog.problem import ConfigError
from aimesh.catalog.snapshot import Catalog
from aimesh.core.ids import ModelName, ProviderId
from aimesh.settings import NO_OVERLAYS, Overlays, Settings, overlaid_entries, read_overlays
from aimesh.settings.merge import compile_entries
from aimesh.store.changes import current
from aimesh.store.engine import Connection
from aimesh.store.overlays import OverlayKind, list_overlays


class Installed(Struct, frozen=True):
    """The merged catalogue at one number of "world"."""

    number: int
    entries: Merged
    catalog: Catalog
    """As workers have it."""
    shown: Catalog
    """The same with the models that are switched off, for those who may switch them on."""
    problem: str = ""
    """Why the changes of administrators are not used; empty: they are."""


class Catalogs:
    """Any thread may use it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: Installed | None = None

    def of(self, settings: Settings, db: Connection) -> Installed:
        """At the state that ``db`` sees."""
        number = current(db, "world")
        kept = self._kept
        if kept is not None and kept.number == number:
            return kept
        with self._lock:
            if self._kept is None or self._kept.number != number:
                self._kept = installed(settings, db, number)
            return self._kept


def installed(settings: Settings, db: Connection, number: int) -> Installed:
    problem = ""
    try:
        entries = overlaid_entries(settings, stored_overlays(db))
    except ConfigError as error:
        problem = "; ".join(one.message for one in error.problems)
        entries = overlaid_entries(settings, NO_OVERLAYS)
    catalog = compile_entries(settings, entries)
    shown = catalog
    if any(model.enabled is False for model in entries.models.values()):
        every = {name: structs.replace(model, enabled=True) for name, model in entries.models.items()}
        shown = compile_entries(settings, Merged(providers=entries.providers, models=every))
    return Installed(number=number, entries=entries, catalog=catalog, shown=shown, problem=problem)


def stored_overlays(db: Connection) -> Overlays:
    """Raises ``ConfigError``."""
    return read_overlays(
        {ProviderId(one.name): one.document for one in list_overlays(db, OverlayKind.PROVIDER)},
        {ModelName(one.name): one.document for one in list_overlays(db, OverlayKind.MODEL)},
    )
