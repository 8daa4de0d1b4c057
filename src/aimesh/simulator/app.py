"""The simulator as an object: start it on a loopback port, point a client or the gateway at it, stop it.

1. It serves on loopback only: what it says must never be taken for a provider's answer.
2. A request walks: recorded, read, met by faults, checked for its key, answered, delivered.
3. With no fault set, faults cost one comparison.
4. A mistake of our own becomes a 500 and a traceback in ``/_sim/stats``; it never breaks the server.
"""

import asyncio
import ipaddress
import re
import secrets
import traceback

import msgspec

from aimesh.core.clock import Clock, SystemClock
from aimesh.net.listen import Listener, adopt, bind_tcp
from aimesh.net.message import Reply, Request
from aimesh.net.server import Server
from aimesh.simulator import control, failures, media
from aimesh.simulator.answers import Answer, Call, Dialect, Refusal, Whole, decode_json
from aimesh.simulator.deliver import Delivery
from aimesh.simulator.faults import Fault, FaultBook, Kind, Met, Plan
from aimesh.simulator.record import Recorder
from aimesh.simulator.routes import Found, Router
from aimesh.simulator.world import Settings, World

FILES = b"/files/"
_RANGE = re.compile(rb"bytes=(\d+)-(\d*)")
BAD_KEY = "invalid"
"""The one key that no simulated provider accepts."""


