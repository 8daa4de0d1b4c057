"""The outermost layer of the admin API: what is true of every request and every answer.

1. Every answer has ``x-request-id``: the worker's that relayed the request, else one made here.
2. Every answer has the security headers below, unless it brought its own (a page for people does).
3. A body of more than ``MOST_BYTES`` is refused, announced or not.
4. An exception that nobody expected becomes 500 in the common shape, and a line in the log. This is the one
   place of the control plane that catches everything.
"""

from itertools import count

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aimesh.control.errors import ApiError, error_response
from aimesh.control.parts import Parts
from aimesh.control.source import SOURCE, read_source
from aimesh.telemetry.logs import Event

MOST_BYTES = 1 << 20

_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
}


class Edge:
    def __init__(self, app: ASGIApp, parts: Parts) -> None:
        self._app = app
        self._parts = parts
        self._lines = count()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        source = read_source(scope, self._parts.clock.wall_s(), self._lines)
        request_id = source.request_id
        answer = _Answer(send, request_id)
        body = _Bounded(receive, Headers(scope=scope))
        try:
            await self._app({**scope, SOURCE: source}, body.receive, answer.send)
        except Exception as error:
            self._report(error, request_id)
            if answer.has_begun:
                raise
            response = error_response(_Unexpected(), request_id)
            await response(scope, receive, answer.send)

    def _report(self, error: Exception, request_id: str) -> None:
        if self._parts.log is not None:
            self._parts.log.crash(Event.CRASHED, error, {"request_id": request_id})


class _Unexpected(ApiError):
    status = 500

    def __init__(self) -> None:
        super().__init__("INTERNAL_ERROR", "something went wrong here; the log has it under this request id")


class _Answer:
    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._request_id = request_id
        self.has_begun = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.has_begun = True
            headers = MutableHeaders(scope=message)
            headers["x-request-id"] = self._request_id
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await self._send(message)


class _Bounded:
    def __init__(self, receive: Receive, headers: Headers) -> None:
        self._receive = receive
        length = headers.get("content-length", "")
        self._seen = int(length) if length.isdecimal() and len(length) < 19 else 0
        self._is_announced = self._seen > 0

    async def receive(self) -> Message:
        message = await self._receive()
        if not self._is_announced:
            self._seen += len(message.get("body", b""))
        if self._seen > MOST_BYTES and message["type"] == "http.request":
            raise HTTPException(413)
        return message
