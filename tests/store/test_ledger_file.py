import mmap
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from aimesh.store import ledger_file
from aimesh.store.ledger_file import LedgerError, LedgerFile, LockBusy, RowKind, SlotLock

QUOTA = RowKind.QUOTA
HOLDER = """
import fcntl, os, sys
descriptor = os.open(sys.argv[1], os.O_RDWR)
fcntl.lockf(descriptor, fcntl.LOCK_EX, 8, int(sys.argv[2]))
print("locked", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "limits.bin"


def test_what_was_made_is_found_by_everybody(path: Path) -> None:
    first = LedgerFile.create(path, slots=3)
    second = LedgerFile(path)
    reader = LedgerFile(path, writable=False)
    assert second.find(b"a") is None
    place = first.insert(b"a", QUOTA, 7)
    assert second.insert(b"a", QUOTA, 8) == second.find(b"a")
    for file in (second, reader):
        found = file.find(b"a")
        assert found is not None
        assert (found.cell, found.offset) == (place.cell, place.offset)
        assert found.segment.cells[found.cell + ledger_file.DAY] == 7
    assert [kind for *_, kind in reader.read_rows()] == [QUOTA]
    assert oct(path.stat().st_mode & 0o777) == "0o600"
    for file in (first, second, reader):
        file.close()


def test_it_grows_while_others_use_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Four slots make a row of 128 bytes.
    monkeypatch.setattr(ledger_file, "FIRST_ROWS", mmap.ALLOCATIONGRANULARITY // 128)
    files = [LedgerFile.create(path, slots=4)]
    files.append(LedgerFile(path))
    names = [f"row {number}".encode() for number in range(40 * ledger_file.FIRST_ROWS)]
    for number, name in enumerate(names):
        place = files[number % 2].insert(name, QUOTA, 0)
        place.segment.cells[place.cell + ledger_file.USED] = number
    assert len(files[0].segments) > 4
    for file in files:
        for number, name in enumerate(names):
            found = file.find(name)
            assert found is not None
            assert found.segment.cells[found.cell + ledger_file.USED] == number
        assert sum(1 for _ in file.read_rows()) == len(names)
        file.close()


def test_it_can_be_full(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_file, "FIRST_ROWS", mmap.ALLOCATIONGRANULARITY // 128)
    monkeypatch.setattr(ledger_file, "MOST_SEGMENTS", 1)
    file = LedgerFile.create(path, slots=4)
    for number in range(ledger_file.FIRST_ROWS * 3 // 4):
        file.insert(f"row {number}".encode(), QUOTA, 0)
    with pytest.raises(OSError, match="full"):
        file.insert(b"one more", QUOTA, 0)
    assert file.find(b"row 0") is not None
    file.close()


@pytest.mark.parametrize("damage", ["empty", "short", "magic", "check", "cut"])
def test_a_damaged_file_is_none(path: Path, damage: str) -> None:
    LedgerFile.create(path, slots=3).close()
    data = bytearray(path.read_bytes())
    match damage:
        case "empty":
            data.clear()
        case "short":
            del data[20:]
        case "magic":
            data[0] ^= 1
        case "check":
            data[17] ^= 1
        case _:
            del data[-4096:]
    path.write_bytes(data)
    with pytest.raises(LedgerError, match="damaged"):
        LedgerFile(path)


def test_an_absent_file_is_none(path: Path) -> None:
    with pytest.raises(LedgerError, match="opened"):
        LedgerFile(path)


def test_a_damaged_row_is_told_apart(path: Path) -> None:
    file = LedgerFile.create(path, slots=3)
    file.insert(b"good", RowKind.RATE, 0)
    place = file.insert(b"bad", QUOTA, 0)
    place.segment.cells[place.cell + 1] ^= 1
    assert {kind for *_, kind in file.read_rows()} == {RowKind.RATE, None}
    file.close()


def test_the_lock_of_a_stopped_process_is_given_up_and_that_of_a_dead_one_is_free(path: Path) -> None:
    file = LedgerFile.create(path, slots=3)
    arguments = [sys.executable, "-c", HOLDER, str(path), "0"]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"locked\n"
        os.kill(child.pid, signal.SIGSTOP)
        assert not file.try_lock(0)
        with pytest.raises(LockBusy):
            file.insert(b"a", QUOTA, 0)
        assert file.try_lock(64)
        file.unlock(64)
        child.kill()
        child.wait()
    assert file.try_lock(0)
    file.unlock(0)
    file.close()


def test_a_slot_has_one_owner(path: Path) -> None:
    claim = SlotLock(path, 1)
    with pytest.raises(LedgerError, match=r"slot 1 .* belongs to a living process"):
        SlotLock(path, 1)
    SlotLock(path, 2).release()
    claim.release()
    SlotLock(path, 1).release()


def test_clearing_a_slot_touches_no_other(path: Path) -> None:
    file = LedgerFile.create(path, slots=3)
    place = file.insert(b"a", QUOTA, 0)
    cells = place.segment.cells
    for slot in range(3):
        cells[place.cell + ledger_file.USED + slot] = 10 + slot
        cells[place.cell + file.held + slot] = 20 + slot
    file.clear_held(1)
    row = cells[place.cell : place.cell + file.row_cells].tolist()
    assert row[ledger_file.USED :] == [10, 11, 12, 20, 0, 22]
    file.close()
