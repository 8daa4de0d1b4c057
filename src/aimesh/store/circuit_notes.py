"""What each worker of this node says of its circuits, in a small file of its own: ``<home>/run/circuits-<pid>.json``.

For those who look; no call is planned by it. A file of a process that is gone says nothing any more, and is removed by
the next worker that begins.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from aimesh.core.ids import CredentialId, EndpointName


class CircuitNote(Struct, frozen=True):
    """A circuit that is not closed. Times are wall-clock seconds."""

    endpoint: EndpointName
    credential: CredentialId
    since_s: float
    """When it was first seen to be so."""
    until_s: float
    """Calls are kept from it until then; afterwards one probe at a time may go."""
    failures: int
    """In a row."""


class WorkerCircuits(Struct, frozen=True):
    slot: int
    """Of the worker."""
    at_s: float
    circuits: tuple[CircuitNote, ...]


_NAME = "circuits-{pid}.json"


def note_path(home: Path, pid: int) -> Path:
    return home / "run" / _NAME.format(pid=pid)


def write_circuits(path: Path, note: WorkerCircuits) -> None:
    """Raises ``OSError``."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_bytes(msgspec.json.encode(note))
    fresh.rename(path)


def read_circuits(home: Path) -> list[WorkerCircuits]:
    """Of the workers that live, by slot."""
    found = []
    for path, pid in _notes(home):
        if _lives(pid):
            with suppress(OSError, msgspec.DecodeError):
                found.append(msgspec.json.decode(path.read_bytes(), type=WorkerCircuits))
    return sorted(found, key=lambda note: note.slot)


def forget_the_gone(home: Path) -> None:
    """Raises ``OSError``."""
    for path, pid in _notes(home):
        if not _lives(pid) or pid == os.getpid():
            path.unlink(missing_ok=True)


def _notes(home: Path) -> Iterator[tuple[Path, int]]:
    for path in (home / "run").glob(_NAME.format(pid="*")):
        number = path.stem.partition("-")[2]
        if number.isascii() and number.isdecimal():
            yield path, int(number)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (ProcessLookupError, OverflowError):
        return False
    return True
