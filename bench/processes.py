"""Processes of a run: started on their cores, measured from outside, ended whatever happens.

1. Each process leads a session of its own; its children belong to it for CPU time, memory and the end.
2. CPU time is read from the kernel's per-process clock, in nanoseconds: user and system time of all threads,
   living children included, and ended ones once they were waited for.
3. Leaving a ``Fleet`` ends every process it started, with SIGTERM and after three seconds with SIGKILL.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import FrameType, TracebackType
from typing import IO

from msgspec import Struct

_TICK_NS = 10**9 // os.sysconf("SC_CLK_TCK")


class Cores(Struct, frozen=True):
    """Who runs where."""

    gateway: frozenset[int]
    rest: frozenset[int]

    @property
    def are_apart(self) -> bool:
        return not self.gateway & self.rest


def choose_cores() -> Cores:
    """The last core for the gateway, the others for the rest; a machine with one core shares it."""
    cores = sorted(os.sched_getaffinity(0))
    return Cores(gateway=frozenset(cores[-1:]), rest=frozenset(cores[:-1] or cores))


class Process:
    """One started program and its children."""

    def __init__(self, popen: "subprocess.Popen[bytes]", log_path: Path) -> None:
        self._popen = popen
        self._log_path = log_path
        self.pid = popen.pid
        self.counted = ""
        """Only processes with this word on their command line count for CPU time; empty: all do."""
        self.aside: frozenset[int] = frozenset()
        """Cores for those that do not count, so that they do not disturb the ones that do; empty: the same."""

    def is_alive(self) -> bool:
        return self._popen.poll() is None

    @property
    def log(self) -> str:
        """The end of what it wrote, for a report of why it failed."""
        return "\n".join(self._log_path.read_text(errors="replace").splitlines()[-6:])

    def _members(self) -> list[tuple[int, list[str]]]:
        """Living processes of the session: pid, and the fields of its stat behind the command's name."""
        members = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == self.pid:
                members.append((int(entry.name), fields))
        return members

    def cpu_ns(self) -> int:
        total = 0
        for pid, fields in self._members():
            if self.counted and not _has_word(pid, self.counted):
                if self.aside:
                    _move(pid, self.aside)
                continue
            total += (int(fields[13]) + int(fields[14])) * _TICK_NS
            try:
                # How Linux names another process's CPU clock (clock_getcpuclockid(3)).
                total += time.clock_gettime_ns((~pid << 3) | 2)
            except OSError:
                continue
        return total

    def rss_kib(self, kind: str = "") -> int:
        """Of all processes, or of those whose command line has the word ``kind``."""
        total = 0
        for pid, _ in self._members():
            try:
                if kind and not _has_word(pid, kind):
                    continue
                status = Path(f"/proc/{pid}/status").read_text()
            except OSError:
                continue
            for line in status.splitlines():
                if line.startswith("VmRSS:"):
                    total += int(line.split()[1])
        return total

    def end(self) -> None:
        self._signal(signal.SIGTERM)
        deadline = time.monotonic() + 3
        while time.monotonic() < deadline:
            if self._popen.poll() is not None and not self._members():
                return
            time.sleep(0.02)
        self._signal(signal.SIGKILL)
        self._popen.wait()

    def _signal(self, number: signal.Signals) -> None:
        for pid, _ in self._members():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue


def _move(pid: int, cores: frozenset[int]) -> None:
    """A process with all its threads."""
    try:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            os.sched_setaffinity(int(thread.name), cores)
    except OSError:
        return


def _has_word(pid: int, word: str) -> bool:
    try:
        return word.encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False


class Fleet:
    """Owns the processes of a run; a context manager."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._processes: list[Process] = []
        self._started = 0

    def __enter__(self) -> "Fleet":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in reversed(self._processes):
            process.end()
        self._processes.clear()

    def start(
        self, name: str, command: list[str], *, cores: frozenset[int], env: Mapping[str, str]
    ) -> Process:
        """Starts ``command`` pinned to ``cores``; what it writes goes to a log in the run's directory."""
        log_path = self._log_path(name)
        with log_path.open("wb") as log:
            popen = self._spawn(command, cores, env, log)
        process = Process(popen, log_path)
        self._processes.append(process)
        return process

    def end(self, process: Process) -> None:
        process.end()
        self._processes.remove(process)

    def _log_path(self, name: str) -> Path:
        self._started += 1
        return self._directory / f"{self._started:03d}-{name}.log"

    def _spawn(
        self, command: list[str], cores: frozenset[int], env: Mapping[str, str], log: IO[bytes]
    ) -> "subprocess.Popen[bytes]":
        # The kernel then ends the child even if this process is killed outright.
        setpriv = shutil.which("setpriv")
        prefix = [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []
        own = os.sched_getaffinity(0)
        os.sched_setaffinity(0, cores)
        try:
            return subprocess.Popen(
                [*prefix, *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(env),
                cwd=self._directory,
                start_new_session=True,
            )
        finally:
            os.sched_setaffinity(0, own)


def leave_cleanly_on_signals() -> None:
    """SIGINT and SIGTERM leave through the context managers, which end every process."""

    def leave(number: int, _frame: FrameType | None) -> None:
        sys.exit(128 + number)

    signal.signal(signal.SIGINT, leave)
    signal.signal(signal.SIGTERM, leave)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def plain_env(**extra: str) -> dict[str, str]:
    """An environment without the caller's settings, proxies or credentials."""
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LANG": "C.UTF-8", "NO_PROXY": "*", **extra}  # noqa: TID251 - a benchmark is its own process
