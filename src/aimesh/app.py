"""The composition root of a data-plane worker: settings become stores, a snapshot, a pipeline and a server.

1. Everything that is wired is wired here; no other module holds a global or makes a singleton.
2. A newer snapshot is swapped in whole; a call keeps the one it began with.
3. ``leave`` hands the listeners to a successor and lets callers go with their next answer; nobody is refused.
4. ``stop`` accepts nothing new, lets running calls end, settles the rest, and closes the journal last.
"""

import asyncio
import gc
import secrets
import socket
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from msgspec import Struct

from aimesh import __version__
from aimesh.catalog.price import cost
from aimesh.catalog.price_record import payer_of
from aimesh.core.clock import Clock
from aimesh.core.ids import RequestIds
from aimesh.core.policy import KeyPolicy, TenantPolicy
from aimesh.core.usage import Usage
from aimesh.dataplane.circuits import LOOK_EVERY_S, CircuitTeller
from aimesh.dataplane.edge import Edge
from aimesh.dataplane.forward import Means
from aimesh.dataplane.forwarded import Forwarded
from aimesh.dataplane.hold import Account, Holder
from aimesh.dataplane.local import LocalPages
from aimesh.dataplane.pipeline import Parts, Pipeline
from aimesh.dataplane.relay import Relay
from aimesh.dataplane.settler import Settler
from aimesh.dataplane.task_holds import ROUND_S, TaskHolds
from aimesh.dataplane.tasks import Tasks
from aimesh.keeper import POLL_S, SnapshotKeeper
from aimesh.keeper import Means as KeeperMeans
from aimesh.net.children import Children
from aimesh.net.client import ClientSettings, PooledClient
from aimesh.net.listen import bind_tcp, bind_unix
from aimesh.net.message import Handler, Timeouts
from aimesh.net.server import Server
from aimesh.net.state import ServerLimits
from aimesh.observer import Observer
from aimesh.routing.breaker import Breakers
from aimesh.routing.measure import Measures
from aimesh.routing.plan import Planner
from aimesh.settings import Address, Settings
from aimesh.store.database import StoreError, open_database, url_of
from aimesh.store.idempotency import IdempotencyStore
from aimesh.store.journal import Journal, JournalPolicy
from aimesh.store.ledger import Ledger, ledger_path, prepare
from aimesh.store.ledger_file import LedgerError
from aimesh.store.lives import Lives
from aimesh.store.node import node_id
from aimesh.store.segment import prune, recover
from aimesh.store.spool import open_tasks
from aimesh.store.tasks import Task
from aimesh.store.vault import open_vault
from aimesh.upstream.reach import candidate, proxy_of
from aimesh.wire.registry import INTERFACES

DAY_S = 86_400
TIDY_EVERY_S = 3600.0
SETTLE_EVERY_S = 1.0
"""How soon the settler sees that a task's turn has come."""
LEDGER_SYNC_S = 5.0
"""Most that a power cut can take from what keys have used."""
LAST_WORDS_S = 1.0
"""For calls whose upstream was cut off to note what became of them, while the database and the journal are open."""
GC_THRESHOLD = 50_000
"""Young objects before a collection: the walk leaves no cycles behind, and collecting rarely saves microseconds."""


class Seat(Struct, frozen=True):
    """What a supervisor gives a worker."""

    slot: int = 0
    """The worker's number among those that run at the same time on this node."""
    listeners: tuple[socket.socket, ...] = ()
    """Bound sockets for callers; none: the worker binds the addresses of the settings."""
    admin: tuple[socket.socket, ...] = ()
    """The same for the admin addresses."""
    control: str = ""
    """Path of the control process's unix socket; empty: there is no such process."""
    ledger: str = ""
    """Path of the ledger of limits, prepared for the slot; empty: there is none."""


ALONE = Seat()
SLOTS_ALONE = 8
"""Several workers may share a home without a supervisor."""


