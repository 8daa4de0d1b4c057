"""Real processes, started and ended."""

import asyncio
import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.loopback import eventually, run

from aimesh.core.secret import Secret
from aimesh.settings import Source
from aimesh.supervisor import child as child_module
from aimesh.supervisor.child import Child, how_it_ended
from aimesh.supervisor.orders import Brief

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _reaches_the_stub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(ROOT / "src"), str(ROOT))))


def begin(kind: str, said: Callable[[str], None] = print) -> Child:
    return Child(
        "tests.support.stub_child",
        Brief(control=kind, slot=5),
        source=Source(file=None, text=Secret("words")),
        sockets=(),
        loop=asyncio.get_running_loop(),
        on_end=lambda _child: None,
        on_words=said,
    )


def test_a_child_comes_up_and_leaves_when_asked() -> None:
    async def main() -> None:
        child = begin("serves")
        assert await child.comes_up()
        assert child.slot == 5
        child.leave()
        assert await child.ended == 0
        child.kill()

    run(main)


def test_a_child_that_does_not_come_up() -> None:
    async def main() -> None:
        child = begin("dies")
        assert not await child.comes_up()
        assert how_it_ended(await child.ended) == "with status 3"

    run(main)


def test_a_child_is_stopped_by_a_signal_and_killed_if_it_must_be() -> None:
    async def main() -> None:
        polite, deaf = begin("serves"), begin("deaf")
        for child in (polite, deaf):
            assert await child.comes_up()
            child.stop()
        assert how_it_ended(await polite.ended) == "by SIGTERM"
        deaf.leave()
        await asyncio.wait((deaf.ended,), timeout=0.1)
        assert not deaf.ended.done()
        deaf.kill()
        assert await deaf.ended == -signal.SIGKILL

    run(main)


def test_a_child_that_never_comes_up_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_module, "READY_S", 0.3)

    async def main() -> None:
        child = begin("mute")
        assert not await child.comes_up()
        assert await child.ended == -signal.SIGKILL

    run(main)


def test_what_a_child_says_is_heard() -> None:
    said: list[str] = []

    async def main() -> None:
        child = begin("talks", said.append)
        await eventually(lambda: said == ["I am words"])
        child.stop()
        await child.ended

    run(main)


def test_a_child_is_out_of_reach_of_the_keyboard_and_of_others_sockets() -> None:
    async def main() -> None:
        with socket.socket() as secret:
            secret.bind(("127.0.0.1", 0))
            child = begin("serves")
            assert await child.comes_up()
            assert os.getpgid(child.pid) == child.pid
            held, words = looked_at(child.pid)
            assert f"socket:[{os.fstat(secret.fileno()).st_ino}]" not in held
            assert b"words" not in words
            child.stop()
            await child.ended

    run(main)


def looked_at(pid: int) -> tuple[list[str], list[bytes]]:
    """What a process has open, and its command line."""
    files = Path(f"/proc/{pid}/fd")
    words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    return [str(file.readlink()) for file in files.iterdir()], words


@pytest.mark.parametrize(
    ("code", "words"), [(0, "with status 0"), (-9, "by SIGKILL"), (-200, "by signal 200")]
)
def test_how_it_ended(code: int, words: str) -> None:
    assert how_it_ended(code) == words
