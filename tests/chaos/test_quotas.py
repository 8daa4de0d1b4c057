"""Quotas over the workers of a node: many callers at once, the turn of a period, an edit while calls run."""

import json
import struct
import subprocess
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.chaos_calls import CHAT
from tests.support.chaos_config import KEY, chaos_config, patient
from tests.support.chaos_http import Seen, call, until
from tests.support.chaos_process import COMMAND, GatewayProcess
from tests.support.chaos_simulator import SimulatorProcess
from tests.support.limits import ZONE, tokens
from tests.support.live import clean_environment

from aimesh.store.ledger import LedgerView, Standing, key_scope, ledger_path

pytestmark = pytest.mark.chaos

WORKERS = 4
CALLERS = 64
SPENT, BUSY = "GATEWAY_TOO_MANY_REQUESTS", "GATEWAY_RATE_LIMITED"
BODY = CHAT.body | {"max_tokens": 400, "messages": [{"role": "user", "content": "word " * 400}]}
ESTIMATE = len(json.dumps(BODY)) // 4 + 400
IN_THE_FILE = key_scope("file:chaos")

Start = Callable[..., GatewayProcess]


@pytest.fixture
def start(tmp_path: Path, simulator: SimulatorProcess) -> Iterator[Start]:
    """Starts four workers; the key of the file has these quotas."""
    gateways: list[GatewayProcess] = []

    def begin(quotas: list[dict[str, Any]], **change: Any) -> GatewayProcess:
        keys = [{"alias": "chaos", "key": KEY, "quotas": quotas}]
        config = patient(chaos_config(simulator.url)) | {"workers": WORKERS, "virtual_keys": keys} | change
        gateways.append(GatewayProcess(tmp_path, config))
        gateways[-1].start()
        return gateways[-1]

    yield begin
    for gateway in gateways:
        gateway.end()


def chat(gateway: GatewayProcess, key: str = KEY) -> Seen:
    return call(gateway.url, CHAT.path, BODY, key=key)


def code_of(seen: Seen) -> str:
    return "" if seen.status == 200 else str(seen.json["error"]["code"])


def standing(gateway: GatewayProcess, limit: int) -> Standing:
    with LedgerView(ledger_path(gateway.home), ZONE) as view:
        (found,) = view.standings(IN_THE_FILE, tokens(limit), time.time())  # noqa: TID251 - of the machine's clock
        return found


