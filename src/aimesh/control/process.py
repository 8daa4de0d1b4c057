"""The control process: the admin API on a unix socket, and the publisher that workers live from.

1. It is there for the data plane's sake last: workers serve without it, so nothing here is waited for by a call.
2. A database that is away at the start is waited for; meanwhile the admin API says so.
3. The publisher has a thread of its own, the importer of usage records another, alerts a third: a slow statement or
   a slow webhook delays publications, records or alerts, and nothing else.
"""

import asyncio
import contextlib
import logging
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from zoneinfo import ZoneInfo

import uvicorn
from msgspec import Struct
from starlette.types import ASGIApp

from aimesh.control.alerting import STEP_EVERY_S as ALERT_EVERY_S
from aimesh.control.alerting import Alerter
from aimesh.control.alerts import sender_of
from aimesh.control.app import make_app
from aimesh.control.door import Door
from aimesh.control.importing import PAUSE_S, Importer
from aimesh.control.importing import STEP_EVERY_S as IMPORT_EVERY_S
from aimesh.control.parts import Parts
from aimesh.control.publish import STEP_EVERY_S, Publisher
from aimesh.control.setup import first_link
from aimesh.core.clock import Clock, SystemClock
from aimesh.net.children import Children
from aimesh.settings import Settings
from aimesh.store.database import StoreError, url_of
from aimesh.store.engine import open_store
from aimesh.store.ledger import LedgerView, ledger_path
from aimesh.store.vault import Vault, VaultError, open_vault
from aimesh.telemetry.logs import Event, Level, Log, wants_json

RETRY_S = 1.0
_END_S = 5
"""For requests that run when the process is to end."""
_KEEP_ALIVE_S = 75
"""Longer than the workers keep an idle connection, so that it is they who close it."""


class Opened(Struct, frozen=True):
    """What there is once the database is there."""

    app: ASGIApp
    step: Callable[[], object]
    """Publishes what changed; blocks; called again and again."""
    close: Callable[[], None]
    import_step: Callable[[], bool] | None = None
    """Imports a batch of usage records and says whether there are more; blocks. None: nothing is imported here."""
    alert_step: Callable[[], None] | None = None
    """Looks for what goes wrong, and tells it; blocks. None: nobody is told."""
    first_link: str | None = None
    """Path of the page that makes the first administrator, while there is none."""


Opener = Callable[[], Opened]
"""Blocks. Raises ``StoreError`` while the database is away."""


class Supervision(Struct, frozen=True):
    """What the process tells whoever started it, and how it learns that it is to end."""

    stopped: asyncio.Event
    ready: Callable[[], None]
    say: Callable[[str], None]
    """A line for the operator."""
    address: str
    """Where callers reach this installation, as ``http://host:port``."""


async def run_control(settings: Settings, descriptor: int, supervision: Supervision) -> None:
    """The whole process. ``descriptor``: an inherited socket that listens."""
    clock = SystemClock()
    given = settings.log
    log = Log(
        clock,
        as_json=wants_json(given.format, sys.stderr.isatty()),
        level=Level[given.level.upper()],
        access=False,
    )
    try:
        await serve(lambda: open_control(settings, clock, log), descriptor, supervision, log=log)
    finally:
        log.close()


def open_control(settings: Settings, clock: Clock, log: Log) -> Opened:
    """See ``Opener``."""
    with contextlib.ExitStack() as undone:
        store = open_store(url_of(settings.database, settings.home))
        undone.callback(store.close)
        importer = None
        try:
            publisher = Publisher(store, settings, clock, _Alarms(log, _PUBLICATION))
            undone.callback(publisher.close)
            if settings.usage.import_:
                importer = Importer(store, settings, clock, _Alarms(log, _IMPORT))
                undone.callback(importer.close)
        except OSError as error:
            raise StoreError(f"the home directory cannot be used: {error.strerror}") from error
        parts = Parts(
            store=store,
            settings=settings,
            clock=clock,
            vault=_vault(settings, log),
            ledger=partial(LedgerView, ledger_path(settings.home), ZoneInfo(settings.timezone)),
            log=log,
        )
        alerter = Alerter(parts, sender_of(parts), _Alarms(log, _ALERTING))
        link = first_link(store, clock)
        return Opened(
            app=make_app(parts),
            step=publisher.step,
            import_step=None if importer is None else importer.step,
            alert_step=alerter.step,
            close=undone.pop_all().close,
            first_link=link,
        )


