"""From the database to the files that workers obey: looks for changes, and publishes what it can vouch for.

1. What is published was read back first as a worker reads it. What cannot be read back, or does not fit together, never
   replaces what was good; the reason is reported once.
2. Keys do not wait for the rest: entries of providers and models that do not fit (also because the file changed)
   leave those that fitted last in force, and everything else goes on.
3. A change costs what changed. All keys are read when this begins, when the numbers run backwards, and when the number
   moved and no row says why; in between, changes are folded into the table as files.
4. It tries again for ever: a database that is away, a full disk, another publisher that holds the lock.
"""

from collections.abc import Callable, Iterator

from msgspec import Struct, structs

from aimesh.catalog.problem import ConfigError
from aimesh.core.clock import Clock
from aimesh.settings import NO_OVERLAYS, Overlays, Settings, overlaid_catalog, read_overlays
from aimesh.store.engine import Store
from aimesh.store.key_table import Entry, KeyTable, TableError, encode_table, folded
from aimesh.store.publication import (
    EMPTY_WORLD,
    Manifest,
    Part,
    Publication,
    PublicationError,
    PublicationWriter,
    World,
    encode_world,
    published_directory,
)
from aimesh.store.published_rows import Numbers, changed_keys, every_key, read_numbers, read_world
from aimesh.store.session import StoreError

STEP_EVERY_S = 0.2
RETRY_S = 1.0
PATIENCE_S = 30.0
"""With another publisher."""
FOLD_AT = 2_000
"""So many changes are made part of the table: until then each publication writes them all anew."""

OnAlarm = Callable[[str, str], None]
"""A short name and a safe text; an empty text: it is well again."""


class _Found(Struct, frozen=True):
    """What the database has that is not published."""

    numbers: Numbers
    all_keys: list[Entry] | None
    changed: dict[bytes, bytes]
    world: World | None


