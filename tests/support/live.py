"""A live gateway with simulated providers, in a process of its own: what the conformance tests talk to.

1. One stack per xdist worker; it listens on free ports, keeps its data in its own home, and is stopped by its pid.
2. The child's environment holds no provider key, no proxy and no setting of aimesh.
3. A stack that does not come up in time fails with what it said on stderr.
"""

import base64
import contextlib
import functools
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from msgspec import Struct

from aimesh.core.record import UsageRecord
from aimesh.store.reader import JournalReader

READY_S = 40.0
STACK = "LIVE_STACK"
"""Environment variable of a child that uses its parent's stack."""
STOP_S = 15.0
_UNWANTED = re.compile(
    r"(_API_KEY|_BASE_URL|_AUTH_TOKEN|_PROXY_URL)$|^(ALL|HTTPS?|NO|FTP)_PROXY$|^PYTHONDONTWRITEBYTECODE$|^(AIMESH|OPENAI|ANTHROPIC|DASHSCOPE|ARK)_",
    re.IGNORECASE,
)
_LISTENS = re.compile(r"listens at (http://\S+?)/gateway")

T = TypeVar("T")


def clean_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment without what would lead a client or a gateway elsewhere."""
    here = os.environ  # noqa: TID251 - the children of tests get the environment from here and nowhere else
    kept = {name: value for name, value in here.items() if not _UNWANTED.search(name)}
    return kept | dict(extra or {})


def wait_for(condition: Callable[[], T | None], deadline_s: float = 15.0) -> T:
    """Polls until ``condition()`` gives something true."""
    until = time.monotonic() + deadline_s
    while True:
        if found := condition():
            return found
        if time.monotonic() > until:
            raise AssertionError(f"{condition} did not come true in {deadline_s} s")
        time.sleep(0.02)


class Seen(Struct, frozen=True):
    """One request as the simulated provider received it."""

    number: int
    provider: str
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    status: int
    sent_sha256: str
    """Hash of the answer's body as it went to the wire."""

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class SimulatorControl:
    """The control doors of a running simulator."""

    def __init__(self, url: str) -> None:
        self.url = url
        parts = urlsplit(url)
        self._address = (parts.hostname or "", parts.port or 80)

    def _control(self, method: str, path: str, body: object = None) -> Any:
        connection = http.client.HTTPConnection(*self._address, timeout=10)
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            answer = connection.getresponse()
            data = answer.read()
        finally:
            connection.close()
        assert answer.status == 200, (answer.status, data)
        return json.loads(data)

    def fault(self, kind: str, **members: object) -> None:
        """A fault of this kind; the members are those of ``aimesh.simulator.faults.Fault``."""
        self._control("POST", "/_sim/faults", {"kind": kind, **members})

    def settings(self, **members: float) -> None:
        self._control("POST", "/_sim/settings", members)

    def clear(self) -> None:
        """No faults, no memory of requests."""
        self._control("DELETE", "/_sim/faults")
        self._control("DELETE", "/_sim/requests")

    def seen(self, path_end: str = "", method: str = "POST") -> list[Seen]:
        """Requests received since the last ``clear``. Task queries of the settler come at any time: name a path."""
        views = self._control("GET", "/_sim/requests?limit=2000")["requests"]
        return [
            Seen(
                number=view["number"],
                provider=view["provider"],
                method=view["method"],
                path=view["path"],
                query=view["query"],
                headers=view["headers"],
                body=base64.b64decode(view["body_base64"]),
                status=view["status"],
                sent_sha256=view.get("sent_sha256", ""),
            )
            for view in views
            if view["path"].endswith(path_end) and view["method"] == method
        ]

    def one(self, path_end: str = "", method: str = "POST") -> Seen:
        """The only request of that kind."""
        found = self.seen(path_end, method)
        assert len(found) == 1, [(seen.method, seen.path, seen.status) for seen in found]
        return found[0]


