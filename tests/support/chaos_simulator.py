"""The simulator as a process of its own, and its control API."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.support.chaos_http import until
from tests.support.live import clean_environment

Fault = dict[str, Any]


class SimulatorProcess:
    """Control of a running simulator."""

    def __init__(self, url: str, pid: int) -> None:
        self.url = url
        self.pid = pid

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_sim/{path}", data, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def reset(self) -> None:
        self._ask("DELETE", "faults")
        self._ask("DELETE", "requests")
        self._ask("POST", "settings", {"task_s": 1.2, "chunk_delay_ms": 0})

    def settings(self, **changes: float) -> None:
        self._ask("POST", "settings", changes)

    def fault(self, kind: str, provider: str | None = "alpha", **more: object) -> None:
        match = {} if provider is None else {"match": {"provider": provider}}
        self._ask("POST", "faults", {"kind": kind, **match, **more})

    def faults(self, faults: list[Fault], provider: str) -> None:
        for fault in faults:
            self.fault(**({"provider": provider} | fault))

    def requests(self, provider: str | None = None) -> list[dict[str, Any]]:
        query = "" if provider is None else f"&provider={provider}"
        found: list[dict[str, Any]] = self._ask("GET", f"requests?limit=2000{query}")["requests"]
        return found

    def stats(self) -> dict[str, Any]:
        found: dict[str, Any] = self._ask("GET", "stats")
        return found

    def is_idle(self) -> bool:
        return bool(self.stats()["open_answers"] == 0)

    def wait_idle(self, within_s: float = 5.0) -> None:
        until(self.is_idle, "the simulator still holds answers open", within_s=within_s)


@contextmanager
def running_simulator() -> Iterator[SimulatorProcess]:
    process = subprocess.Popen(
        [sys.executable, "-m", "aimesh.simulator", "--port", "0", "--json"],
        stdout=subprocess.PIPE,
        env=clean_environment(),
    )
    assert process.stdout is not None
    try:
        ready = json.loads(process.stdout.readline())
        yield SimulatorProcess(ready["url"], ready["pid"])
    finally:
        process.terminate()
        process.stdout.close()
        process.wait(10)
