"""``aimesh serve`` as processes of its own: for kills, signals and memory.

``kill`` ends all of them at once, as a machine that fails does; ``signal`` reaches the supervisor, as an operator does.
"""

import contextlib
import os
import re
import resource
import signal
import subprocess
import sys
from pathlib import Path

from tests.support.chaos_config import Config, write_config
from tests.support.chaos_http import until
from tests.support.live import clean_environment

from aimesh.core.record import UsageRecord
from aimesh.store.reader import read_records

_LISTENS = re.compile(r"listens at (http://[^/\s]+)/gateway")
COMMAND = (sys.executable, "-m", "aimesh.cli.main")


class GatewayProcess:
    """One home, any number of lives."""

    def __init__(self, home: Path, config: Config) -> None:
        self.home = home
        self.file = home / "aimesh.yaml"
        self.write(config)
        self.url = ""
        self._log = home / "stderr.log"
        self._process: subprocess.Popen[bytes] | None = None

    def write(self, config: Config) -> None:
        self.config = config
        write_config(self.file, config)

    def start(self) -> None:
        """Returns when it listens. The port of the first life is kept."""
        seen = self._log.stat().st_size if self._log.exists() else 0
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*COMMAND, "serve", "--config", str(self.file)],
                stdout=log,
                stderr=log,
                env=clean_environment({"AIMESH_HOME": str(self.home), "PYTHONUNBUFFERED": "1"}),
            )

        def listening() -> re.Match[str] | None:
            assert self._running.poll() is None, self.log
            return _LISTENS.search(self.log[seen:])

        self.url = until(listening, "the gateway does not listen").group(1)
        self.write(self.config | {"listen": [self.url.removeprefix("http://")]})

    @property
    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process

    @property
    def log(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    def kill(self) -> None:
        children = self.children()
        # The supervisor first: it would start others.
        self._running.kill()
        for pid in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._running.wait(10)

    @property
    def pid(self) -> int:
        return self._running.pid

    def children(self, kind: str = "") -> list[int]:
        """Processes of the supervisor, oldest first: all, or those of a kind (``worker``, ``control``)."""
        return children_of(self.pid, kind)

    @property
    def worker(self) -> int:
        """The only worker."""
        (pid,) = self.children("worker")
        return pid

    def signal(self, number: signal.Signals) -> None:
        self._running.send_signal(number)

    def limit(self, what: int, soft: int) -> tuple[int, int]:
        """Changes a limit of the worker; gives the one before."""
        before = resource.prlimit(self.worker, what)
        resource.prlimit(self.worker, what, (soft, before[1]))
        return before

    def wait(self, timeout_s: float = 20.0) -> int:
        return self._running.wait(timeout_s)

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def end(self) -> None:
        """However it stands."""
        if self.is_running:
            self.signal(signal.SIGTERM)
            try:
                self.wait(15)
            except subprocess.TimeoutExpired:
                self.kill()

    def records(self) -> list[UsageRecord]:
        return list(read_records(self.home / "journal"))

    @property
    def rss_bytes(self) -> int:
        pages = Path(f"/proc/{self.worker}/statm").read_text(encoding="ascii").split()[1]
        return int(pages) * resource.getpagesize()

    @property
    def open_files(self) -> int:
        return len(os.listdir(f"/proc/{self.worker}/fd"))  # noqa: PTH208 - only the number counts


def children_of(pid: int, kind: str = "") -> list[int]:
    """Children of a supervisor, oldest first."""
    try:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except OSError:
        return []
    return [int(child) for child in found if _module(int(child)).endswith(f".{kind}" if kind else "")]


def _module(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return ""
    return words[words.index(b"-m") + 1].decode() if b"-m" in words else ""
