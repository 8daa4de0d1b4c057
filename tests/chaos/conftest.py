"""One simulator and one worker thread per test process; a fresh gateway per test."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.chaos_config import Config, chaos_config
from tests.support.chaos_simulator import SimulatorProcess, running_simulator
from tests.support.chaos_worker import InnerGateway, LoopThread

Begin = Callable[..., InnerGateway]


@pytest.fixture(scope="session")
def simulator_process() -> Iterator[SimulatorProcess]:
    with running_simulator() as simulator:
        yield simulator


@pytest.fixture
def simulator(simulator_process: SimulatorProcess) -> SimulatorProcess:
    simulator_process.reset()
    return simulator_process


@pytest.fixture(scope="session")
def loop_thread() -> Iterator[LoopThread]:
    thread = LoopThread()
    yield thread
    thread.stop()


@pytest.fixture
def begin(loop_thread: LoopThread, tmp_path: Path) -> Iterator[Begin]:
    """Starts a gateway inside this process with a configuration; stopped at the end of the test."""
    started: list[InnerGateway] = []

    def start(config: Config) -> InnerGateway:
        home = tmp_path / f"gateway-{len(started)}"
        home.mkdir()
        started.append(InnerGateway(loop_thread, config, home))
        return started[-1]

    yield start
    for gateway in started:
        gateway.stop()


@pytest.fixture
def gateway(begin: Begin, simulator: SimulatorProcess) -> InnerGateway:
    """The usual one: ``alpha`` before ``beta``, both at the simulator."""
    return begin(chaos_config(simulator.url))