class Worker:
    """One data-plane worker in this process. Make it inside a running loop."""

    def __init__(self, settings: Settings, clock: Clock, *, seat: Seat = ALONE) -> None:
        self._settings = settings
        self._seat = seat
        self.slot = seat.slot
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        # Keys, tasks and usage: nobody else's to read.
        settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.observer = Observer(settings, clock, is_terminal=sys.stderr.isatty())
        self.children = Children(self.observer.child_crashed)
        self.breakers = Breakers()
        self.measures = Measures()
        self.journal = Journal(
            settings.journal_directory,
            process=secrets.randbits(32),
            clock=clock,
            on_alarm=self.observer.journal_alarm,
            policy=JournalPolicy(
                segment_bytes=settings.journal.segment_bytes,
                segment_age_s=settings.journal.segment_age_s,
                sync_every_s=settings.journal.fsync_ms / 2000,
            ),
        )
        self.observer.keep_in(self.journal)
        self.database = open_database(url_of(settings.database, settings.home))
        self.client = PooledClient(self.children, self._client_settings(), loop=self._loop)
        self._task_store = open_tasks(
            url_of(settings.database, settings.home),
            settings.home,
            self.database,
            clock=clock,
            on_error=self.observer.database_failed,
        )
        self._ledger = open_ledger(settings.home, seat, self.observer.ledger_alarm)
        self._holder = (
            Holder(self._ledger, ZoneInfo(settings.timezone), clock) if self._ledger is not None else None
        )
        self._holds = self._task_holds()
        self._tasks = Tasks(
            self._task_store,
            self.client,
            sink=self.observer,
            clock=clock,
            charge=self._charge,
            holds=self._holds,
        )
        self.keeper = SnapshotKeeper(
            settings,
            KeeperMeans(
                make=candidate,
                account_of=self._account_of,
                vault=lambda: open_vault(settings.home, settings.master_key),
                on_alarm=self.observer.publication_alarm,
            ),
        )
        self._circuits = CircuitTeller(
            self.breakers, settings.home, slot=seat.slot, clock=clock, on_error=self.observer.run_file_failed
        )
        ids = RequestIds(secrets.randbits(32))
        self.edge = Edge(
            self._pipeline(),
            self.keeper.snapshot,
            clock=clock,
            ids=ids,
            local=LocalPages(__version__, self._is_ready, others=self._relay(ids)).answer,
            observer=self.observer,
        )
        handle, check_head = self.edge.handle, self.edge.check_head
        if settings.trusted_proxies:
            front = Forwarded(settings.trusted_proxies, handle, check_head)
            handle, check_head = front.handle, front.check_head
        self.server = Server(handle, self._server_limits(), loop=self._loop, on_head=check_head)
        admin = LocalPages(__version__, self._is_ready, metrics=self.observer.metrics.render)
        self._admin = Server(admin.answer, loop=self._loop)
        self.observer.watch(
            edge=self.edge,
            server=self.server,
            client=self.client,
            journal=self.journal,
            breakers=self.breakers,
        )

    async def start(self) -> list[str]:
        """Listens; gives the addresses as ``host:port`` or ``unix:path``."""
        self.children.repeat("watch publications", POLL_S, self._watch_publications)
        self.children.repeat("settle tasks", SETTLE_EVERY_S, self._settler().round)
        if self._holds is not None:
            # What tasks hold from before is held before calls come, unless the database keeps them waiting.
            first = self.children.start("hold for tasks at first", self._hold_for_tasks(self._holds))
            await asyncio.wait((first,), timeout=ROUND_S)
            self.children.repeat("hold for tasks", ROUND_S, partial(self._hold_for_tasks, self._holds))
        self.children.start("tidy up", self._tidy_up())
        await self._circuits.start()
        self.children.repeat("tell circuits", LOOK_EVERY_S, self._circuits.round)
        if self._ledger is not None:
            self.children.repeat("sync limits", LEDGER_SYNC_S, self._sync_ledger)
        seat = self._seat
        for listener in seat.admin or [_bind(address) for address in self._settings.admin_listen]:
            await self._admin.listen(listener)
        for listener in seat.listeners:
            await self.server.listen(listener)
        addresses = (
            [] if seat.listeners else [await self._listen(address) for address in self._settings.listen]
        )
        # What lives now lives to the end: it need not be looked at again.
        gc.collect()
        gc.freeze()
        gc.set_threshold(GC_THRESHOLD)
        return addresses

    async def _listen(self, address: Address) -> str:
        listener = _bind(address)
        await self.server.listen(listener)
        if address.unix:
            return f"unix:{address.unix}"
        host, port = listener.getsockname()[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def _is_ready(self) -> bool:
        return not self.edge.is_draining

    async def leave(self) -> None:
        """Hands over to a worker that listens on the same sockets; returns when the callers have gone."""
        await self.server.leave(self._settings.timeouts.whole_s)

    async def stop(self) -> int:
        """Drains and closes; gives the number of connections that had to be broken."""
        self.edge.is_draining = True
        until_s = self._clock.monotonic_s() + self._settings.timeouts.drain_s
        broken = await self.server.drain(self._settings.timeouts.drain_s)
        # A call may outlive its caller's connection: a task that was accepted is still to be bound and recorded.
        await self._wait_for_calls(until_s)
        self.client.close()
        await self._wait_for_calls(self._clock.monotonic_s() + LAST_WORDS_S)
        await self.children.stop()
        await self._admin.drain(0.0)
        self.keeper.close()
        self._circuits.close()
        if self._holds is not None:
            self._holds.close()
        self._task_store.close()
        self.database.close()
        if self._ledger is not None:
            self._ledger.close()
            self._ledger = None
        self.journal.close()
        self.observer.close()
        return broken

    async def _wait_for_calls(self, until_s: float) -> None:
        # The edge counts for every call; an event would cost each of them, and only a stop asks.
        while self.edge.in_flight and self._clock.monotonic_s() < until_s:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    async def _watch_publications(self) -> None:
        if await self.keeper.refresh():
            self.edge.snapshot = self.keeper.snapshot

    def _relay(self, ids: RequestIds) -> Handler | None:
        if not self._seat.control:
            return None
        return Relay(
            self.client,
            self._seat.control,
            children=self.children,
            clock=self._clock,
            ids=ids,
            on_crash=self.observer.crashed,
        ).answer

    def _charge(self, task: Task, usage: Usage) -> None:
        """See ``dataplane.tasks.Charge``."""
        snapshot = self.edge.snapshot
        endpoint, tenant = snapshot.catalog.endpoints.get(task.endpoint), snapshot.tenants.get(task.tenant)
        if endpoint is None or self._holder is None:
            return
        payer = None if tenant is None else payer_of(tenant)
        at_s = task.created_at_s
        money = (
            cost(endpoint.price, usage, at_s)
            if payer is None
            else payer.cost(endpoint, task.credential, usage, at_s)
        )
        if money is not None:
            self._holder.charge(task.key_id, task.tenant, money)

    def _task_holds(self) -> TaskHolds | None:
        """None: nobody counts, or nobody can tell who is alive; then tasks hold nothing."""
        if self._holder is None:
            return None
        home = self._settings.home
        try:
            return TaskHolds(self._holder, Lives(home / "run" / "tasks"), node_id(home))
        except OSError as error:
            self.observer.ledger_alarm(f"tasks hold nothing of budgets: {error.strerror}")
            return None

    async def _hold_for_tasks(self, holds: TaskHolds) -> None:
        try:
            await holds.round(self._task_store)
        except StoreError as error:
            self.observer.database_failed(error)
        except OSError as error:
            self.observer.ledger_alarm(f"what tasks held whose process died is not held: {error.strerror}")

    def _account_of(self, key: KeyPolicy, tenant: TenantPolicy | None) -> Account | None:
        """See ``dataplane.keyring.AccountOf``."""
        return self._holder.compile(key, tenant) if self._holder is not None else None

    async def _sync_ledger(self) -> None:
        if self._ledger is not None:
            await self._loop.run_in_executor(None, self._ledger.sync)

    def _settler(self) -> Settler:
        return Settler(
            self._tasks,
            self._task_store,
            children=self.children,
            clock=self._clock,
            snapshot=lambda: self.edge.snapshot,
            on_error=self.observer.database_failed,
        )

    async def _tidy_up(self) -> None:
        """Closes segments of killed writers, removes what is older than the settings keep. Where there is a control
        process that imports segments, removing them is up to it."""
        directory, keep_s = self._settings.journal_directory, self._settings.journal.keep_days * DAY_S
        idempotency = IdempotencyStore(self.database, self._clock)
        while True:
            try:
                await self._loop.run_in_executor(None, lambda: recover(directory, clock=self._clock))
                if not (self._seat.control and self._settings.usage.import_):
                    await self._loop.run_in_executor(
                        None, lambda: prune(directory, keep_s=keep_s, clock=self._clock)
                    )
                await idempotency.purge()
            except (StoreError, OSError) as error:
                self.observer.database_failed(error)
            await asyncio.sleep(TIDY_EVERY_S)

    def _pipeline(self) -> Pipeline:
        return Pipeline(
            Parts(
                interfaces={interface.id: interface for interface in INTERFACES},
                means=self._means(),
                sink=self.observer,
                tasks=self._tasks,
                idempotency=IdempotencyStore(self.database, self._clock),
                planner=Planner(
                    self.breakers,
                    self.measures,
                    random=Random(),  # noqa: S311 - spreads load, guards nothing
                    most=self._settings.routing.attempts,
                ),
                measures=self.measures,
            )
        )

    def _means(self) -> Means:
        given = self._settings.timeouts

        def timeouts(first_byte_s: float) -> Timeouts:
            return Timeouts(
                connect_s=given.connect_s,
                first_byte_s=first_byte_s,
                idle_s=given.idle_s,
                whole_s=given.whole_s,
            )

        return Means(
            client=self.client,
            breakers=self.breakers,
            clock=self._clock,
            streamed=timeouts(given.first_byte_stream_s),
            whole=timeouts(given.first_byte_whole_s),
            on_bad_credential=self.observer.bad_credential,
        )

    def _server_limits(self) -> ServerLimits:
        limits, timeouts = self._settings.limits, self._settings.timeouts
        return ServerLimits(
            max_head_bytes=limits.max_head_bytes,
            max_body_bytes=limits.max_body_bytes,
            max_connections=limits.max_connections,
            head_s=min(10.0, timeouts.request_s),
            body_idle_s=timeouts.request_s,
            keep_alive_s=timeouts.keep_alive_s,
        )

    def _client_settings(self) -> ClientSettings:
        upstream = self._settings.upstream
        return ClientSettings(
            idle_s=self._settings.timeouts.upstream_idle_s,
            max_per_origin=self._settings.limits.max_upstream_connections,
            extra_ca_file=upstream.ca_file or None,
            proxy=proxy_of(upstream),
        )


def open_ledger(home: Path, seat: Seat, on_alarm: Callable[[str], None]) -> Ledger | None:
    """The supervisor has prepared the ledger for its workers; a worker on its own does it, and takes any free slot.
    None: it cannot be used, and nothing is limited, because calls are worth more than their limits."""
    path = ledger_path(home)
    why = "no slot"
    try:
        if seat is not ALONE:
            return Ledger(path, slot=seat.slot, on_alarm=on_alarm)
        for note in prepare(path, slots=SLOTS_ALONE):
            on_alarm(note)
    except LedgerError as error:
        on_alarm(f"limits are not enforced: {error}")
        return None
    for slot in range(SLOTS_ALONE):
        try:
            return Ledger(path, slot=slot, on_alarm=on_alarm)
        except LedgerError as error:
            why = str(error)
    on_alarm(f"limits are not enforced: {why}")
    return None


def _bind(address: Address) -> socket.socket:
    if address.unix:
        return bind_unix(Path(address.unix))
    return bind_tcp(address.host, address.port)
