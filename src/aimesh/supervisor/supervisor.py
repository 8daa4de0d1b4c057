"""The supervisor: owns the sockets, starts the processes of a node, keeps them running, replaces them, ends them.

1. It is small and does little: no data plane, no database, no FastAPI is imported, so there is little that could
   bring it down. What it starts are fresh interpreters.
2. A reload compiles the settings first; bad ones change nothing. Then the workers are replaced one after another,
   each on its predecessor's sockets: nobody is refused, and who is being answered is answered.
3. There are twice as many slots as workers, so that all predecessors may take their time while they leave. A reload
   that finds no slot free waits a moment, then asks those who leave to hurry.
4. It stops workers first, then the control process they relay to, then the simulator they call.
5. If it dies, its children notice and stop themselves.
"""

import asyncio
import contextlib
import os
import signal
import sys
from functools import partial
from pathlib import Path

from msgspec import Struct

from aimesh.catalog.problem import ConfigError
from aimesh.net.children import Children
from aimesh.net.listen import BACKLOG, adopt, bind_unix, on_signal
from aimesh.settings import Address, Settings, Source, compile_source, read_source
from aimesh.store.import_note import read_note
from aimesh.store.ledger import ledger_path, prepare, release_slot
from aimesh.store.ledger_file import LedgerError, SlotLock
from aimesh.supervisor.admin import AdminPages, Count
from aimesh.supervisor.child import Child, OnEnd
from aimesh.supervisor.inside import own_environment
from aimesh.supervisor.orders import URL_MARK, Brief, Order
from aimesh.supervisor.post import Post, Start
from aimesh.supervisor.rundir import lock, run_directory, socket_directory
from aimesh.supervisor.seats import Change, Seats, Shared, count_workers
from aimesh.supervisor.slots import Slots

_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_BIND_S = 3.0
"""How long the children of a killed supervisor may take to let go of what is theirs."""
_MARGIN_S = 10.0
"""What a worker needs beyond its own limit for draining, before it is killed."""
_OTHERS_S = 10.0
"""For the control process and the simulator to end."""


class Loaded(Struct, frozen=True):
    """A configuration that is good: its words, which every child begins from, and what they mean."""

    source: Source
    settings: Settings


def load(config: str) -> Loaded:
    """Raises ``ConfigError``."""
    environ = own_environment()
    source = read_source(Path(config) if config else None, environ)
    return Loaded(source=source, settings=compile_source(source, environ))


