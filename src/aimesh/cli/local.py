"""The admin API in this process, on the local database, as the operator of this machine.

1. The same app that answers over HTTP: what it checks and audits there, it checks and audits here.
2. Who may read the home directory may do everything; the audit log has the name of the account.
3. A failure that nobody expected is a 500 of the app, as it would be over HTTP.
"""

import asyncio
import os
import pwd
from functools import partial
from pathlib import Path
from typing import BinaryIO
from zoneinfo import ZoneInfo

import httpx

from aimesh.cli.client import Call, Reply
from aimesh.cli.faults import Refused
from aimesh.cli.http import TIMEOUT_S, reply_of
from aimesh.cli.inspect import read_settings, usual_base_url
from aimesh.control.app import make_app
from aimesh.control.audit import Target, audited
from aimesh.control.identity import ASGIApp, Caller, CallerKind, Message, Scope, as_local_operator
from aimesh.control.parts import Parts
from aimesh.control.source import Source
from aimesh.core.clock import SystemClock
from aimesh.core.ids import DEFAULT_TENANT, TenantId
from aimesh.settings import Settings
from aimesh.store.database import StoreError, url_of
from aimesh.store.engine import Store, open_store
from aimesh.store.ledger import LedgerView, ledger_path
from aimesh.store.people import Role
from aimesh.store.tokens import NOBODY
from aimesh.store.vault import Vault, VaultError, open_vault


class Local:
    name = "this machine"

    def __init__(self, parts: Parts) -> None:
        self._store = parts.store
        self._runner = asyncio.Runner()
        self._app = as_local_operator(make_app(parts), _account())
        self._client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self._app, raise_app_exceptions=False),
            base_url=_address(parts.settings),
            timeout=TIMEOUT_S,
        )
        # As a worker does that relays a request: what is public may be https.
        self._client.headers["x-forwarded-proto"] = self._client.base_url.scheme

    def send(self, call: Call) -> Reply:
        return reply_of(
            self._runner.run(
                self._client.request(
                    call.method, call.path, params=call.query, headers=call.headers, content=call.body
                )
            )
        )

    def download(self, call: Call, sink: BinaryIO) -> Reply:
        """httpx would gather the whole answer first."""
        request = self._client.build_request(call.method, call.path, params=call.query, headers=call.headers)
        return self._runner.run(_download(self._app, request, sink))

    def close(self) -> None:
        self._runner.run(self._client.aclose())
        self._runner.close()
        self._store.close()


async def _download(app: ASGIApp, request: httpx.Request, sink: BinaryIO) -> Reply:
    status, wrong = 0, b""
    url = request.url
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "scheme": url.scheme,
        "path": url.path,
        "raw_path": url.raw_path.partition(b"?")[0],
        "query_string": url.query,
        "server": (url.host, url.port),
        "client": ("127.0.0.1", 0),
        "root_path": "",
    }
    is_asked = False

    async def receive() -> Message:
        nonlocal is_asked
        if is_asked:
            # Whoever asks is still there: an answer that comes in pieces watches for that.
            await asyncio.Event().wait()
        is_asked = True
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status, wrong
        if message["type"] == "http.response.start":
            status = message["status"]
        elif status < 300:
            sink.write(message.get("body", b""))
        else:
            wrong += message.get("body", b"")

    try:
        await app(scope, receive, send)
    except StoreError as error:
        raise Refused(f"the database failed before the end: {error}") from error
    return Reply(status=status, body=wrong, etag="")


def open_local(config: Path | None) -> Local:
    """Raises ``Refused``."""
    settings = read_settings(config)
    store, vault = open_parts(settings)
    ledger = partial(LedgerView, ledger_path(settings.home), ZoneInfo(settings.timezone))
    return Local(Parts(store=store, settings=settings, clock=SystemClock(), vault=vault, ledger=ledger))


def open_parts(settings: Settings) -> tuple[Store, Vault]:
    """The database and the master keys. Raises ``Refused``."""
    try:
        vault = open_vault(settings.home, settings.master_key)
        return open_store(url_of(settings.database, settings.home)), vault
    except (StoreError, VaultError) as error:
        raise Refused(str(error)) from error


def audit_local(store: Store, action: str, changes: dict[str, object]) -> None:
    """For what the operator does beside the API."""
    caller = Caller(
        kind=CallerKind.LOCAL,
        user_id=NOBODY,
        name=_account(),
        tenant=DEFAULT_TENANT,
        role=Role.PLATFORM_ADMIN,
        source=Source(ip="local", request_id="", at_s=SystemClock().wall_s()),
    )
    target = Target(kind="master_key", id="", name="master key", tenant=TenantId(""))
    with store.write() as db:
        audited(db, caller, action, target, changes)


def _address(settings: Settings) -> str:
    """Where people reach this gateway: links to it are made of that."""
    return usual_base_url(settings).partition("/gateway")[0]


def _account() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
