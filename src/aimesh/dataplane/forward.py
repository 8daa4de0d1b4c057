"""The attempts of a plan and the relay of the winner's answer: the only loop of the walk.

1. Nothing before the loop is run again; each attempt prepares its own request from the caller's bytes.
2. After the first byte went to the caller there is no further attempt.
3. The ticket is settled before the last byte goes out, so a call that a caller saw complete is in the journal.
4. A cut stream ends with an error event of the caller's protocol and never with an end marker.
5. A caller who leaves before the answer leaves the usage of what the upstream had been sent by then.
"""

import zlib
from collections.abc import Callable

from msgspec import Struct, structs

from aimesh.core.clock import Clock
from aimesh.core.errors import (
    AllFailed,
    BrokenStream,
    FailedAttempt,
    ProviderFault,
    UpstreamRateLimited,
    UpstreamRefused,
    UpstreamTimeout,
)
from aimesh.core.outcome import Outcome
from aimesh.core.usage import NO_USAGE, Usage
from aimesh.dataplane import headers, meter
from aimesh.dataplane.settle import Ticket
from aimesh.dataplane.stages import Planned
from aimesh.net.message import Client, ExchangeError, Reply, Timeouts
from aimesh.routing.breaker import Breakers
from aimesh.routing.candidate import Candidate
from aimesh.upstream.attempt import Errand, Failure, Opened, Progress, Whole, attempt
from aimesh.wire.faults import RETRY_AFTER_LIMIT_S
from aimesh.wire.interface import UpstreamError


class Means(Struct, frozen=True):
    """What attempts are made with."""

    client: Client
    breakers: Breakers
    clock: Clock
    streamed: Timeouts
    whole: Timeouts
    on_bad_credential: Callable[[Candidate, Failure], None]
    """Told when a provider does not accept a credential: an administrator must see it."""


async def first_good(planned: Planned, ticket: Ticket, means: Means) -> Whole | Opened:
    """Tries the plan's candidates in order. Raises ``UpstreamRefused`` or what ``all_failed`` makes."""
    interface = planned.interface
    request = planned.arrival.request
    failures: list[tuple[Failure, FailedAttempt]] = []
    for candidate in planned.attempts:
        prepared = interface.prepare(request.body, planned.peek, candidate.target)
        breaker = means.breakers.of(candidate.circuit)
        now_s = ticket.began(candidate, prepared)
        breaker.began(now_s)
        timeouts = means.streamed if prepared.stream else means.whole
        if failures:
            timeouts = _remaining(timeouts, now_s - planned.arrival.started_s)
        head = headers.upstream_head(request, candidate, interface, prepared)
        underway = _Underway(None, None, planned)
        ticket.partial_usage = underway.usage
        errand = Errand(interface, head, prepared, timeouts, underway)
        verdict = await attempt(means.client, candidate, errand, means.clock)
        ticket.partial_usage = None
        if not isinstance(verdict, Failure):
            breaker.succeeded()
            ticket.answered(verdict.head)
            return verdict
        now_s = ticket.failed(verdict)
        if verdict.error is not None and verdict.error.blames_credential:
            means.on_bad_credential(candidate, verdict)
        if verdict.counts_against_provider:
            breaker.failed(now_s, verdict.retry_after_s)
        else:
            breaker.succeeded()
        if verdict.error is not None and verdict.error.blames_caller:
            raise _refusal(verdict.error, tuple(line for _, line in failures))
        failures.append((verdict, _history(candidate, verdict)))
        if not verdict.may_go_on:
            break
    raise all_failed(failures, once=interface.once)


class _Underway(Progress):
    """An attempt that the caller may still walk away from."""

    planned: Planned | None = None

    def usage(self) -> Usage:
        planned = self.planned
        if planned is None or self.exchange is None or not self.exchange.was_sent:
            return NO_USAGE
        if self.tap is None:
            return meter.of_request(planned)
        return meter.of_stream(planned, self.tap)


def _remaining(timeouts: Timeouts, spent_s: float) -> Timeouts:
    """``whole_s`` is for all attempts of a call together."""
    left_s = max(timeouts.whole_s - spent_s, 0.001)
    return structs.replace(timeouts, whole_s=left_s)


def _history(candidate: Candidate, failure: Failure) -> FailedAttempt:
    endpoint = candidate.endpoint
    return FailedAttempt(
        endpoint_id=endpoint.name,
        slug_name=f"{endpoint.provider}/{candidate.target.upstream_name}",
        base_url=endpoint.base_url,
        api_key_alias=candidate.name,
        provider=endpoint.provider,
        model=candidate.target.upstream_name,
        status=failure.status,
        body=failure.body,
        error=failure.words,
    )


def _refusal(error: UpstreamError, history: tuple[FailedAttempt, ...] = ()) -> UpstreamRefused:
    """``history``: what failed before the upstream that refused."""
    fault = UpstreamRefused(
        error.message,
        status=error.status,
        upstream_code=error.code,
        kind=error.kind,
        param=error.param,
    )
    fault.history = history
    return fault


def fault_of(failure: Failure, candidate: Candidate) -> ProviderFault:
    """The fault of a call that had one candidate."""
    if failure.error is not None and failure.error.blames_caller:
        return _refusal(failure.error)
    return all_failed([(failure, _history(candidate, failure))], once=False)


def all_failed(failures: list[tuple[Failure, FailedAttempt]], *, once: bool) -> ProviderFault:
    """The fault that a caller sees when no attempt succeeded."""
    history = tuple(line for _, line in failures)
    verdicts = [failure for failure, _ in failures]
    if all(failure.is_rate_limit for failure in verdicts):
        return _rate_limited(verdicts, history)
    words = "; ".join(f"{line.endpoint_id}: {line.error}" for line in history)
    if all(failure.is_timeout for failure in verdicts):
        fault: ProviderFault = UpstreamTimeout(f"No endpoint answered in time ({words})", history=history)
    else:
        fault = AllFailed(f"All upstream endpoints failed ({words})", history=history)
    if once and not verdicts[-1].may_go_on:
        # The upstream may have accepted it: another try may cost twice.
        fault.should_retry = False
    return fault


