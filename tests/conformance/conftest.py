"""One live gateway per xdist worker, and a simulator that is clean before and after each test."""

import os
from collections.abc import Iterator

import pytest
from tests.support.live import Live, SimulatorControl, clean_environment, parents_stack, running_demo


@pytest.fixture(scope="session", autouse=True)
def _own_environment() -> Iterator[None]:
    """The SDKs read keys, addresses and proxies from the environment of this process, too."""
    kept = clean_environment()
    with pytest.MonkeyPatch.context() as patch:
        for name in set(os.environ) - set(kept):  # noqa: TID251 - this process is an SDK's process, too
            patch.delenv(name)
        patch.setenv("NO_PROXY", "127.0.0.1,localhost")
        yield


@pytest.fixture(scope="session")
def live(_own_environment: None) -> Iterator[Live]:
    if (given := parents_stack()) is not None:
        yield given
        return
    with running_demo() as stack:
        # The SDKs look once a second: what is done by then costs the tests one look less.
        stack.simulator.settings(task_s=0.6)
        yield stack


@pytest.fixture
def simulator(live: Live) -> Iterator[SimulatorControl]:
    """For tests that look at what the provider saw, or set faults."""
    live.simulator.clear()
    yield live.simulator
    live.simulator.clear()