class Publisher:
    """One per control process. ``step`` is for one thread."""

    def __init__(self, store: Store, settings: Settings, clock: Clock, on_alarm: OnAlarm) -> None:
        """Raises ``OSError`` when the directory cannot be made."""
        self._store = store
        self._settings = settings
        self._clock = clock
        self._on_alarm = on_alarm
        self._alarms: dict[str, str] = {}
        self._began_s = clock.monotonic_s()
        self._retry_at_s = 0.0
        self._writer = PublicationWriter(published_directory(settings.home), clock)
        self._reader = Publication(self._writer.directory, lambda _name, _message: None)
        self._numbers: Numbers | None = None
        """Of what is published; None: nothing by this publisher."""
        self._table: Part | None = None
        self._changes: dict[bytes, bytes] = {}
        self._world = EMPTY_WORLD
        self._world_part: Part | None = None
        self._fitting: World | None = None
        """Entries of providers and models that were found to fit."""

    def step(self) -> bool:
        """Publishes what changed since the last time; whether anything did. Never raises for what may pass."""
        if self._clock.monotonic_s() < self._retry_at_s:
            return False
        try:
            has_published = self._step()
        except StoreError as error:
            self._failed("database", str(error))
            return False
        except OSError as error:
            self._failed("publication", f"cannot be written: {(error.strerror or 'unknown').lower()}")
            return False
        except (PublicationError, TableError) as error:
            # What was written is not what is there.
            self._numbers = None
            self._failed("publication", str(error))
            return False
        self._well("database", "publication")
        return has_published

    def close(self) -> None:
        self._writer.close()

    def _step(self) -> bool:
        if not self._writer.acquire():
            # For a while this is usual: the process before this one is about to end.
            if self._clock.monotonic_s() - self._began_s > PATIENCE_S:
                self._alarm("publisher", "another process publishes into this directory")
            return False
        self._well("publisher")
        if self._numbers is not None and not self._writer.is_intact():
            self._numbers = None
        found = self._look()
        if found is None:
            return False
        published = self._publish(found)
        self._writer.commit(published)
        self._numbers = found.numbers
        return True

    def _look(self) -> _Found | None:
        last, now_s = self._numbers, self._clock.wall_s()
        with self._store.read() as db:
            numbers = read_numbers(db)
            if numbers == last:
                return None
            is_new = last is None or numbers.keys < last.keys or numbers.world < last.world
            changed: dict[bytes, bytes] = {}
            if last is not None and not is_new and numbers.keys != last.keys:
                changed = changed_keys(db, last.keys, now_s)
                is_new = not changed
            return _Found(
                numbers=numbers,
                all_keys=list(every_key(db, now_s)) if is_new else None,
                changed=changed,
                world=read_world(db) if is_new or last is None or numbers.world != last.world else None,
            )

    def _publish(self, found: _Found) -> Manifest:
        """Everything is written and read back; nothing is in force yet."""
        put = self._writer.put
        if found.all_keys is not None or self._table is None:
            table, changes = put("keys", encode_table(found.all_keys or ())), {}
        else:
            table, changes = self._table, self._changes | found.changed
            if len(changes) > FOLD_AT:
                table, changes = put("keys", encode_table(self._folded(changes))), {}
        world = self._world if found.world is None else self._fitted(found.world)
        known = self._writer.current
        manifest = Manifest(
            version=1 if known is None else known.version + 1,
            keys_number=found.numbers.keys,
            world_number=found.numbers.world,
            table=table,
            changes=put("changes", encode_table(changes.items())) if changes else None,
            world=put("world", [encode_world(world)]) if world is not self._world else self._world_part,
        )
        published = self._reader.take(manifest)
        if published is not None:
            _check(published.keys, found)
        self._table, self._changes = table, changes
        self._world, self._world_part = world, manifest.world
        return manifest

    def _folded(self, changes: dict[bytes, bytes]) -> Iterator[Entry]:
        before = self._reader.published
        assert before is not None
        return folded(before.keys.table, changes)

    def _fitted(self, world: World) -> World:
        """The world with entries that fit: its own, else those that fitted last, else none."""
        before = self._fitting if self._fitting is not None else self._published_before()
        if self._fitting is not None and _same_entries(world, self._fitting):
            return world
        for entries in (world, before, EMPTY_WORLD):
            try:
                self._compile(entries)
            except ConfigError as error:
                self._alarm("entries", f"not published: {error.described()}")
                continue
            if entries is world:
                self._well("entries")
            self._fitting = structs.replace(entries, tenants=(), credentials=())
            return structs.replace(world, providers=entries.providers, models=entries.models)
        raise AssertionError("nothing always fits")

    def _published_before(self) -> World:
        """By the publisher before this one, if it can be read."""
        try:
            published = None if self._writer.current is None else self._reader.take(self._writer.current)
        except PublicationError:
            return EMPTY_WORLD
        return EMPTY_WORLD if published is None else published.world

    def _compile(self, world: World) -> None:
        overlays: Overlays = NO_OVERLAYS
        if world.providers or world.models:
            overlays = read_overlays(world.providers, world.models)
        overlaid_catalog(self._settings, overlays)

    def _failed(self, name: str, message: str) -> None:
        self._retry_at_s = self._clock.monotonic_s() + RETRY_S
        self._alarm(name, message)

    def _alarm(self, name: str, message: str) -> None:
        if self._alarms.get(name) != message:
            self._alarms[name] = message
            self._on_alarm(name, message)

    def _well(self, *names: str) -> None:
        for name in names:
            if self._alarms.pop(name, ""):
                self._on_alarm(name, "")


def _same_entries(one: World, other: World) -> bool:
    return one.providers == other.providers and one.models == other.models


def _check(keys: KeyTable, found: _Found) -> None:
    """What was read from the database is found in the files, and can be understood. Raises ``TableError``."""
    for digest, record in found.changed.items() if found.all_keys is None else found.all_keys:
        if (keys.find(digest) is not None) != bool(record):
            raise PublicationError("a key is not found in what was written")