async def serve(opener: Opener, descriptor: int, supervision: Supervision, *, log: Log) -> None:
    """Serves until ``stopped``."""
    children = Children(lambda name, error: log.crash(Event.CHILD_CRASHED, error, {"child": name}))
    door = Door(SystemClock())
    publishing = ThreadPoolExecutor(1, thread_name_prefix="publish")
    importing = ThreadPoolExecutor(1, thread_name_prefix="import")
    alerting = ThreadPoolExecutor(1, thread_name_prefix="alert")
    opened: list[Opened] = []
    loop = asyncio.get_running_loop()

    async def open_door() -> None:
        found = await _open(opener, publishing, log, door.stay_closed)
        opened.append(found)
        door.open(found.app)
        if found.first_link is not None:
            link = supervision.address + found.first_link
            supervision.say(f"nobody administers aimesh yet; the first administrator is made at {link}")
        step, import_step = found.step, found.import_step

        async def publish() -> None:
            await loop.run_in_executor(publishing, step)

        children.repeat("publish", STEP_EVERY_S, publish)
        if found.alert_step is not None:
            children.repeat("alert", ALERT_EVERY_S, partial(_in_thread, alerting, found.alert_step))
        if import_step is None:
            return

        async def import_usage() -> None:
            while await loop.run_in_executor(importing, import_step):  # noqa: ASYNC110 - a breath, not a wait
                await asyncio.sleep(PAUSE_S)

        children.repeat("import usage", IMPORT_EVERY_S, import_usage)

    server = _Server(_config(door, descriptor))
    children.start("open the database", open_door())
    with _uvicorns_words(log):
        serving = children.start("serve", server.serve())
        while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.005)
        supervision.ready()
        stopped = children.start("wait for a stop", supervision.stopped.wait())
        await asyncio.wait((serving, stopped), return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        await asyncio.wait((serving,))
    await children.stop()
    publishing.shutdown(wait=True)
    importing.shutdown(wait=True)
    alerting.shutdown(wait=True)
    for each in opened:
        each.close()


async def _in_thread(thread: ThreadPoolExecutor, step: Callable[[], None]) -> None:
    await asyncio.get_running_loop().run_in_executor(thread, step)


async def _open(
    opener: Opener, thread: ThreadPoolExecutor, log: Log, on_failure: Callable[[], None]
) -> Opened:
    loop = asyncio.get_running_loop()
    before = ""
    while True:
        try:
            return await loop.run_in_executor(thread, opener)
        except StoreError as error:
            on_failure()
            if str(error) != before:
                before = str(error)
                log.event(Level.ERROR, Event.DATABASE_FAILED, before)
        await asyncio.sleep(RETRY_S)


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are for whoever runs this server."""
        yield


def _config(app: ASGIApp, descriptor: int) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        fd=descriptor,
        loop="none",
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        # The worker in front says who called.
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_END_S,
    )


class _Words(logging.Handler):
    """What uvicorn has to say, in our log."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            self._log.crash(Event.CRASHED, error)
        else:
            level = Level.ERROR if record.levelno >= logging.ERROR else Level.WARNING
            self._log.event(level, Event.CRASHED, record.getMessage())


@contextlib.contextmanager
def _uvicorns_words(log: Log) -> Iterator[None]:
    logger = logging.getLogger("uvicorn.error")
    words = _Words(log)
    logger.addHandler(words)
    propagated, logger.propagate = logger.propagate, False
    try:
        yield
    finally:
        logger.propagate = propagated
        logger.removeHandler(words)


_Events = tuple[Event, Event]
"""Of trouble, and of its end."""

_PUBLICATION: _Events = (Event.PUBLICATION_ALARM, Event.PUBLICATION_RECOVERED)
_IMPORT: _Events = (Event.IMPORT_ALARM, Event.IMPORT_RECOVERED)
_ALERTING: _Events = (Event.ALERTING_ALARM, Event.ALERTING_RECOVERED)


class _Alarms:
    """See ``publish.OnAlarm``."""

    def __init__(self, log: Log, events: _Events) -> None:
        self._log = log
        self._trouble, self._end = events

    def __call__(self, name: str, message: str) -> None:
        fields = {"alarm": name}
        if not message:
            self._log.event(Level.INFO, self._end, "", fields)
        elif name == "database":
            self._log.event(Level.ERROR, Event.DATABASE_FAILED, message, fields)
        else:
            self._log.event(Level.ERROR, self._trouble, message, fields)


def _vault(settings: Settings, log: Log) -> Vault | None:
    try:
        return open_vault(settings.home, settings.master_key)
    except VaultError as error:
        # What needs no secret goes on working.
        log.event(Level.ERROR, Event.DATABASE_FAILED, str(error), {"alarm": "master key"})
        return None
