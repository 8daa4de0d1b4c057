"""The command line in a test: its own home, its own environment, what it printed and how it ended.

1. A ``Shell`` knows nothing of the machine's environment: no provider key, no setting of aimesh.
2. ``served`` runs the admin API of a home over HTTP on loopback, and gives a shell that has its address and a token.
"""

import contextlib
import json
import threading
import time
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import uvicorn
from typer.testing import CliRunner, Result

from aimesh.cli.main import app
from aimesh.control.app import make_app
from aimesh.control.parts import Parts
from aimesh.core.clock import SystemClock
from aimesh.settings import compile_settings
from aimesh.store.database import default_url
from aimesh.store.engine import open_store
from aimesh.store.ledger import LedgerView, ledger_path
from aimesh.store.vault import open_vault

CLEAN = dict.fromkeys(
    (
        "AIMESH_API_KEY",
        "AIMESH_BASE_URL",
        "AIMESH_CONFIG",
        "AIMESH_MASTER_KEY",
        "AIMESH_TOKEN",
        "AIMESH_TOKEN_FILE",
        "AIMESH_URL",
        "ARK_API_KEY",
        "DASHSCOPE_API_KEY",
        "DEEPSEEK_API_KEY",
        "MOONSHOT_API_KEY",
        "OPENAI_API_KEY",
        "XDG_DATA_HOME",
    ),
    "",
)
_READY_S = 20.0


class Shell:
    def __init__(self, home: Path, environment: Mapping[str, str] | None = None) -> None:
        self.home = home
        self._environment = {**CLEAN, "AIMESH_HOME": str(home), "HOME": str(home), **(environment or {})}

    def run(self, *words: str, text: str = "", environment: Mapping[str, str] | None = None) -> Result:
        given = {**self._environment, **(environment or {})}
        return CliRunner().invoke(app, list(words), env=given, input=text)

    def done(self, *words: str, text: str = "") -> str:
        """What it printed on stdout, without the last line's end; it must have worked."""
        result = self.run(*words, text=text)
        assert result.exit_code == 0, (words, result.exit_code, result.output)
        return result.stdout.removesuffix("\n")

    def data(self, *words: str, text: str = "") -> Any:
        """``data`` of the envelope of ``--format json``."""
        return json.loads(self.done(*words, "--format", "json", text=text))["data"]

    def refused(self, *words: str, text: str = "") -> Any:
        """``error`` of the envelope; it must have ended with 1."""
        result = self.run(*words, "--format", "json", text=text)
        assert result.exit_code == 1, (words, result.exit_code, result.output)
        return json.loads(result.stdout)["error"]

    def misused(self, *words: str, text: str = "") -> str:
        """Everything it said; it must have ended with 2."""
        result = self.run(*words, text=text)
        assert result.exit_code == 2, (words, result.exit_code, result.output)
        return result.output


@contextlib.contextmanager
def served(home: Path) -> Iterator[Shell]:
    """The admin API of this home over HTTP, with a token of the platform's administrator."""
    token = home / "admin-token"
    token.touch(mode=0o600)
    token.write_text(
        Shell(home).done("token", "create", "shell", "--role", "PLATFORM_ADMIN"), encoding="utf-8"
    )
    settings = compile_settings(None, {"AIMESH_HOME": str(home)})
    store = open_store(default_url(home))
    vault = open_vault(settings.home, settings.master_key)
    ledger = partial(LedgerView, ledger_path(home), ZoneInfo(settings.timezone))
    parts = Parts(store=store, settings=settings, clock=SystemClock(), vault=vault, ledger=ledger)
    config = uvicorn.Config(
        make_app(parts), host="127.0.0.1", port=0, ws="none", lifespan="off", log_config=None
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="admin API")
    thread.start()
    try:
        until = time.monotonic() + _READY_S
        while not server.started:
            assert thread.is_alive(), "the admin API did not start"
            assert time.monotonic() < until, "the admin API was not ready in time"
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield Shell(home, {"AIMESH_URL": f"http://127.0.0.1:{port}", "AIMESH_TOKEN_FILE": str(token)})
    finally:
        server.should_exit = True
        thread.join(_READY_S)
        store.close()
