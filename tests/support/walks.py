"""A data plane without sockets: real settings, snapshot and pipeline, a reply that remembers, a scripted upstream."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from random import Random
from typing import Any, NoReturn

import msgspec

from aimesh.core.clock import FixedClock
from aimesh.core.errors import Fault
from aimesh.core.ids import RequestIds
from aimesh.core.record import UsageRecord
from aimesh.dataplane.edge import Edge
from aimesh.dataplane.forward import Means
from aimesh.dataplane.keyring import no_account
from aimesh.dataplane.pipeline import Parts, Pipeline
from aimesh.dataplane.snapshot import Snapshot
from aimesh.dataplane.tasks import Tasks
from aimesh.keeper import Means as KeeperMeans
from aimesh.keeper import SnapshotKeeper
from aimesh.net.message import (
    AnswerHead,
    ConnectionLost,
    ExchangeError,
    Origin,
    Reply,
    Request,
    Sink,
    Timeouts,
)
from aimesh.net.walk import Signal
from aimesh.routing.breaker import Breakers
from aimesh.routing.measure import Measures
from aimesh.routing.plan import Planner
from aimesh.settings import Settings, compile_settings
from aimesh.store.database import Database, open_database
from aimesh.store.idempotency import IdempotencyStore
from aimesh.store.tasks import TaskStore
from aimesh.upstream.reach import candidate
from aimesh.wire.registry import INTERFACES

KEY = "ck-test-test-test-test-0001"
CONFIG = f"""
providers:
  first: {{base_url: "http://127.0.0.1:1/first", auth: bearer, speaks: {{open_ai: {{}}, anthropic: {{}}, task: {{}}}}}}
  second: {{base_url: "http://127.0.0.1:1/second", auth: x_api_key, speaks: {{open_ai: {{}}, anthropic: {{}}}}}}
credentials:
  first: secret-of-the-first
  second: secret-of-the-second
models:
  - name: test/chat
    vendor: test
    kind: chat
    endpoints:
      - provider: first
        interfaces: [open_ai, anthropic]
        as: chat-one
        price: {{currency: CNY, source: test, date: "2026-01", tiers: [{{input: 1, output: 1}}]}}
      - provider: second
        interfaces: [open_ai]
        as: chat-two
        price: {{currency: CNY, source: test, date: "2026-01", tiers: [{{input: 2, output: 2}}]}}
  - name: test/film
    vendor: test
    kind: video
    endpoints:
      - {{provider: first, interfaces: [task], as: film-one}}
virtual_keys:
  - {{alias: tester, key: {KEY}, labels: {{team: red}}}}
  - {{alias: narrow, key: ck-test-test-test-test-0002, models: ["qwen/*"]}}
  - {{alias: off, key: ck-test-test-test-test-0003, enabled: false}}
  - {{alias: old, key: ck-test-test-test-test-0004, expires_at: "2020-01-01"}}
  - {{alias: fenced, key: ck-test-test-test-test-0005, cidrs: ["10.0.0.0/8"]}}
"""


def settings_at(home: Path, text: str = CONFIG) -> Settings:
    home.mkdir(parents=True, exist_ok=True)
    file = home / "aimesh.yaml"
    file.write_text(text, encoding="utf-8")
    return compile_settings(file, {"AIMESH_HOME": str(home)})


def snapshot_of(settings: Settings) -> Snapshot:
    """Of the file alone: nothing is published in its home."""

    def no_vault() -> NoReturn:
        raise AssertionError("there is nothing to open")

    means = KeeperMeans(make=candidate, account_of=no_account, vault=no_vault, on_alarm=print)
    return SnapshotKeeper(settings, means).snapshot


class RememberedReply:
    """A caller's end: what it got, and whether it is still there."""

    def __init__(self) -> None:
        self.is_gone = False
        self.is_open = False
        self.is_writable = True
        self.on_gone: Callable[[], None] | None = None
        self.on_writable: Callable[[], None] | None = None
        self.status = 0
        self.headers = b""
        self.body = b""
        self.is_ended = False
        self.is_aborted = False

    def send(self, status: int, headers: bytes, body: bytes) -> None:
        if self.is_gone:
            return
        self.status, self.headers, self.body = status, headers, body
        self.is_open = self.is_ended = True

    def open(self, status: int, headers: bytes) -> None:
        self.status, self.headers = status, headers
        self.is_open = True

    def write(self, data: bytes) -> None:
        if not self.is_gone:
            self.body += data

    def close(self) -> None:
        self.is_ended = True

    def abort(self) -> None:
        self.is_aborted = True

    def leave(self) -> None:
        """The caller hangs up."""
        self.is_gone = True
        told, self.on_gone = self.on_gone, None
        if told is not None:
            told()

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)