class _Process:
    """A child and what it says. Both pipes are read all the time, so that it never blocks on them."""

    def __init__(self, arguments: list[str], cwd: Path, extra: Mapping[str, str] | None = None) -> None:
        self._said: list[str] = []
        self._printed: list[str] = []
        self._child = subprocess.Popen(
            [sys.executable, "-m", "aimesh.cli.main", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=cwd,
            env=clean_environment({"PYTHONUNBUFFERED": "1"} | dict(extra or {})),
        )
        self._readers = [
            threading.Thread(target=_collect, args=(stream, lines), daemon=True)
            for stream, lines in ((self._child.stdout, self._printed), (self._child.stderr, self._said))
        ]
        for reader in self._readers:
            reader.start()

    @property
    def stderr(self) -> str:
        return "".join(self._said)

    def first(self, pattern: re.Pattern[str] | None = None) -> str:
        """The first line on stdout, or the first match of a pattern in stderr."""

        def found() -> str | None:
            if pattern is not None and (match := pattern.search(self.stderr)):
                return match[1]
            if pattern is None and self._printed:
                return self._printed[0]
            assert self._child.poll() is None, f"it ended with {self._child.returncode}:\n{self.stderr}"
            return None

        try:
            return wait_for(found, READY_S)
        except AssertionError as error:
            self.stop()
            raise AssertionError(f"the gateway did not come up: {error}\n{self.stderr}") from None

    def stop(self) -> int:
        if self._child.poll() is None:
            self._child.send_signal(signal.SIGTERM)
            try:
                self._child.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait(STOP_S)
        for reader in self._readers:
            reader.join(5)
        for stream in (self._child.stdout, self._child.stderr):
            if stream is not None:
                stream.close()
        return self._child.returncode


def _collect(stream: Any, lines: list[str]) -> None:
    lines.extend(iter(stream.readline, ""))


class Live:
    """A running gateway: where it is, a key for it, and the simulator behind it."""

    def __init__(
        self,
        url: str,
        key: str,
        *,
        simulator: SimulatorControl,
        home: Path,
        said: Callable[[], str] = str,
    ) -> None:
        self.url = url
        """Origin without a path."""
        self.key = key
        self.said = said
        """What it has written on stderr so far."""
        self.simulator = simulator
        self.home = home
        self._reader = JournalReader(home / "journal")
        self._records: list[UsageRecord] = []

    def base(self, path: str) -> str:
        """A base URL as a client is given it: ``base("/v1")``."""
        return f"{self.url}/gateway{path}"

    def record(self, request_id: str | None) -> UsageRecord:
        """The usage record of a call, as soon as it is in the journal; exactly one."""
        assert request_id

        def found() -> list[UsageRecord]:
            self._records += self._reader.read()
            return [record for record in self._records if record.id == request_id]

        records = wait_for(found)
        assert len(records) == 1
        return records[0]


def parents_stack() -> Live | None:
    """The stack of the process that started this one, if it gave one."""
    given = os.environ.get(STACK)  # noqa: TID251 - as above
    if not given:
        return None
    stack = json.loads(given)
    simulator = SimulatorControl(stack["simulator_url"])
    return Live(stack["url"], stack["key"], simulator=simulator, home=Path(stack["home"]))


@contextlib.contextmanager
def running_demo() -> Iterator[Live]:
    """``aimesh demo`` on free ports."""
    with tempfile.TemporaryDirectory(prefix="aimesh-live-") as name:
        home = Path(name)
        process = _Process(["demo", "--port", "0", "--home", name, "--json"], home)
        try:
            ready = json.loads(process.first())
            assert set(ready) == {"url", "key", "simulator_url", "pid"}
            simulator = SimulatorControl(ready["simulator_url"])
            said = functools.partial(getattr, process, "stderr")
            yield Live(ready["url"], ready["key"], simulator=simulator, home=home, said=said)
        finally:
            code = process.stop()
        assert code == 0, f"aimesh demo ended with {code}:\n{process.stderr}"


@contextlib.contextmanager
def running_serve(configuration: str, *, key: str, simulator: SimulatorControl, home: Path) -> Iterator[Live]:
    """``aimesh serve`` with a configuration of its own, in front of a simulator that already runs."""
    file = home / "aimesh.yaml"
    fixed = (
        f'listen: ["127.0.0.1:0"]\nadmin_listen: ["127.0.0.1:0"]\nworkers: 1\nsimulator: {simulator.url}\n'
    )
    file.write_text(fixed + configuration, encoding="utf-8")
    process = _Process(["serve", "--config", str(file)], home, {"AIMESH_HOME": str(home)})
    try:
        yield Live(process.first(_LISTENS), key, simulator=simulator, home=home)
    finally:
        process.stop()
