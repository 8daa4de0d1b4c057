"""A provider that fails is shown as cooling, by the worker that met it, until that worker is gone or it is well."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.chaos_admin import Admin, first_admin
from tests.support.chaos_calls import CHAT
from tests.support.chaos_config import TEXT, chaos_config, patient
from tests.support.chaos_http import call, until
from tests.support.chaos_process import GatewayProcess
from tests.support.chaos_simulator import SimulatorProcess

from aimesh.routing.breaker import FAILURES_IN_A_ROW

pytestmark = pytest.mark.chaos

ALPHA = f"alpha@{TEXT}@open_ai"


@pytest.fixture
def gateway(tmp_path: Path, simulator: SimulatorProcess) -> Iterator[GatewayProcess]:
    gateway = GatewayProcess(tmp_path, patient(chaos_config(simulator.url)))
    gateway.start()
    yield gateway
    gateway.end()


def circuits(admin: Admin) -> dict[str, Any]:
    return {one["endpoint"]: one for one in admin.done("GET", "/circuits")["data"]}


def is_cooling(admin: Admin) -> bool:
    cooling: bool = admin.done("GET", f"/endpoints/{ALPHA}")["cooling"]
    return cooling


def test_a_provider_that_fails_is_shown_as_cooling(
    gateway: GatewayProcess, simulator: SimulatorProcess
) -> None:
    admin = first_admin(gateway)
    assert circuits(admin) == {}
    simulator.fault("status", status=500, provider="alpha")
    for _ in range(FAILURES_IN_A_ROW):
        assert call(gateway.url, CHAT.path, CHAT.body).status == 200
    until(lambda: ALPHA in circuits(admin), "the circuit is not shown")
    shown = circuits(admin)[ALPHA]
    assert (shown["state"], shown["cooling"], shown["provider"], shown["model"]) == (
        "open",
        True,
        "alpha",
        TEXT,
    )
    (worker,) = shown["workers"]
    assert (worker["credential"], worker["failures"]) == ("alpha/default", FAILURES_IN_A_ROW)
    assert is_cooling(admin)
    # One of the calls that come next tries it again, when its time has come.
    simulator.reset()
    until(
        lambda: call(gateway.url, CHAT.path, CHAT.body).status == 200 and ALPHA not in circuits(admin),
        "the circuit does not close",
        within_s=20,
    )
    assert not is_cooling(admin)


def test_what_a_worker_that_is_gone_said_is_forgotten(
    gateway: GatewayProcess, simulator: SimulatorProcess
) -> None:
    admin = first_admin(gateway)
    simulator.fault("status", status=500, provider="alpha")
    for _ in range(FAILURES_IN_A_ROW):
        call(gateway.url, CHAT.path, CHAT.body)
    until(lambda: ALPHA in circuits(admin), "the circuit is not shown")
    os.kill(gateway.worker, signal.SIGKILL)
    until(lambda: ALPHA not in circuits(admin), "a dead worker's circuit is shown")
