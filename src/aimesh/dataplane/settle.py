"""The ticket: what a planned call owns from its first attempt to its one usage record.

1. A ticket settles exactly once, whatever happens: by ``settle``, or by leaving its ``with`` block.
2. Settling never waits: it appends to the journal and returns, so no cancellation can fall between "known"
   and "written".
3. It is settled before the last byte of the answer goes to the caller.
4. What the call holds of its key's limits ends with it, in the same place.
5. Leaving without settling writes what the exception says: the caller gone, a refusal, a failed upstream, a
   fault of ours; leaving in peace without settling is a bug and says ``lost``.
"""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Literal, Protocol

from aimesh.core.clock import Clock
from aimesh.core.errors import CallerFault, Fault, ProviderFault, UpstreamRefused
from aimesh.core.ids import TaskId
from aimesh.core.outcome import Outcome
from aimesh.core.record import AttemptRecord, UsageRecord
from aimesh.core.usage import NO_USAGE, Usage
from aimesh.dataplane.hold import Hold
from aimesh.dataplane.stages import Planned
from aimesh.net.message import AnswerHead
from aimesh.routing.candidate import Candidate
from aimesh.routing.measure import Measures, tokens_per_s
from aimesh.upstream.attempt import Failure
from aimesh.wire.interface import Prepared

UPSTREAM_ID_HEADERS = (b"x-request-id", b"request-id", b"x-ds-request-id")


class RecordSink(Protocol):
    """Where settled records go. Must not raise and must not wait."""

    def append(self, record: UsageRecord) -> None: ...


