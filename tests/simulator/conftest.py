"""One live simulator per test module; each test finds it without faults and without memories of requests."""

from collections.abc import Iterator

import pytest
from tests.support.simulation import LiveSimulator, live_simulator


@pytest.fixture(scope="module")
def one_simulator() -> Iterator[LiveSimulator]:
    with live_simulator() as live:
        yield live


@pytest.fixture
def sim(one_simulator: LiveSimulator) -> Iterator[LiveSimulator]:
    one_simulator.clear()
    yield one_simulator
    one_simulator.clear()
