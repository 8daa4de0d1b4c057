"""``aimesh serve`` as a process of its own: for kills, signals and memory."""

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
        self._running.kill()
        self._running.wait(10)

    def signal(self, number: signal.Signals) -> None:
        self._running.send_signal(number)

    def limit(self, what: int, soft: int) -> tuple[int, int]:
        """Changes a limit of the running process; gives the one before."""
        before = resource.prlimit(self._running.pid, what)
        resource.prlimit(self._running.pid, what, (soft, before[1]))
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
        pages = Path(f"/proc/{self._running.pid}/statm").read_text(encoding="ascii").split()[1]
        return int(pages) * resource.getpagesize()

    @property
    def open_files(self) -> int:
        return len(os.listdir(f"/proc/{self._running.pid}/fd"))  # noqa: PTH208 - only the number counts
