"""A PostgreSQL server of our own for the tests: started once per test process, stopped by it, nothing left behind.

Use it through ``tests/support/stores.py``.

PostgreSQL refuses to run as root: root's tests run it as the user postgres or nobody. Where the programs are missing
they are installed from Debian's package, which needs root or sudo without a password.
"""

import ctypes
import fcntl
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg
from psycopg import sql

from aimesh.store import postgres

USER = "aimesh"
PASSWORD = "database-password-4711"
START_S = 20.0
_STOP_S = 10.0
_INSTALL_S = 900.0
_TEMPLATE = "template_current"
_PORTS = (20000, 32000)
"""Below those that the system gives out, so that the port is still free when the server starts again."""

_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "128MB",
    "shared_buffers": "16MB",
    "max_connections": "60",
    "jit": "off",
    "listen_addresses": "127.0.0.1",
}


class PostgresServer:
    """Running when made. ``stop`` and ``start`` may be called again and again; ``remove`` ends it."""

    def __init__(self) -> None:
        self._programs = find_programs()
        self._user, self._group = _unprivileged()
        # Short: the path of a unix socket has 107 characters at most.
        self._directory = Path(tempfile.mkdtemp(prefix="aimesh-pg-", dir="/tmp"))
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = count()
        self._has_template = False
        self.port = _free_port()
        self._own(self._directory)
        try:
            self._make_cluster()
            self.start()
        except BaseException:
            self.remove()
            raise

    def url(self, name: str, *, tcp: bool = False) -> str:
        if tcp:
            return f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{self.port}/{name}"
        return f"postgresql://{USER}:{PASSWORD}@/{name}?host={self._directory}&port={self.port}"

    @contextmanager
    def database(self, *, empty: bool = False) -> Iterator[str]:
        """The URL of a fresh database with all tables, or none; gone afterwards, whoever still uses it."""
        if not empty and not self._has_template:
            self._create(_TEMPLATE, "template1")
            postgres.prepare(self.url(_TEMPLATE))
            self._has_template = True
        name = f"test_{next(self._numbers)}"
        self._create(name, "template1" if empty else _TEMPLATE)
        try:
            yield self.url(name)
        finally:
            if self.is_running:
                self._order("DROP DATABASE {} WITH (FORCE)", name)

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Only from the main thread: the server ends with the thread that started it, so that a test process that is
        killed leaves none behind."""
        assert threading.current_thread() is threading.main_thread()
        if self.is_running:
            return
        settings = [f"--{name}={value}" for name, value in _SETTINGS.items()]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    self._programs / "postgres", "-D", self._data, "-k", self._directory,
                    "-p", str(self.port), *settings,
                ],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", start_new_session=True,
                user=self._user, group=self._group,
                preexec_fn=_end_with_parent,  # noqa: PLW1509 - one system call, which takes no lock
            )  # fmt: skip
        end_s = time.monotonic() + START_S
        while not self._answers():
            if not self.is_running or time.monotonic() > end_s:
                raise RuntimeError(f"PostgreSQL did not start:\n{self._log.read_text()[-2000:]}")
            time.sleep(0.05)

    def stop(self, *, crash: bool = False) -> None:
        """Ends connections and whatever they are at; with ``crash`` the server recovers at its next start."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGQUIT if crash else signal.SIGINT)
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(_STOP_S)
        self._process = None

    def freeze(self) -> None:
        """Every process of it stops where it is: connections stay open and nothing answers."""
        self._signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal_all(signal.SIGCONT)

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self._directory, ignore_errors=True)

    @property
    def _data(self) -> Path:
        return self._directory / "data"

    @property
    def _log(self) -> Path:
        return self._directory / "log"

    def _make_cluster(self) -> None:
        password = self._directory / "password"
        password.write_text(PASSWORD)
        self._own(password)
        done = subprocess.run(
            [
                self._programs / "initdb", "-D", self._data, "--username", USER, "--pwfile", password,
                "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync",
            ],
            capture_output=True, timeout=3 * START_S, check=False, cwd="/",
            user=self._user, group=self._group,
        )  # fmt: skip
        if done.returncode != 0:
            raise RuntimeError(f"initdb failed: {done.stderr.decode()}")

    def _own(self, path: Path) -> None:
        if self._user is not None and self._group is not None:
            os.chown(path, self._user, self._group)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _create(self, name: str, template: str) -> None:
        self._order("CREATE DATABASE {} TEMPLATE {}", name, template)

    def _order(self, statement: str, *names: str) -> None:
        # Neither runs inside a transaction.
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def _signal_all(self, number: signal.Signals) -> None:
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        for pid in (self._process.pid, *map(int, children)):
            os.kill(pid, number)


def find_programs() -> Path:
    """The folder with ``initdb`` and ``postgres``; installs them where they are missing."""
    found = _found_programs()
    if found is None:
        _install()
        found = _found_programs()
    if found is None:
        raise RuntimeError("the package postgresql is installed, but initdb and postgres are not to be found")
    return found


def _found_programs() -> Path | None:
    named = [Path(path).resolve().parent for path in (shutil.which("postgres"),) if path is not None]
    packaged = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: -int(path.parent.name))
    return next((path for path in (*named, *packaged) if (path / "initdb").exists()), None)


def _install() -> None:
    """Once, though several test processes may want it."""
    apt = shutil.which("apt-get")
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if apt is None or (as_root and shutil.which("sudo") is None):
        raise RuntimeError("the tests need PostgreSQL's initdb and postgres: install the package postgresql")
    with Path(tempfile.gettempdir(), "aimesh-install-postgresql.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _found_programs() is not None:
            return
        quiet = ["env", "DEBIAN_FRONTEND=noninteractive", apt, "-qq", "-o", "DPkg::Lock::Timeout=300"]
        # The first package says whether the second makes and starts a cluster, which nobody wants here.
        no_cluster = "echo 'create_main_cluster = false' >> /etc/postgresql-common/createcluster.conf"
        for command in (
            [*quiet, "update"],
            [*quiet, "install", "-y", "--no-install-recommends", "postgresql-common"],
            ["sh", "-c", no_cluster],
            [*quiet, "install", "-y", "--no-install-recommends", "postgresql"],
        ):
            done = subprocess.run([*as_root, *command], capture_output=True, timeout=_INSTALL_S, check=False)
            if done.returncode != 0:
                raise RuntimeError(
                    "the tests need the package postgresql, and it cannot be installed: "
                    f"{done.stderr.decode(errors='replace')[-1000:]}"
                )


def _unprivileged() -> tuple[int | None, int | None]:
    """Whom root runs it as; None: as ourselves."""
    if os.geteuid() != 0:
        return None, None
    for name in ("postgres", "nobody"):
        try:
            account = pwd.getpwnam(name)
        except KeyError:
            continue
        return account.pw_uid, account.pw_gid
    raise RuntimeError("there is no user postgres or nobody to run PostgreSQL as")


def _free_port() -> int:
    while True:
        port = random.randrange(*_PORTS)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def _end_with_parent() -> None:
    """A test process that is killed takes its server with it."""
    if sys.platform == "linux":
        # PR_SET_PDEATHSIG
        ctypes.CDLL(None).prctl(1, signal.SIGINT)
