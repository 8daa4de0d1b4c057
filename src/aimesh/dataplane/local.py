"""What a worker answers itself outside ``/gateway/``: health, and a word to a lost client (a browser gets the console).

``/healthz`` says that the process lives, ``/readyz`` that it wants calls (not while it drains). ``/metrics`` is served
only where the operator asked for it: on the admin addresses. All else is the control process's, where there is one.
"""

from collections.abc import Callable

import msgspec

from aimesh.net.message import Handler, Reply, Request
from aimesh.telemetry.metrics import CONTENT_TYPE

_JSON = b"content-type: application/json\r\n"


class LocalPages:
    __slots__ = ("_has_others", "_is_ready", "_metrics", "_others", "_version")

    def __init__(
        self,
        version: str,
        is_ready: Callable[[], bool],
        *,
        metrics: Callable[[], bytes] | None = None,
        others: Handler | None = None,
    ) -> None:
        """``others`` answers what is not known here."""
        self._version = version
        self._is_ready = is_ready
        self._metrics = metrics
        self._has_others = others is not None
        self._others = others if others is not None else self._answer_lost

    def answer(self, request: Request, reply: Reply) -> None:
        if request.method not in (b"GET", b"HEAD"):
            self._others(request, reply)
        elif request.path == b"/healthz":
            self._send(reply, 200, {"status": "ok", "version": self._version})
        elif request.path == b"/readyz":
            ready = self._is_ready()
            self._send(reply, 200 if ready else 503, {"status": "ready" if ready else "draining"})
        elif request.path == b"/metrics" and self._metrics is not None:
            reply.send(200, b"content-type: %b\r\n" % CONTENT_TYPE, self._metrics())
        elif request.path == b"/" and not self._is_for_console(request):
            self._send(
                reply,
                200,
                {
                    "name": "aimesh",
                    "version": self._version,
                    "openai_base_url": "/gateway/v1",
                    "anthropic_base_url": "/gateway",
                    "ark_base_url": "/gateway/api/v3",
                    "dashscope_base_url": "/gateway/api/v1",
                    "models": "/gateway/v1/models",
                },
            )
        else:
            self._others(request, reply)

    def _is_for_console(self, request: Request) -> bool:
        return self._has_others and b"text/html" in request.headers.get(b"accept", b"")

    def _answer_lost(self, request: Request, reply: Reply) -> None:
        shown = request.path[:200].decode("ascii", errors="replace")
        error = {
            "code": "GATEWAY_MISSING_ACTUAL_PATH",
            "message": f"nothing is served at {shown}; models are called below /gateway/",
            "source": "gateway",
        }
        self._send(reply, 404, {"error": error})

    @staticmethod
    def _send(reply: Reply, status: int, body: object) -> None:
        reply.send(status, _JSON, msgspec.json.encode(body))