class Simulator:
    def __init__(self, settings: Settings | None = None, clock: Clock | None = None) -> None:
        self.settings = settings or Settings()
        self.faults = FaultBook()
        self.recorder = Recorder()
        self._clock = clock or SystemClock()
        self._world = World(self._clock, self.settings, secrets.randbits(32))
        self._control = control.Control(self.faults, self.recorder, self.settings)
        self._router = Router()
        self._server: Server | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Serves on the running loop; gives the port."""
        if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
            raise ValueError(f"the simulator serves on loopback only, not on {host}")
        return await self._serve(bind_tcp(host, port))

    async def start_on(self, descriptor: int) -> int:
        """The same on an inherited socket, which is bound to loopback."""
        return await self._serve(adopt(descriptor))

    async def _serve(self, listener: Listener) -> int:
        self._loop = asyncio.get_running_loop()
        self._server = Server(self.handle, loop=self._loop)
        await self._server.listen(listener)
        bound: int = listener.getsockname()[1]
        return bound

    async def stop(self) -> None:
        if self._server is not None:
            await self._server.drain(0.1)
            self._server = None

    def handle(self, request: Request, reply: Reply) -> None:
        """One request; see ``net.message.Handler``."""
        path = request.path
        if path.startswith(control.PREFIX):
            told = self._control.answer(request)
            reply.send(told.status, b"content-type: application/json\r\n", told.body)
            return
        if path.startswith(FILES):
            self._send_file(request, reply)
            return
        world = self._world
        now_s = self._clock.wall_s()
        found = self._router.find(path)
        entry = self.recorder.add("" if found is None else found.provider, request, now_s)
        request_id = world.ids.make(now_s)
        plan: Plan | None = None
        dialect = self._router.dialect_of(path) if found is None else found.dialect
        answer: Answer
        try:
            if found is None:
                answer = failures.unknown_path(dialect, path.decode("latin-1"))
            else:
                call = _read(request, found, request_id)
                if self.faults.faults:
                    plan = self._meet(call)
                answer = self._answer(call, found, plan)
        except Refusal as refusal:
            answer = failures.encode(dialect, refusal, request_id)
        except Exception:  # noqa: BLE001 - the simulator's edge: invariant 4
            self.recorder.bugs.append(traceback.format_exc())
            answer = failures.encode(
                dialect, Refusal(500, "SimulatorBug", "the simulator is broken"), request_id
            )
        delivery = Delivery(reply, entry, recorder=self.recorder, clock=self._clock, loop=self._running())
        delivery.start(answer, _id_headers(dialect, request_id), plan, self.settings.chunk_delay_ms / 1000)

    def _running(self) -> asyncio.AbstractEventLoop:
        assert self._loop is not None
        return self._loop

    def _meet(self, call: Call) -> Plan | None:
        model = call.body.get("model")
        met = Met(call.provider, call.path, model if isinstance(model, str) else "", call.key)
        plan = self.faults.take(met)
        if plan is not None:
            call.shape = plan.shape
        return plan

    def _answer(self, call: Call, found: Found, plan: Plan | None) -> Answer:
        breaking = None if plan is None else plan.breaking
        if breaking is not None and breaking.kind is Kind.STATUS:
            return _status_fault(call, breaking)
        if not call.key or call.key == BAD_KEY:
            raise failures.unauthorized(call.dialect, is_missing=not call.key)
        respond = found.methods.get(call.method)
        if respond is None:
            allow = ", ".join(found.methods)
            refusal = Refusal(405, "MethodNotAllowed", "Method not allowed.")
            body = failures.encode(call.dialect, refusal, call.request_id).body
            return Whole(body, status=405, headers=b"allow: %b\r\n" % allow.encode())
        answer = respond(call, self._world)
        if breaking is not None and breaking.kind is Kind.ERROR_EVENT_FIRST and isinstance(answer, Whole):
            error = failures.encode(call.dialect, failures.by_status(call.dialect, 500), call.request_id)
            return Whole(error.body)
        return answer

    def _send_file(self, request: Request, reply: Reply) -> None:
        name = request.path[len(FILES) :].decode("latin-1")
        file = media.open_file(name) if request.method in {b"GET", b"HEAD"} else None
        if file is None:
            reply.send(404, b"content-type: text/plain\r\n", b"no such file\n")
            return
        headers = b"content-type: %b\r\naccept-ranges: bytes\r\nx-simulated: true\r\n" % file.content_type
        content = file.content
        part = _RANGE.fullmatch(request.headers.get(b"range", b""))
        if part is None:
            reply.send(200, headers, content)
            return
        first = int(part[1])
        last = min(int(part[2]) if part[2] else len(content) - 1, len(content) - 1)
        if first > last:
            reply.send(416, headers + b"content-range: bytes */%d\r\n" % len(content), b"")
            return
        headers += b"content-range: bytes %d-%d/%d\r\n" % (first, last, len(content))
        reply.send(206, headers, content[first : last + 1])


def _read(request: Request, found: Found, request_id: str) -> Call:
    call = Call(
        method=request.method.decode("latin-1"),
        path=request.path.decode("latin-1"),
        provider=found.provider,
        dialect=found.dialect,
    )
    headers = request.headers
    call.headers = headers
    call.rest = found.rest
    call.query = request.query
    call.key = _key(headers)
    call.origin = "http://" + headers.get(b"host", b"").decode("latin-1")
    call.request_id = request_id
    body: object = None
    if request.body:
        try:
            body = decode_json(request.body)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise failures.bad_json(found.dialect) from error
    if isinstance(body, dict):
        # An explicit null counts as absent; the Ark SDK writes one for every field that was not set.
        call.body = {name: value for name, value in body.items() if value is not None}
    elif call.method == "POST" and not call.path.rstrip("/").endswith("/cancel"):
        raise failures.bad_json(found.dialect)
    return call


def _key(headers: dict[bytes, bytes]) -> str:
    """Any credential header will do; ``Authorization`` wins."""
    bearer = headers.get(b"authorization", b"")
    if bearer[:7].lower() == b"bearer ":
        return bearer[7:].strip().decode("latin-1")
    return (headers.get(b"x-api-key") or headers.get(b"x-dashscope-apikey") or b"").decode("latin-1")


def _id_headers(dialect: Dialect, request_id: str) -> bytes:
    name = request_id.encode()
    if dialect is Dialect.ANTHROPIC:
        return b"request-id: %b\r\nx-request-id: %b\r\nx-simulated: true\r\n" % (name, name)
    return b"x-request-id: %b\r\nx-simulated: true\r\n" % name


def _status_fault(call: Call, fault: Fault) -> Whole:
    headers = "".join(f"{name}: {value}\r\n" for name, value in fault.headers.items()).encode("latin-1")
    if fault.body is None:
        answer = failures.encode(
            call.dialect, failures.by_status(call.dialect, fault.status), call.request_id
        )
        return Whole(answer.body, status=fault.status, headers=headers)
    if isinstance(fault.body, str):
        kind = fault.headers.get("content-type", "text/plain")
        kept = {name: value for name, value in fault.headers.items() if name != "content-type"}
        headers = "".join(f"{name}: {value}\r\n" for name, value in kept.items()).encode("latin-1")
        return Whole(fault.body.encode(), status=fault.status, content_type=kind.encode(), headers=headers)
    return Whole(msgspec.json.encode(fault.body), status=fault.status, headers=headers)