class Ticket:
    """Owns one planned call. A context manager, used by ``pipeline.py`` only."""

    __slots__ = (
        "_attempt_error",
        "_attempt_started_s",
        "_attempt_status",
        "_attempts",
        "_candidate",
        "_clock",
        "_first_s",
        "_measures",
        "_planned",
        "_sink",
        "bytes_out",
        "hold",
        "is_settled",
        "losses",
        "partial_usage",
        "task_id",
        "upstream_request_id",
    )

    def __init__(
        self,
        planned: Planned,
        sink: RecordSink,
        clock: Clock,
        measures: Measures | None = None,
        hold: Hold | None = None,
    ) -> None:
        """``hold`` is the ticket's from here on; ``measures`` learns how fast the endpoint was."""
        self._planned = planned
        self._sink = sink
        self._clock = clock
        self._measures = measures
        self.hold = hold
        self._attempts: list[AttemptRecord] = []
        self._candidate: Candidate | None = None
        self._attempt_started_s = 0.0
        self._attempt_status = 0
        self._attempt_error = ""
        self._first_s = 0.0
        self.is_settled = False
        self.bytes_out = 0
        """Of the answer's body, before it is framed."""
        self.losses: tuple[str, ...] = ()
        self.upstream_request_id = ""
        self.task_id = TaskId("")
        self.partial_usage: Callable[[], Usage] | None = None
        """What a call that is broken off has used so far; set while a stream is relayed."""

    @property
    def winner(self) -> Candidate:
        """The candidate of the last attempt. A plan is never empty."""
        return self._candidate or self._planned.attempts[0]

    def began(self, candidate: Candidate, prepared: Prepared) -> float:
        """An attempt begins; gives the monotonic time."""
        now_s = self._clock.monotonic_s()
        self._candidate = candidate
        self._attempt_started_s = now_s
        self._attempt_status = 0
        self._attempt_error = ""
        self.losses = prepared.losses
        return now_s

    def failed(self, failure: Failure) -> float:
        """The attempt failed; gives the monotonic time."""
        now_s = self._clock.monotonic_s()
        self._attempt_status = failure.status
        self._attempt_error = failure.words
        self._close_attempt(now_s)
        return now_s

    def answered(self, head: AnswerHead) -> None:
        """The attempt won: its first byte is about to go to the caller."""
        self._first_s = self._clock.monotonic_s()
        self._attempt_status = head.status
        for name in UPSTREAM_ID_HEADERS:
            value = head.headers.get(name)
            if value is not None:
                self.upstream_request_id = value[:128].decode("latin-1")
                break

    def _close_attempt(self, now_s: float) -> None:
        candidate = self._candidate
        if candidate is None or self._attempt_started_s == 0.0:
            return
        started_s = self._planned.arrival.started_s
        self._attempts.append(
            AttemptRecord(
                endpoint=candidate.endpoint.name,
                credential=candidate.credential,
                started_ms=milliseconds(self._attempt_started_s - started_s),
                duration_ms=milliseconds(now_s - self._attempt_started_s),
                status=self._attempt_status,
                error=self._attempt_error,
            )
        )
        self._attempt_started_s = 0.0

    def settle(self, outcome: Outcome, *, status: int, usage: Usage, code: str = "") -> None:
        """Writes the call's one record; later calls do nothing."""
        if self.is_settled:
            return
        self.is_settled = True
        # The relay behind it holds this ticket: without this line the two would wait for the collector.
        self.partial_usage = None
        now_s = self._clock.monotonic_s()
        if outcome is Outcome.OK and len(self._planned.attempts) > 1:
            self._measure(usage, now_s)
        if self._attempts or outcome is not Outcome.OK:
            # A call that went well at once is told whole by the record itself.
            self._close_attempt(now_s)
        self._sink.append(self._record(outcome, status, usage=usage, code=code, now_s=now_s))
        hold = self.hold
        if hold is not None:
            if self.task_id:
                # What a task uses is charged when it has succeeded.
                hold.release()
            else:
                winner = self.winner
                hold.settle(usage, winner.endpoint, winner.credential)

    def _measure(self, usage: Usage, now_s: float) -> None:
        """How fast the endpoint was, where another one could have been chosen."""
        started_s = self._attempt_started_s
        if self._measures is None or not started_s or not self._first_s:
            return
        self._measures.feed(
            self.winner.circuit,
            stream=self._planned.peek.stream,
            now_s=now_s,
            ttfb_s=self._first_s - started_s,
            tokens_per_s=tokens_per_s(usage.output_tokens, now_s - started_s),
        )

    def _record(self, outcome: Outcome, status: int, *, usage: Usage, code: str, now_s: float) -> UsageRecord:
        planned = self._planned
        arrival = planned.arrival
        operation = planned.operation
        key = planned.key
        candidate = self.winner
        endpoint = candidate.endpoint
        started_s = arrival.started_s
        # By position: naming 27 fields costs seven times as much as making the record.
        return UsageRecord(
            arrival.id,
            arrival.at_s,
            key.tenant,
            key.id,
            operation.name,
            operation.interface,
            outcome,
            milliseconds(now_s - started_s),
            key.alias,
            key.labels,
            planned.peek.model,
            planned.model.name,
            endpoint.name,
            endpoint.provider,
            candidate.credential,
            candidate.target.upstream_name,
            planned.peek.stream,
            status,
            code,
            usage,
            tuple(self._attempts),
            milliseconds(self._first_s - started_s) if self._first_s else None,
            self.upstream_request_id,
            len(arrival.request.body),
            self.bytes_out,
            self.losses,
            self.task_id,
            arrival.request.peer,
        )

    def __enter__(self) -> "Ticket":
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> Literal[False]:
        if not self.is_settled:
            outcome, status, code = ending(error)
            usage = self.partial_usage() if self.partial_usage is not None else NO_USAGE
            self.settle(outcome, status=status, usage=usage, code=code)
        return False


def milliseconds(seconds: float) -> float:
    """To the microsecond. ``round`` costs ten times as much."""
    return int(seconds * 1_000_000) / 1000


def ending(error: BaseException | None) -> tuple[Outcome, int, str]:
    """How a call ended that left by an exception: outcome, status towards the caller, code."""
    match error:
        case asyncio.CancelledError():
            return Outcome.CLIENT_GONE, 0, ""
        case UpstreamRefused():
            return Outcome.REFUSED_UPSTREAM, error.status, error.upstream_code
        case ProviderFault():
            return Outcome.UPSTREAM_FAILED, error.status, error.code
        case CallerFault():
            return Outcome.REFUSED, error.status, error.code
        case Fault():
            return Outcome.GATEWAY_ERROR, error.status, error.code
        case None:
            return Outcome.LOST, 0, ""
        case _:
            return Outcome.GATEWAY_ERROR, 500, "GATEWAY_INTERNAL_API_EXCEPTION"
