"""A database with a publisher, and what workers find in its files: for tests of publication."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TypeVar

from msgspec import structs

from aimesh.control.publish import Publisher
from aimesh.core.clock import FixedClock
from aimesh.core.ids import DEFAULT_TENANT, TenantId, UserId
from aimesh.core.policy import KeyPolicy
from aimesh.core.secret import Secret
from aimesh.settings import compile_settings
from aimesh.store import overlays, virtual_keys
from aimesh.store.engine import Connection, Store
from aimesh.store.key_text import digest
from aimesh.store.overlays import OverlayKind
from aimesh.store.publication import Publication, Published, published_directory
from aimesh.store.tables import VIRTUAL_KEYS
from aimesh.store.virtual_keys import KeyTerms, NewKey, StoredKey

T = TypeVar("T")


class Press:
    """One control process and one worker's reader, without the processes."""

    def __init__(self, store: Store, home: Path, text: str = "") -> None:
        self.store = store
        self.home = home
        self.clock = FixedClock()
        self.alarms: list[tuple[str, str]] = []
        """Of both."""
        self.directory = published_directory(home)
        file = home / "aimesh.yaml"
        file.write_text(text, encoding="utf-8")
        self.settings = compile_settings(file, {"AIMESH_HOME": str(home)})
        self.publisher = self.new_publisher()
        self.reader = Publication(self.directory, self._note)
        self._published: Published | None = None

    def _note(self, name: str, message: str) -> None:
        self.alarms.append((name, message))

    def new_publisher(self) -> Publisher:
        return Publisher(self.store, self.settings, self.clock, self._note)

    def write(self, work: Callable[[Connection], T]) -> T:
        with self.store.write() as db:
            return work(db)

    def make_key(
        self, alias: str, *, terms: KeyTerms | None = None, tenant: TenantId = DEFAULT_TENANT
    ) -> StoredKey:
        """Its text is ``text_of(alias)``."""
        return self.write(lambda db: virtual_keys.insert_key(db, self._new(alias, terms, tenant)))

    def make_keys(self, aliases: Iterable[str], terms: KeyTerms) -> None:
        """Many, at once."""

        def insert(db: Connection) -> None:
            first = virtual_keys.insert_key(db, self._new("the first of many", terms, DEFAULT_TENANT))
            row = db.execute(VIRTUAL_KEYS.select().where(VIRTUAL_KEYS.c.id == first.id)).mappings().one()
            rows = [
                {
                    **row,
                    "id": f"{first.id}-{number}",
                    "alias": alias,
                    "sha256": digest(text_of(alias)),
                }
                for number, alias in enumerate(aliases)
            ]
            db.execute(VIRTUAL_KEYS.insert(), rows)

        self.write(insert)

    def _new(self, alias: str, terms: KeyTerms | None, tenant: TenantId) -> NewKey:
        now_s = self.clock.wall_s()
        return NewKey(
            id=virtual_keys.make_id(now_s),
            tenant=tenant,
            owner=UserId(""),
            terms=structs.replace(terms or KeyTerms(alias=alias), alias=alias),
            text=text_of(alias),
            envelope=None,
            at_s=now_s,
        )

    def put_overlay(self, kind: OverlayKind, name: str, document: bytes) -> None:
        self.put_overlays(kind, {name: document})

    def put_overlays(self, kind: OverlayKind, documents: Mapping[str, bytes]) -> None:
        """Over those of the same names."""

        def put(db: Connection) -> None:
            at_s = self.clock.wall_s()
            known = {one.name: one.version for one in overlays.list_overlays(db, kind)}
            for name, document in documents.items():
                before = known.get(name, 0)
                assert overlays.put_overlay(db, kind, name, document=document, before=before, at_s=at_s)

        self.write(put)

    @property
    def published(self) -> Published:
        """What a worker has now."""
        self._published = self.reader.poll() or self._published
        assert self._published is not None
        return self._published

    def find(self, text: str) -> KeyPolicy | None:
        """By ``text_of`` of it."""
        return self.published.keys.find(digest(text_of(text)))

    def close(self) -> None:
        self.publisher.close()


def text_of(alias: str) -> Secret[str]:
    return Secret(f"ck-{alias:*<40}")
