import json
import stat
from pathlib import Path

import pytest
from msgspec import structs

from aimesh.core.clock import FixedClock
from aimesh.core.ids import CredentialId, ModelName, ProviderId, TenantId
from aimesh.core.policy import CredentialPolicy, TenantPolicy, TenantStatus
from aimesh.store.key_table import Entry, KeyTable, encode_table
from aimesh.store.publication import (
    EMPTY_WORLD,
    GRACE_S,
    RETRY_POLLS,
    Manifest,
    Publication,
    PublicationError,
    PublicationWriter,
    World,
    encode_world,
)

A, B, C = (bytes([number]) * 32 for number in (1, 2, 3))
WORLD = World(
    tenants=(TenantPolicy(id=TenantId("default"), status=TenantStatus.OVERDUE),),
    credentials=(
        CredentialPolicy(
            id=CredentialId("db:p/one"), provider=ProviderId("p"), name="one", envelope=b"\x01sealed"
        ),
    ),
    providers={ProviderId("p"): b'{"name": "P"}'},
    models={ModelName("v/m"): b'{"name": "v/m"}'},
)


class Desk:
    """A writer, a reader, and what the reader complained of."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.clock = FixedClock()
        self.writer = PublicationWriter(directory, self.clock)
        assert self.writer.acquire()
        self.alarms: list[str] = []
        self.reader = self.new_reader()

    def new_reader(self) -> Publication:
        return Publication(self.directory, lambda name, message: self.alarms.append(f"{name}: {message}"))

    def publish(
        self, version: int, keys: list[Entry], changes: list[Entry] | None = None, world: World | None = None
    ) -> Manifest:
        put = self.writer.put
        manifest = Manifest(
            version=version,
            keys_number=version,
            world_number=0,
            table=put("keys", encode_table(keys)),
            changes=put("changes", encode_table(changes)) if changes is not None else None,
            world=put("world", [encode_world(world)]) if world is not None else None,
        )
        self.writer.commit(manifest)
        return manifest


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "published")


def found(keys: KeyTable) -> set[bytes]:
    return {digest for digest, _ in keys.entries()}


def test_nothing_is_published_yet(desk: Desk) -> None:
    assert not desk.reader.has_moved()
    assert desk.reader.poll() is None
    assert desk.alarms == []


def test_what_is_published_is_read_once(desk: Desk) -> None:
    desk.publish(1, [(A, b"a"), (B, b"b")], [(B, b""), (C, b"c")], WORLD)
    assert desk.reader.has_moved()
    published = desk.reader.poll()
    assert published is not None
    assert published.version == 1
    assert found(published.keys) == {A, C}
    assert published.world == WORLD
    assert not desk.reader.has_moved()
    assert desk.reader.poll() is None


def test_a_world_is_not_needed(desk: Desk) -> None:
    desk.publish(1, [])
    published = desk.reader.poll()
    assert published is not None
    assert published.world is EMPTY_WORLD
    assert found(published.keys) == set()


def test_parts_that_did_not_change_are_the_same_objects(desk: Desk) -> None:
    first = desk.publish(1, [(A, b"a")], None, WORLD)
    one = desk.reader.poll()
    changes = desk.writer.put("changes", encode_table([(B, b"b")]))
    desk.writer.commit(structs.replace(first, version=2, changes=changes))
    two = desk.reader.poll()
    assert one is not None
    assert two is not None
    assert two.world is one.world
    assert two.keys.table is one.keys.table
    assert found(two.keys) == {A, B}


def test_only_the_owner_may_read(desk: Desk) -> None:
    desk.publish(1, [(A, b"a")], [(B, b"b")], WORLD)
    assert stat.S_IMODE(desk.directory.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in desk.directory.iterdir()} == {0o600}


@pytest.mark.parametrize("part", ["table", "changes", "world", "current.json"])
@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "missing"])
def test_a_damaged_publication_changes_nothing(desk: Desk, part: str, damage: str) -> None:
    desk.publish(1, [(A, b"a")], None, WORLD)
    assert desk.reader.poll() is not None
    manifest = desk.publish(2, [(B, b"b")], [(C, b"c")], World())
    assert desk.writer.is_intact()
    path = desk.directory / (part if part == "current.json" else getattr(manifest, part).name)
    content = path.read_bytes()
    if damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "flipped":
        path.write_bytes(bytes([content[0] ^ 0x80]) + content[1:])
    elif damage == "empty":
        path.write_bytes(b"")
    else:
        path.unlink()
    assert desk.writer.is_intact() == (damage == "flipped" and part != "current.json")
    assert desk.reader.poll() is None
    assert len(desk.alarms) == (0 if part == "current.json" and damage == "missing" else 1), desk.alarms
    # Reported once, and looked at again only now and then.
    assert [desk.reader.has_moved() for _ in range(RETRY_POLLS - 1)].count(True) == 0
    desk.reader.poll()
    assert len(desk.alarms) <= 1
    # A reader that knows nothing yet takes the one before.
    fresh = desk.new_reader().poll()
    assert fresh is not None
    assert fresh.version == 1
    # The damage is mended, and found to be.
    path.write_bytes(content)
    assert any(desk.reader.has_moved() for _ in range(RETRY_POLLS))
    mended = desk.reader.poll()
    assert mended is not None
    assert mended.version == 2


def test_a_manifest_of_another_release_is_left_alone(desk: Desk) -> None:
    desk.publish(1, [(A, b"a")])
    path = desk.directory / "current.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 2}))
    assert desk.reader.poll() is None
    assert desk.alarms == ["publication_bad: current.json: written by another release"]


def test_a_manifest_names_only_files_of_its_directory(desk: Desk, tmp_path: Path) -> None:
    manifest = desk.publish(1, [(A, b"a")])
    (tmp_path / "outside").write_bytes((desk.directory / manifest.table.name).read_bytes())
    with pytest.raises(PublicationError):
        desk.reader.take(structs.replace(manifest, table=structs.replace(manifest.table, name="../outside")))


def test_one_writer_at_a_time(desk: Desk) -> None:
    desk.publish(1, [(A, b"a")])
    other = PublicationWriter(desk.directory, desk.clock)
    assert not other.acquire()
    desk.writer.close()
    assert other.acquire()
    assert other.current is not None
    assert other.current.version == 1
    other.close()


def test_parts_nobody_names_go_after_a_while(desk: Desk) -> None:
    def there() -> list[Manifest]:
        return [one for one in made if (desk.directory / one.table.name).exists()]

    made = [desk.publish(version, [(A, bytes([version]))]) for version in range(4)]
    assert there() == made
    desk.clock.advance(GRACE_S)
    made.append(desk.publish(4, [(A, b"4")]))
    # The part of the manifest before stays, and what that commit has only just let go of.
    assert there() == made[2:]


def test_the_same_content_is_the_same_part(desk: Desk) -> None:
    one = desk.publish(1, [(A, b"a")], None, WORLD)
    first = desk.reader.poll()
    two = desk.publish(2, [(A, b"a")], None, WORLD)
    assert two.table == one.table
    second = desk.reader.poll()
    assert first is not None
    assert second is not None
    assert (second.world, second.keys.table) == (first.world, first.keys.table)
    assert second.world is first.world