def _rate_limited(verdicts: list[Failure], history: tuple[FailedAttempt, ...]) -> UpstreamRateLimited:
    waits = [failure.retry_after_s for failure in verdicts if failure.retry_after_s is not None]
    shortest = min(waits) if waits else None
    if shortest is not None and shortest > RETRY_AFTER_LIMIT_S:
        # Some SDKs sleep for whatever they are told.
        return UpstreamRateLimited(
            f"Every endpoint is rate limited, the first for another {shortest:.0f} s",
            history=history,
            retry_after_s=None,
            should_retry=False,
        )
    return UpstreamRateLimited(
        "Every endpoint is rate limited",
        history=history,
        retry_after_s=None if shortest is None else max(1, -int(-shortest // 1)),
        should_retry=True,
    )


def send_whole(planned: Planned, ticket: Ticket, whole: Whole) -> None:
    """Settles and sends a whole answer."""
    reply = planned.arrival.reply
    ticket.bytes_out = len(whole.body)
    ticket.settle(Outcome.OK, status=whole.head.status, usage=meter.of_answer(planned, whole.answer))
    reply.send(whole.head.status, headers.whole_answer(planned, ticket, whole), whole.body)


async def send_stream(planned: Planned, ticket: Ticket, opened: Opened) -> None:
    """Relays an opened stream to its end."""
    relay = _Relay(planned, ticket, opened)
    reply = planned.arrival.reply
    reply.open(opened.head.status, headers.stream_answer(planned, ticket, opened.head))
    reply.on_writable = opened.exchange.resume
    ticket.partial_usage = relay.usage
    try:
        relay.begin()
        if not relay.is_over:
            await opened.exchange.pipe(relay)
        relay.end()
    except ExchangeError as error:
        opened.exchange.cancel()
        relay.cut(str(error))
    except BaseException:
        opened.exchange.cancel()
        raise
    finally:
        relay.stop_upstream = None


class _Relay:
    """The sink between an upstream stream and the caller: called from the socket for every piece."""

    __slots__ = ("_planned", "_prefix", "_reply", "_tap", "_ticket", "_unpack", "is_over", "stop_upstream")

    def __init__(self, planned: Planned, ticket: Ticket, opened: Opened) -> None:
        self._planned = planned
        self._ticket = ticket
        self._tap = opened.tap
        self._reply: Reply = planned.arrival.reply
        self._unpack = opened.unpack
        self._prefix = opened.held
        self.is_over = False
        self.stop_upstream: Callable[[], None] | None = opened.exchange.cancel
        """Taken away when the relay ends: the exchange may still hold its sink."""

    def begin(self) -> None:
        """The frames that decided the attempt; they may already hold the end."""
        ready, self._prefix = self._prefix, b""
        self._pass(ready)

    def feed(self, data: bytes) -> bool:
        if self.is_over:
            return True
        if self._unpack is not None:
            try:
                data = self._unpack.feed(data)
            except zlib.error:
                self.broken("compressed stream is broken")
                return True
        ready = self._tap.feed(data)
        tap = self._tap
        if tap.ended or tap.error is not None:
            self._pass(ready)
        elif ready:
            self._ticket.bytes_out += len(ready)
            self._reply.write(ready)
        return self._reply.is_writable or self.is_over

    def _pass(self, ready: bytes) -> None:
        tap = self._tap
        if tap.error is not None:
            # The upstream's own error event, in the caller's protocol: handed on as it is.
            self._finish(Outcome.BROKEN_STREAM, ready)
            return
        self._ticket.bytes_out += len(ready)
        if tap.ended:
            # Settled now, closed when the upstream's bytes end: some send more after the end.
            self._ticket.settle(Outcome.OK, status=200, usage=self.usage())
        if ready:
            self._reply.write(ready)

    def end(self) -> None:
        """The upstream's bytes ended properly."""
        if self.is_over:
            return
        rest = self._tap.close()
        if self._tap.error is not None:
            self.broken(self._tap.error.message, rest)
        else:
            self._finish(Outcome.OK, rest)

    def cut(self, why: str) -> None:
        """The upstream's connection failed, which is the end if the answer was complete but for its end marker."""
        if self.is_over:
            return
        rest = self._tap.close()
        if self._tap.ended:
            self._finish(Outcome.OK, rest)
        else:
            self.broken(why, rest)

    def broken(self, why: str, rest: bytes = b"") -> None:
        """The stream broke off: an error event, then the proper end of the body, never an end marker."""
        if self.is_over:
            return
        if self._tap.ended:
            # Nothing that the caller waits for is missing.
            self._finish(Outcome.OK, rest)
            return
        fault = BrokenStream(f"The upstream broke off: {why}")
        event = self._planned.interface.encode_stream_fault(fault, self._planned.arrival.id, self._tap)
        self._finish(Outcome.BROKEN_STREAM, rest + event)

    def _finish(self, outcome: Outcome, last: bytes) -> None:
        self.is_over = True
        self._ticket.bytes_out += len(last)
        self._ticket.settle(outcome, status=200, usage=self.usage())
        if last:
            self._reply.write(last)
        self._reply.close()
        if outcome is Outcome.BROKEN_STREAM and self.stop_upstream is not None:
            # Nobody listens any more. Last, because it may resume the walk.
            self.stop_upstream()

    def usage(self) -> Usage:
        return meter.of_stream(self._planned, self._tap)