class Supervisor:
    """Made inside a running loop, run once."""

    def __init__(self, order: Order, loaded: Loaded) -> None:
        """Raises ``InUseError`` and ``OSError``."""
        self._order = order
        self._loaded = loaded
        settings = loaded.settings
        self._loop = asyncio.get_running_loop()
        self._children = Children(lambda name, error: say(f"{name}: {error!r}"))
        self._stop = asyncio.Event()
        self._reload = asyncio.Event()
        self._control_is_stale = asyncio.Event()
        run = run_directory(settings.home)
        self._lock = lock(run)
        sockets = socket_directory(run)
        self._control_path = sockets / "control.sock"
        self._control_socket = bind_unix(self._control_path)
        # Who comes before the control process waits in the queue.
        self._control_socket.listen(BACKLOG)
        self._count = self._wanted(settings)
        self._ledger = ledger_path(settings.home)
        self._slots = Slots(2 * max(self._count, count_workers(0)), self._is_foreign)
        shared = Shared(
            control=str(self._control_path),
            sockets=sockets,
            ledger=str(self._ledger),
            say=say,
            source=lambda: self._loaded.source,
            release_slot=self._release_slot,
        )
        self._seats = Seats(shared, self._slots)
        self._control = self._post("the control process", self._start_control)
        self._simulator: Post | None = None
        self._admin = AdminPages(
            self._sources, self._counts, is_ready=self._is_ready, children=self._children
        )

    async def run(self) -> int:
        """The exit status: 0 after an orderly end, 1 if it could not start or had to kill a child."""
        for number in _STOP_SIGNALS:
            on_signal(self._loop, number, partial(self._asked_to_stop, number))
        on_signal(self._loop, signal.SIGHUP, self._reload.set)
        life = self._children.start("life", self._live())
        stopped = self._children.start("wait for a stop", self._stop.wait())
        await asyncio.wait((life, stopped), return_when=asyncio.FIRST_COMPLETED)
        is_failed = life.done()
        self._stop.set()
        await self._children.stop()
        is_clean = await self._end()
        return 1 if is_failed or not is_clean else 0

    async def _live(self) -> None:
        """Starts, then reloads whenever asked. It returns only when it could not start."""
        try:
            if not await self._start():
                return
        except OSError as error:
            say(f"cannot start: {error.strerror or error}")
            return
        self._children.start("renew the control process", self._renew_control())
        while True:
            await self._reload.wait()
            self._reload.clear()
            await self._change()

    async def _renew_control(self) -> None:
        """Beside the reloads: no caller waits for it, and several of them in a row need it once."""
        while True:
            await self._control_is_stale.wait()
            self._control_is_stale.clear()
            await self._control.restart()

    async def _start(self) -> bool:
        await self._bind(self._loaded.settings.listen)
        await self._admin.listen(self._loaded.settings.admin_listen)
        await self._prepare_ledger()
        if self._order.simulator >= 0:
            self._simulator = self._post("the simulator", self._start_simulator)
            self._simulator.open()
        self._control.open()
        if not await self._seats.fill(self._count):
            return False
        self._greet()
        return True

    async def _bind(self, addresses: tuple[Address, ...]) -> None:
        until_s = self._loop.time() + _BIND_S
        while True:
            try:
                self._seats.bind(addresses)
            except OSError:
                if self._loop.time() > until_s:
                    raise
                await asyncio.sleep(0.05)
            else:
                return

    def _greet(self) -> None:
        addresses = self._seats.addresses
        if self._order.greeting:
            sys.stdout.write(self._order.greeting.replace(URL_MARK, f"http://{addresses[0]}") + "\n")
            sys.stdout.flush()
            return
        for address in addresses:
            shown = address if address.startswith("unix:") else f"http://{address}/gateway"
            say(f"aimesh listens at {shown}")

    async def _change(self) -> None:
        try:
            loaded = load(self._order.config)
        except ConfigError as error:
            problems = "\n".join(map(str, error.problems))
            say(f"reload refused, the old configuration stays:\n{problems}")
            return
        settings = loaded.settings
        count = self._wanted(settings)
        if 2 * count > self._slots.count:
            say(f"reload refused: more than {self._slots.count // 2} workers need a restart")
            return
        before, self._loaded = self._loaded, loaded
        try:
            await self._admin.listen(settings.admin_listen)
            change = await self._seats.change(settings.listen, count)
        except OSError as error:
            self._loaded = before
            say(f"reload refused, the old configuration stays: {error.strerror or error}")
            with contextlib.suppress(OSError):
                await self._admin.listen(before.settings.admin_listen)
            return
        if change is Change.NONE:
            self._loaded = before
            with contextlib.suppress(OSError):
                await self._admin.listen(before.settings.admin_listen)
            say("reload refused, the old configuration stays: a worker did not come up with the new one")
            return
        self._control_is_stale.set()
        if change is Change.PART:
            say("reload incomplete: some workers did not come up, and their predecessors stay")
            return
        say("configuration read again")

    async def _end(self) -> bool:
        posts = (self._control, self._simulator)
        is_clean = await self._seats.stop(self._loaded.settings.timeouts.drain_s + _MARGIN_S)
        for post in posts:
            if post is not None:
                is_clean = await post.stop(_OTHERS_S) and is_clean
        await self._admin.close()
        self._control_socket.close()
        self._control_path.unlink(missing_ok=True)
        os.close(self._lock)
        return is_clean

    def _asked_to_stop(self, number: signal.Signals) -> None:
        if not self._stop.is_set():
            self._stop.set()
            return
        for child in self._all_children():
            child.kill()
        signal.signal(number, signal.SIG_DFL)
        signal.raise_signal(number)

    def _wanted(self, settings: Settings) -> int:
        return count_workers(settings.workers if self._order.workers is None else self._order.workers)

    def _all_children(self) -> list[Child]:
        others = [self._control, *([self._simulator] if self._simulator is not None else [])]
        return self._seats.children + [child for post in others for child in post.children]

    async def _prepare_ledger(self) -> None:
        until_s = self._loop.time() + _BIND_S
        while True:
            try:
                for note in prepare(self._ledger, slots=self._slots.count):
                    say(note)
            except LedgerError as error:
                if self._loop.time() < until_s:
                    await asyncio.sleep(0.05)
                    continue
                # Calls are worth more than their limits: workers serve without a ledger.
                say(f"limits cannot be counted: {error}")
            return

    def _is_foreign(self, slot: int) -> bool:
        try:
            SlotLock(self._ledger, slot).release()
        except LedgerError:
            return True
        return False

    def _release_slot(self, slot: int) -> None:
        try:
            release_slot(self._ledger, slot)
        except LedgerError as error:
            say(f"what worker slot {slot} held stays held: {error}")

    def _is_ready(self) -> bool:
        return self._seats.are_served and not self._stop.is_set()

    def _sources(self) -> dict[int, str]:
        return {
            child.slot: str(self._seats.socket_path(child.slot))
            for child in self._seats.children
            if child.is_ready
        }

    def _counts(self) -> list[Count]:
        return [
            Count("aimesh_workers", "gauge", "Workers that serve.", len(self._sources())),
            Count(
                "aimesh_worker_restarts_total", "counter", "Workers that ended unasked.", self._seats.restarts
            ),
            Count(
                "aimesh_control_restarts_total",
                "counter",
                "Control processes that ended unasked.",
                self._control.restarts,
            ),
            *self._import_counts(),
        ]

    def _import_counts(self) -> list[Count]:
        note = read_note(self._loaded.settings.journal_directory)
        if note is None:
            return []
        return [
            Count(
                "aimesh_usage_imported_until_seconds",
                "gauge",
                "Unix time up to which all usage records are in the database.",
                int(note.done_at_s),
            ),
            Count(
                "aimesh_usage_rejected",
                "gauge",
                "Usage records that cannot be imported and were set aside.",
                note.rejected,
            ),
        ]

    def _post(self, title: str, start: Start) -> Post:
        return Post(title, start, say=say, release=lambda _child: None, on_vacant=lambda: None)

    def _start_control(self, on_end: OnEnd) -> Child:
        addresses = [name for name in self._seats.addresses if not name.startswith("unix:")]
        brief = Brief(
            listeners=(self._control_socket.fileno(),),
            address=addresses[0] if addresses else "127.0.0.1:80",
        )
        return Child(
            "aimesh.supervisor.control",
            brief,
            source=self._loaded.source,
            sockets=(self._control_socket,),
            loop=self._loop,
            on_end=on_end,
            on_words=say,
        )

    def _start_simulator(self, on_end: OnEnd) -> Child:
        listener = adopt(os.dup(self._order.simulator))
        with listener:
            return Child(
                "aimesh.supervisor.simulator",
                Brief(listeners=(listener.fileno(),)),
                source=self._loaded.source,
                sockets=(listener,),
                loop=self._loop,
                on_end=on_end,
                on_words=say,
            )


def say(text: str) -> None:
    """A line on standard error; whether anybody reads it changes nothing."""
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
