"""A post stays filled, whatever happens to who fills it."""

import asyncio
import os
import signal
from pathlib import Path

import pytest
from tests.support.loopback import eventually, run

from aimesh.core.secret import Secret
from aimesh.settings import Source
from aimesh.supervisor import post as post_module
from aimesh.supervisor.backoff import Backoff
from aimesh.supervisor.child import Child, OnEnd
from aimesh.supervisor.orders import Brief
from aimesh.supervisor.post import Post

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _reaches_the_stub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(ROOT / "src"), str(ROOT))))


class Office:
    """A post whose children behave as the test says."""

    def __init__(self, *kinds: str) -> None:
        self.kinds = list(kinds)
        """Of the next children; the last one goes on."""
        self.said: list[str] = []
        self.started: list[Child] = []
        self.released: list[Child] = []
        self.vacancies = 0
        self.post = Post(
            "the stub",
            self._start,
            say=self.said.append,
            release=self.released.append,
            on_vacant=self._vacant,
        )

    def _vacant(self) -> None:
        self.vacancies += 1

    def _start(self, on_end: OnEnd) -> Child:
        kind = self.kinds.pop(0) if len(self.kinds) > 1 else self.kinds[0]
        if kind == "impossible":
            raise BlockingIOError(11, "no more processes")
        child = Child(
            "tests.support.stub_child",
            Brief(control=kind),
            source=Source(file=None, text=Secret("")),
            sockets=(),
            loop=asyncio.get_running_loop(),
            on_end=on_end,
            on_words=self.said.append,
        )
        self.started.append(child)
        return child

    async def end(self) -> None:
        await self.post.stop(5)
        assert sorted(child.pid for child in self.released) == sorted(child.pid for child in self.started)

    @property
    def in_charge(self) -> Child:
        assert self.post.child is not None
        return self.post.child


def test_a_child_that_dies_is_followed_at_once() -> None:
    async def main() -> None:
        office = Office("serves")
        assert await office.post.fill()
        first = office.in_charge
        os.kill(first.pid, signal.SIGKILL)
        await eventually(lambda: office.post.child is not None and office.post.child is not first)
        assert await office.in_charge.comes_up()
        assert office.said == [f"the stub (process {first.pid}) ended by SIGKILL; the next starts at once"]
        assert (office.post.restarts, office.vacancies, office.released) == (1, 0, [first])
        await office.end()
        assert office.post.child is None

    run(main)


def test_a_child_that_keeps_dying_is_left_alone_for_longer_and_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waits: list[float] = []
    after = Backoff.after

    def quick(backoff: Backoff, lived_s: float) -> float:
        waits.append(after(backoff, lived_s))
        return waits[-1] / 100

    monkeypatch.setattr(Backoff, "after", quick)

    async def main() -> None:
        office = Office("serves", "dies", "falls", "impossible", "dies", "serves")
        assert await office.post.fill()
        os.kill(office.in_charge.pid, signal.SIGKILL)
        await eventually(lambda: len(waits) == 5)
        await eventually(lambda: office.post.child is not None and office.in_charge.is_ready)
        assert waits == [0, 1, 2, 4, 8]
        assert office.vacancies == 4
        assert any("cannot be started: no more processes" in line for line in office.said)
        await office.end()

    run(main)


def test_one_that_does_not_come_up_at_first_is_not_followed() -> None:
    async def main() -> None:
        office = Office("dies")
        assert not await office.post.fill()
        assert (len(office.started), office.post.child, office.said) == (1, None, [])
        await office.end()

    run(main)


def test_a_successor_takes_over_before_the_predecessor_goes() -> None:
    async def main() -> None:
        office = Office("serves", "serves")
        await office.post.fill()
        first = office.in_charge
        assert await office.post.replace()
        assert office.in_charge is not first
        assert office.in_charge.is_ready
        assert first.is_asked_to_go
        assert await first.ended == 0
        await eventually(lambda: not office.post.leaving)
        assert office.said == []
        await office.end()

    run(main)


@pytest.mark.parametrize("kind", ["dies", "impossible"])
def test_a_successor_that_does_not_come_up_changes_nothing(kind: str) -> None:
    async def main() -> None:
        office = Office("serves", kind, "serves")
        await office.post.fill()
        first = office.in_charge
        assert not await office.post.replace()
        assert office.in_charge is first
        assert not first.is_asked_to_go
        assert not office.post.leaving
        await office.end()

    run(main)


def test_a_predecessor_that_dies_during_a_failed_replacement_is_followed() -> None:
    async def main() -> None:
        office = Office("serves", "mute", "serves")
        await office.post.fill()
        first = office.in_charge
        replacing = asyncio.get_running_loop().create_task(office.post.replace())
        await eventually(lambda: len(office.started) == 2)
        os.kill(first.pid, signal.SIGKILL)
        os.kill(office.started[1].pid, signal.SIGKILL)
        assert not await replacing
        await eventually(lambda: len(office.started) == 3)
        assert await office.in_charge.comes_up()
        await office.end()

    run(main)


def test_a_restart_waits_for_the_end_of_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(post_module, "_END_S", 0.2)

    async def main() -> None:
        office = Office("deaf", "serves")
        await office.post.fill()
        first = office.in_charge
        assert await office.post.restart()
        assert await first.ended == -signal.SIGKILL
        assert len(office.started) == 2
        assert office.in_charge.is_ready
        await office.end()

    run(main)


def test_who_does_not_stop_in_time_is_killed() -> None:
    async def main() -> None:
        office = Office("deaf")
        await office.post.fill()
        child = office.in_charge
        assert not await office.post.stop(0.1)
        assert await child.ended == -signal.SIGKILL
        assert await office.post.stop(0.1), "nobody is left"

    run(main)


def test_a_post_that_is_given_up_is_not_filled_again() -> None:
    async def main() -> None:
        office = Office("serves")
        await office.post.fill()
        child = office.in_charge
        office.post.retire()
        assert await child.ended == 0
        await eventually(lambda: not office.post.children)
        assert len(office.started) == 1
        await office.end()

    run(main)
