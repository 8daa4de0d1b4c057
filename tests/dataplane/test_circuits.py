"""What a worker tells of its circuits, and how seldom it writes."""

import asyncio
from pathlib import Path

import pytest

import aimesh.dataplane.circuits as room
from aimesh.core.clock import FixedClock
from aimesh.dataplane.circuits import CircuitTeller
from aimesh.routing.breaker import FAILURES_IN_A_ROW, FIRST_OPEN_S, Breakers
from aimesh.store.circuit_notes import WorkerCircuits, read_circuits, write_circuits

ONE, TWO = ("p@m@open_ai", "p/main"), ("q@m@open_ai", "byok:default/q/own")


class Bench:
    def __init__(self, home: Path) -> None:
        self.home = home
        self.clock = FixedClock()
        self.breakers = Breakers()
        self.errors: list[OSError] = []
        self.teller = CircuitTeller(
            self.breakers, home, slot=3, clock=self.clock, on_error=self.errors.append
        )

    def fail(self, circuit: tuple[str, str], times: int = FAILURES_IN_A_ROW) -> None:
        for _ in range(times):
            self.breakers.of(circuit).failed(self.clock.monotonic_s(), None)

    def told(self) -> dict[str, tuple[float, float, int]]:
        """Endpoint to since and until, from now on, and failures."""
        (note,) = read_circuits(self.home)
        assert note.slot == 3
        now_s = self.clock.wall_s()
        return {
            one.endpoint: (round(one.since_s - now_s, 3), round(one.until_s - now_s, 3), one.failures)
            for one in note.circuits
        }


def test_what_is_troubled_is_told_until_it_is_well(tmp_path: Path) -> None:
    bench = Bench(tmp_path)

    async def live() -> None:
        await bench.teller.start()
        await bench.teller.round()
        assert read_circuits(tmp_path) == []
        bench.fail(ONE)
        await bench.teller.round()
        assert bench.told() == {ONE[0]: (0.0, FIRST_OPEN_S, 5)}
        bench.clock.advance(2.0)
        bench.fail(TWO)
        await bench.teller.round()
        assert bench.told() == {ONE[0]: (-2.0, 3.0, 5), TWO[0]: (0.0, FIRST_OPEN_S, 5)}
        # A probe that fails: it is open for longer, and since then.
        bench.clock.advance(4.0)
        bench.breakers.of(ONE).began(bench.clock.monotonic_s())
        bench.fail(ONE, 1)
        await bench.teller.round()
        assert bench.told()[ONE[0]] == (-6.0, 2 * FIRST_OPEN_S, 6)
        bench.breakers.of(ONE).succeeded()
        bench.breakers.of(TWO).succeeded()
        await bench.teller.round()
        assert bench.told() == {}
        bench.teller.close()
        assert read_circuits(tmp_path) == []

    asyncio.run(live())
    assert bench.errors == []


def test_nothing_is_written_while_nothing_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench, written = Bench(tmp_path), list[WorkerCircuits]()

    def write(path: Path, note: WorkerCircuits) -> None:
        written.append(note)
        write_circuits(path, note)

    monkeypatch.setattr(room, "write_circuits", write)

    async def live() -> None:
        for _ in range(3):
            await bench.teller.round()
        bench.fail(ONE)
        for _ in range(3):
            await bench.teller.round()
            bench.clock.advance(1.0)

    asyncio.run(live())
    assert len(written) == 1


def test_a_directory_that_cannot_be_written_is_reported_once_and_tried_again(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    (tmp_path / "run").write_bytes(b"in the way")

    async def live() -> None:
        bench.fail(ONE)
        for _ in range(3):
            await bench.teller.round()
        assert len(bench.errors) == 1
        (tmp_path / "run").unlink()
        await bench.teller.round()

    asyncio.run(live())
    assert set(bench.told()) == {ONE[0]}
