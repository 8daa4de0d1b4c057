"""The ASGI app in front of the admin API: it is there before the database is.

1. Without the admin API (its database is away) every request gets a 503 in the API's own shape. While the database is
   being opened for the first time, requests wait for what comes of it.
2. ``/healthz`` says that the process lives; workers ask for it before they give a slow answer up.
3. A request that waited in the socket's queue longer than its relay waits (``x-aimesh-begun``) is refused unseen: its
   caller was told so already, and a change nobody hears of must not happen.
"""

import asyncio
import contextlib

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from aimesh.core.clock import Clock

QUEUE_S = 5.0
"""As ``dataplane.relay`` waits."""
_FIRST_TRY_S = 10.0


class Door:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._app: ASGIApp | None = None
        self._is_tried = asyncio.Event()

    def open(self, app: ASGIApp) -> None:
        self._app = app
        self._is_tried.set()

    def stay_closed(self) -> None:
        """The database is away; it will be tried again."""
        self._is_tried.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = Headers(scope=scope)
        if scope["path"] == "/healthz":
            answer = JSONResponse({"status": "ok"})
        elif self._is_given_up(headers.get("x-aimesh-begun", "")):
            answer = _unavailable("CONTROL_UNAVAILABLE", "the request waited too long", headers)
        elif (app := await self._opened()) is None:
            text = "the database cannot be reached; try again in a moment"
            answer = _unavailable("DATABASE_UNAVAILABLE", text, headers)
        else:
            await app(scope, receive, send)
            return
        await answer(scope, receive, send)

    async def _opened(self) -> ASGIApp | None:
        if not self._is_tried.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_FIRST_TRY_S):
                    await self._is_tried.wait()
        return self._app

    def _is_given_up(self, begun: str) -> bool:
        try:
            return self._clock.monotonic_s() - float(begun) > QUEUE_S
        except ValueError:
            return False


def _unavailable(code: str, message: str, headers: Headers) -> JSONResponse:
    error = {
        "code": code,
        "message": message,
        "request_id": headers.get("x-request-id", ""),
        "details": [],
    }
    return JSONResponse({"error": error}, 503, {"retry-after": "1", "cache-control": "no-store"})
