"""The one file between ``net`` and the pipeline: bytes in, ``Arrival`` out; faults in, error bodies out.

1. Every request gets exactly one answer, in the shape that its path's SDKs parse.
2. This is the one place of the data plane that catches what it does not know: an unknown exception becomes a 500
   with a request id, its details go to the log and never to the caller.
3. A caller who hangs up cancels its walk, which closes the upstream connection at once.
"""

from collections.abc import Callable
from typing import Protocol

from aimesh.core.clock import Clock
from aimesh.core.errors import Draining, Fault, Internal
from aimesh.core.ids import RequestIds
from aimesh.dataplane import headers
from aimesh.dataplane.operations import family_of
from aimesh.dataplane.pipeline import Pipeline
from aimesh.dataplane.snapshot import Snapshot
from aimesh.dataplane.stages import Arrival
from aimesh.net.message import Reply, Request
from aimesh.net.walk import Walk
from aimesh.wire.faults import encode_fault


class Observer(Protocol):
    """Told of what leaves no record: refusals before planning, and our own bugs."""

    def refused(self, request: Request, fault: Fault, request_id: str) -> None: ...

    def crashed(self, request: Request, error: BaseException, request_id: str) -> None: ...


Local = Callable[[Request, Reply], None]
"""Answers a path outside ``/gateway/``."""


class Edge:
    """The handler of a data-plane worker."""

    __slots__ = (
        "_clock",
        "_ids",
        "_local",
        "_observer",
        "_pipeline",
        "in_flight",
        "is_draining",
        "snapshot",
    )

    def __init__(
        self,
        pipeline: Pipeline,
        snapshot: Snapshot,
        *,
        clock: Clock,
        ids: RequestIds,
        local: Local,
        observer: Observer,
    ) -> None:
        self._pipeline = pipeline
        self.snapshot = snapshot
        """Swapped whole by ``app.py``; a call keeps the one it began with."""
        self._clock = clock
        self._ids = ids
        self._local = local
        self._observer = observer
        self.in_flight = 0
        """Calls that were begun and have not ended."""
        self.is_draining = False

    def handle(self, request: Request, reply: Reply) -> None:
        """One complete request. Never raises."""
        path = request.path
        if not path.startswith(b"/gateway"):
            self._local(request, reply)
            return
        at_s = self._clock.wall_s()
        arrival = Arrival(
            request, reply, self._ids.make(at_s), at_s, self._clock.monotonic_s(), self.snapshot
        )
        if self.is_draining:
            self._refuse(arrival, Draining("This worker is shutting down; try again"))
            return
        walk = Walk(self._answered(arrival), self._ignore)
        self.in_flight += 1
        reply.on_gone = walk.cancel
        walk.start()

    def check_head(self, request: Request) -> tuple[int, bytes, bytes] | None:
        """Refuses a request with a large body before the body is read: status, headers, body; None lets it in."""
        if not request.path.startswith(b"/gateway"):
            return None
        at_s = self._clock.wall_s()
        request_id = self._ids.make(at_s)
        try:
            self._pipeline.check_head(request, self.snapshot, at_s)
        except Fault as fault:
            self._observer.refused(request, fault, request_id)
            return fault.status, headers.fault_answer(fault, request_id), _body(request, fault, request_id)
        return None

    async def _answered(self, arrival: Arrival) -> None:
        """The pipeline, with every way out of it turned into an answer."""
        reply = arrival.reply
        try:
            await self._pipeline.run(arrival)
        except Fault as fault:
            self._refuse(arrival, fault)
        except Exception as error:  # noqa: BLE001 - rule 2
            self._observer.crashed(arrival.request, error, arrival.id)
            self._refuse(arrival, Internal("Unexpected error in the gateway"))
        finally:
            reply.on_gone = None
            reply.on_writable = None
            self.in_flight -= 1

    def _refuse(self, arrival: Arrival, fault: Fault) -> None:
        reply = arrival.reply
        request = arrival.request
        if reply.is_open:
            # The status is out: breaking the connection is the only honest sign left.
            reply.abort()
            return
        self._observer.refused(request, fault, arrival.id)
        body = _body(request, fault, arrival.id)
        reply.send(fault.status, headers.fault_answer(fault, arrival.id), body)

    @staticmethod
    def _ignore(_error: BaseException) -> None:
        """``_answered`` lets nothing but cancellation out, and that is not an error."""


def _body(request: Request, fault: Fault, request_id: str) -> bytes:
    return encode_fault(
        family_of(request.path, request.headers),
        fault,
        request_id=request_id,
        path=request.path.decode("ascii", errors="replace"),
    )
