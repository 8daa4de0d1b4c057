"""Films that are being made hold their price of a budget: across workers that die, restarts and cancellations."""

import os
import signal
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.support.chaos_calls import VIDEO_TASK
from tests.support.chaos_config import KEY, chaos_config, patient
from tests.support.chaos_http import Seen, call, until
from tests.support.chaos_process import GatewayProcess
from tests.support.chaos_simulator import SimulatorProcess
from tests.support.limits import ZONE

from aimesh.core.policy import Limits, Period, Quota, Unit
from aimesh.store.ledger import LedgerView, Standing, key_scope, ledger_path

pytestmark = pytest.mark.chaos

CNY = 10**9
PRICE = 5
"""Of a film of five seconds."""
ROOM_FOR = 5
FILM = VIDEO_TASK.body | {"parameters": {"duration": 5, "resolution": "720P"}}
LIMITS = Limits(quotas=(Quota(unit=Unit.CNY, period=Period.TOTAL, limit=PRICE * ROOM_FOR * CNY),))


@pytest.fixture
def gateway(tmp_path: Path, simulator: SimulatorProcess) -> Iterator[GatewayProcess]:
    key = {"alias": "chaos", "key": KEY, "quotas": [{"cny": PRICE * ROOM_FOR, "period": "total"}]}
    config = patient(chaos_config(simulator.url, providers={"alpha": f"{simulator.url}/alpha"}))
    gateway = GatewayProcess(tmp_path, config | {"workers": 3, "virtual_keys": [key]})
    gateway.start()
    yield gateway
    gateway.end()


def standing(gateway: GatewayProcess) -> Standing:
    with LedgerView(ledger_path(gateway.home), ZONE) as view:
        (one,) = view.standings(key_scope("file:chaos"), LIMITS, 1.8e9)
    return one


def make(gateway: GatewayProcess) -> Seen:
    return call(gateway.url, VIDEO_TASK.path, FILM)


def cancel(gateway: GatewayProcess, made: Seen) -> None:
    path = f"/gateway/api/v1/tasks/{made.json['output']['task_id']}/cancel"
    seen = call(gateway.url, path, b"")
    assert seen.status == 200, seen.body


def test_a_budget_that_allows_five_films_allows_five_of_twenty(
    gateway: GatewayProcess, simulator: SimulatorProcess
) -> None:
    simulator.settings(task_s=4000.0)
    with ThreadPoolExecutor(20) as callers:
        several = list(callers.map(lambda _: make(gateway), range(20)))
    made = [seen for seen in several if seen.status == 200]
    assert Counter(seen.status for seen in several) == {200: ROOM_FOR, 429: 15}
    refused = next(seen for seen in several if seen.status == 429)
    assert refused.json["code"] == "GATEWAY_RATE_LIMITED", refused.body
    assert (standing(gateway).held, standing(gateway).used) == (PRICE * ROOM_FOR * CNY, 0)

    # A worker dies: what it held is held by another one.
    for pid in gateway.children("worker")[:2]:
        os.kill(pid, signal.SIGKILL)
    until(lambda: len(gateway.children("worker")) == 3, "the workers are replaced")
    until(lambda: standing(gateway).held == PRICE * ROOM_FOR * CNY, "it is held again")
    assert make(gateway).status == 429

    # Everything dies: it is held before the first call comes.
    gateway.kill()
    gateway.start()
    assert make(gateway).status == 429
    assert standing(gateway).held == PRICE * ROOM_FOR * CNY

    # What is cancelled is free.
    cancel(gateway, made[0])
    until(lambda: standing(gateway).held == PRICE * (ROOM_FOR - 1) * CNY, "the cancelled film holds nothing")
    more = make(gateway)
    assert more.status == 200, more.body
    assert make(gateway).status == 429
    for seen in (*made[1:], more):
        cancel(gateway, seen)
    until(lambda: standing(gateway).held == 0, "nothing is held")
    assert standing(gateway).used == 0

    # What is made is paid, and held no more.
    simulator.settings(task_s=0.5)
    assert make(gateway).status == 200
    until(lambda: standing(gateway).used == PRICE * CNY, "it is paid", within_s=30)
    until(lambda: standing(gateway).held == 0, "it holds nothing more")
