"""Files of workers about their circuits: of those that live, and of no others."""

import os
import subprocess
import sys
from pathlib import Path

from aimesh.core.ids import CredentialId, EndpointName
from aimesh.store.circuit_notes import (
    CircuitNote,
    WorkerCircuits,
    forget_the_gone,
    note_path,
    read_circuits,
    write_circuits,
)


def note(slot: int, *names: str) -> WorkerCircuits:
    circuits = tuple(
        CircuitNote(EndpointName(name), CredentialId("p/main"), since_s=1.0, until_s=6.0, failures=5)
        for name in names
    )
    return WorkerCircuits(slot=slot, at_s=2.0, circuits=circuits)


def gone_pid() -> int:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_what_a_worker_writes_is_read(tmp_path: Path) -> None:
    assert read_circuits(tmp_path) == []
    mine, parents = note_path(tmp_path, os.getpid()), note_path(tmp_path, os.getppid())
    write_circuits(mine, note(1, "a", "b"))
    write_circuits(parents, note(0, "c"))
    assert read_circuits(tmp_path) == [note(0, "c"), note(1, "a", "b")]
    write_circuits(mine, note(1))
    assert read_circuits(tmp_path) == [note(0, "c"), note(1)]


def test_what_a_worker_that_is_gone_wrote_says_nothing(tmp_path: Path) -> None:
    gone = note_path(tmp_path, gone_pid())
    write_circuits(gone, note(0, "a"))
    write_circuits(note_path(tmp_path, os.getppid()), note(1, "b"))
    assert read_circuits(tmp_path) == [note(1, "b")]
    forget_the_gone(tmp_path)
    assert not gone.exists()
    assert read_circuits(tmp_path) == [note(1, "b")]


def test_what_is_no_note_is_skipped(tmp_path: Path) -> None:
    write_circuits(note_path(tmp_path, os.getpid()), note(0, "a"))
    (tmp_path / "run" / f"circuits-{os.getppid()}.json").write_bytes(b"{half")
    (tmp_path / "run" / "circuits-x.json").write_bytes(b"{}")
    (tmp_path / "run" / "circuits-99999999999999999999.json").write_bytes(b"{}")
    assert read_circuits(tmp_path) == [note(0, "a")]