def call_until_spent(gateway: GatewayProcess) -> Counter[str]:
    """All callers at once, each on a new connection per call, so that every worker has some."""
    seen: list[Seen] = []

    def caller() -> None:
        while not seen or code_of(seen[-1]) != SPENT:
            seen.append(chat(gateway))

    threads = [threading.Thread(target=caller) for _ in range(CALLERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Counter(code_of(one) for one in seen)


def test_64_callers_of_4_workers_do_not_overshoot_a_quota(start: Start) -> None:
    limit = 100_000
    gateway = start([{"tokens": limit, "period": "total"}])
    first = chat(gateway)
    one_call = first.json["usage"]["total_tokens"]
    assert first.headers["x-czgw-ratelimit-api-key-token-used"] == "0"
    assert one_call <= ESTIMATE
    codes = call_until_spent(gateway)
    assert set(codes) <= {"", SPENT, BUSY}
    after = standing(gateway, limit)
    assert after.held == 0
    assert limit <= after.used < limit + one_call
    records = gateway.records()
    assert after.used == sum(record.usage.input_tokens + record.usage.output_tokens for record in records)
    assert codes[""] + 1 == len(records)
    refused = chat(gateway)
    assert refused.status == 429
    assert refused.headers["x-should-retry"] == "false"
    assert not [name for name in refused.headers if "ratelimit" in name]
    assert f"total quota exceeded: limit is {limit} tokens for virtual key 'chaos'" in refused.body.decode()
    # A worker that dies takes nothing of what was used with it.
    gateway.kill()
    gateway.start()
    assert code_of(chat(gateway)) == SPENT
    assert standing(gateway, limit).used == after.used


def test_service_resumes_when_the_period_rolls(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zones = tmp_path / "zones"
    zones.mkdir()
    monkeypatch.setenv("PYTHONTZPATH", str(zones))
    for soon_s in (14, 60):
        # A time zone in which it is midnight soon: as soon as the quota can be spent before.
        midnight_s = int(time.time()) + soon_s  # noqa: TID251 - of the machine's clock
        (zones / "Soon").write_bytes(zone_with_midnight_at(midnight_s))
        gateway = start([{"tokens": 5000, "period": "daily"}], timezone="Soon")
        call_until_spent(gateway)
        if time.time() < midnight_s:  # noqa: TID251 - as above
            break
        gateway.end()
    before = len(gateway.records())
    resumed = until(
        lambda: seen if (seen := chat(gateway)).status == 200 else None, "it stays spent", within_s=90
    )
    assert time.time() >= midnight_s  # noqa: TID251 - as above
    assert resumed.headers["x-czgw-ratelimit-api-key-token-used"] == "0"
    assert resumed.headers["x-czgw-ratelimit-api-key-token-period"] == "PDO"
    # It is spent again by every worker together, not by each.
    call_until_spent(gateway)
    one_call = resumed.json["usage"]["total_tokens"]
    assert 0 < len(gateway.records()) - before <= 5000 // one_call + 1


def zone_with_midnight_at(midnight_s: int) -> bytes:
    """A time zone file: one offset for all times."""
    offset = -(midnight_s % 86_400)
    if offset < -43_200:
        offset += 86_400
    header = struct.pack(">4s16x6l", b"TZif", 0, 0, 0, 0, 1, 4)
    return header + struct.pack(">lBB", offset, 0, 0) + b"SON\0"


class Admin:
    """The admin API, by a token that the machine's operator made."""

    def __init__(self, gateway: GatewayProcess) -> None:
        environment = clean_environment({"AIMESH_HOME": str(gateway.home)})
        made = subprocess.run(
            [*COMMAND, "token", "create", "chaos", "--role", "PLATFORM_ADMIN"],
            capture_output=True,
            text=True,
            check=False,
            env=environment,
        )
        assert made.returncode == 0, made.stderr
        self._token = made.stdout.strip()
        self._base = f"{gateway.url}/api/admin/v1"

    def ask(self, method: str, path: str, body: object = None, version: str = "") -> tuple[Any, str]:
        """The answer, and its version."""
        headers = {"authorization": f"Bearer {self._token}", "content-type": "application/json"}
        if version:
            headers["if-match"] = version
        request = urllib.request.Request(
            self._base + path, None if body is None else json.dumps(body).encode(), headers, method=method
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.loads(answer.read()), answer.headers["etag"]


def test_an_edit_takes_effect_within_a_second_and_keeps_what_was_used(start: Start) -> None:
    gateway = start([])
    admin = Admin(gateway)
    quota = {"unit": "tokens", "period": "monthly", "limit": 1000}
    key, version = admin.ask("POST", "/keys", {"alias": "edited", "limits": {"quotas": [quota]}})
    text, path = key["text"], f"/keys/{key['id']}"
    until(lambda: chat(gateway, text).status == 200, "the key is not known")
    until(lambda: code_of(chat(gateway, text)) == SPENT, "the quota is not spent")
    used = admin.ask("GET", f"{path}/quota")[0]["quotas"][0]["used"]
    for limit, wanted in ((100_000, ""), (500, SPENT), (1_000_000, "")):
        _, version = admin.ask("PUT", f"{path}/quotas", {"quotas": [quota | {"limit": limit}]}, version)
        edited_s = time.monotonic()
        # Every worker, whichever of them a connection meets.
        in_a_row = 0
        while in_a_row < 5 * WORKERS:
            seen = chat(gateway, text)
            in_a_row = in_a_row + 1 if code_of(seen) == wanted else 0
            assert in_a_row or time.monotonic() - edited_s < 1.0, "the edit is not in force after a second"
    (after,) = admin.ask("GET", f"{path}/quota")[0]["quotas"]
    assert after["used"] > used >= 1000
    assert after["remaining"] == 1_000_000 - after["used"] - after["held"]