class ScriptedExchange:
    """An upstream's answer, given piece by piece by the test."""

    def __init__(self, head: bytes, body: bytes) -> None:
        self.request_head = head
        self.request_body = body
        self.is_cancelled = False
        self.was_sent = True
        self._head: Signal[AnswerHead] = Signal()
        self._pieces: list[bytes] = []
        self._news: Signal[None] = Signal()
        self._error: ExchangeError | None = None
        self._is_over = False
        self._sink: Sink | None = None

    def answers(self, status: int, headers: dict[bytes, bytes], body: bytes | None = None) -> None:
        if body is not None:
            self._pieces.append(body)
            self._is_over = True
        self._head.set(AnswerHead(status, headers))
        self._wake()

    def _open(self) -> None:
        if not self._head.is_set:
            self._head.set(AnswerHead(200, {b"content-type": b"text/event-stream"}))

    def streams(self, data: bytes) -> None:
        self._open()
        if self._sink is not None:
            self._sink.feed(data)
        else:
            self._pieces.append(data)
            self._wake()

    def ends(self) -> None:
        self._open()
        self._is_over = True
        self._wake()

    def breaks(self, error: ExchangeError) -> None:
        self._error = error
        if not self._head.is_set:
            self._head.fail(error)
        self._wake()

    def _wake(self) -> None:
        news, self._news = self._news, Signal()
        news.set(None)

    async def head(self) -> AnswerHead:
        return await self._head

    async def body(self, _limit_bytes: int) -> bytes:
        while not self._is_over and self._error is None:
            await self._news
        if self._error is not None:
            raise self._error
        return b"".join(self._pieces)

    async def piece(self) -> bytes:
        while not self._pieces and not self._is_over and self._error is None:
            await self._news
        if self._pieces:
            return self._pieces.pop(0)
        if self._error is not None:
            raise self._error
        return b""

    async def pipe(self, sink: Sink) -> None:
        while self._pieces:
            sink.feed(self._pieces.pop(0))
        self._sink = sink
        while not self._is_over and self._error is None:
            await self._news
        if self._error is not None:
            raise self._error

    def resume(self) -> None: ...

    def cancel(self) -> None:
        self.is_cancelled = True
        if not self._is_over and self._error is None:
            self._error = ConnectionLost("cancelled", was_sent=True)
            self._wake()


Script = Callable[[ScriptedExchange], None]


class ScriptedClient:
    """Plays one script per exchange, in order; without one left the exchange stays silent."""

    def __init__(self, *scripts: Script) -> None:
        self.scripts = list(scripts)
        self.exchanges: list[ScriptedExchange] = []
        self.fresh: list[bool] = []

    def send(
        self, _origin: Origin, head: bytes, body: bytes, *, timeouts: Timeouts, fresh: bool = False
    ) -> ScriptedExchange:
        assert timeouts.whole_s > 0
        exchange = ScriptedExchange(head, body)
        self.exchanges.append(exchange)
        self.fresh.append(fresh)
        if self.scripts:
            self.scripts.pop(0)(exchange)
        return exchange


class Observed:
    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.crashes: list[BaseException] = []

    def refused(self, _request: Request, fault: Fault, _request_id: str) -> None:
        self.faults.append(fault)

    def crashed(self, _request: Request, error: BaseException, _request_id: str) -> None:
        self.crashes.append(error)


class Records:
    def __init__(self) -> None:
        self.all: list[UsageRecord] = []

    def append(self, record: UsageRecord) -> None:
        self.all.append(record)


class Plane:
    """Edge and pipeline over a scripted client. Make it inside a running loop when tasks are used."""

    def __init__(self, home: Path, *scripts: Script, config: str = CONFIG) -> None:
        self.settings = settings_at(home, config)
        self.clock = FixedClock()
        self.client = ScriptedClient(*scripts)
        self.records = Records()
        self.observed = Observed()
        self.breakers = Breakers()
        self.measures = Measures()
        self.database: Database = open_database(f"sqlite:///{home / 'test.db'}")
        self.task_store = TaskStore(self.database, self.clock)
        self.bad_credentials: list[str] = []
        means = Means(
            client=self.client,
            breakers=self.breakers,
            clock=self.clock,
            streamed=Timeouts(),
            whole=Timeouts(),
            on_bad_credential=lambda candidate, _failure: self.bad_credentials.append(candidate.credential),
        )
        self.edge = Edge(
            Pipeline(
                Parts(
                    interfaces={interface.id: interface for interface in INTERFACES},
                    means=means,
                    sink=self.records,
                    tasks=Tasks(self.task_store, self.client, sink=self.records, clock=self.clock),
                    idempotency=IdempotencyStore(self.database, self.clock),
                    planner=Planner(self.breakers, self.measures, random=Random(1), most=4),
                    measures=self.measures,
                )
            ),
            snapshot_of(self.settings),
            clock=self.clock,
            ids=RequestIds(7),
            local=self._local,
            observer=self.observed,
        )

    def _local(self, _request: Request, reply: Reply) -> None:
        reply.send(200, b"", b"local")

    def call(
        self,
        path: str = "/gateway/v1/chat/completions",
        body: object = None,
        *,
        method: str = "POST",
        key: str = KEY,
        headers: dict[bytes, bytes] | None = None,
        peer: str = "127.0.0.1",
    ) -> RememberedReply:
        target, _, query = path.partition("?")
        given = {b"host": b"localhost", **(headers or {})}
        if key:
            given.setdefault(b"authorization", b"Bearer " + key.encode())
        reply = RememberedReply()
        data = body if isinstance(body, bytes) else b"" if body is None else msgspec.json.encode(body)
        request = Request(
            method=method.encode(),
            path=target.encode(),
            query=query.encode(),
            headers=given,
            body=data,
            peer=peer,
        )
        self.edge.handle(request, reply)
        return reply

    def close(self) -> None:
        self.database.close()


def in_loop(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(work())


async def ended(reply: RememberedReply, *, within_s: float = 5.0) -> RememberedReply:
    """Waits until the reply has ended; the store works on a thread of its own."""
    async with asyncio.timeout(within_s):
        while not reply.is_ended:
            await asyncio.sleep(0.002)
    return reply


def whole(status: int, body: object, **headers: str) -> Script:
    data = body if isinstance(body, bytes) else msgspec.json.encode(body)
    sent = {b"content-type": b"application/json"}
    sent |= {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    return lambda exchange: exchange.answers(status, sent, data)


def broken(error: ExchangeError) -> Script:
    return lambda exchange: exchange.breaks(error)


def frames(*data: bytes, end: bool = True) -> Script:
    def play(exchange: ScriptedExchange) -> None:
        for one in data:
            exchange.streams(one)
        if end:
            exchange.ends()

    return play
