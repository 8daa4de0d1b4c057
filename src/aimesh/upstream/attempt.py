"""One attempt: one candidate, once. Gives a judged whole answer, an opened stream, or a failure. Never raises for
what an upstream does.

1. A stream counts as opened only when a meaningful frame was seen, so the caller's status can still follow a
   failure that came as ``200`` and then an error.
2. A whole answer is read to its end and judged before a byte goes to the caller.
3. ``Failure.may_go_on`` decides failover. For calls that must not be made twice it is true only when the
   upstream certainly did not accept the request.
4. Cancelling the walk closes the upstream connection at once.
"""

import math
import zlib
from email.utils import parsedate_to_datetime
from typing import Protocol

import msgspec
from msgspec import Struct, structs

from aimesh.core.clock import Clock
from aimesh.core.secret import Secret
from aimesh.net.message import (
    AnswerHead,
    BadAnswer,
    Client,
    ConnectFailed,
    Exchange,
    ExchangeError,
    TimedOut,
    Timeouts,
)
from aimesh.routing.candidate import Candidate
from aimesh.wire.interface import Answer, Prepared, Tap, UpstreamError

ANSWER_LIMIT_BYTES = 128 * 1024 * 1024
"""Whole answers above this are refused: pictures and vectors stay far below."""
ERROR_LIMIT_BYTES = 1024 * 1024
HELD_LIMIT_BYTES = 4 * 1024 * 1024
"""Bytes of a stream held back while no meaningful frame was seen."""
UNPACKED_PIECE_BYTES = 16 * 1024 * 1024
HIGHEST_RATIO = 200
"""Above ``UNPACKED_PIECE_BYTES`` a compressed answer may not grow by more."""
SHOWN_BODY_BYTES = 2048


class Judge(Protocol):
    """The part of an interface that an attempt needs."""

    @property
    def once(self) -> bool: ...

    def read_answer(self, body: bytes, prepared: Prepared, /) -> Answer: ...

    def read_error(self, status: int, body: bytes) -> UpstreamError: ...

    def open_tap(self, prepared: Prepared) -> Tap: ...


class Progress(Struct):
    """How far an attempt came, for whoever ends it from outside. Filled on the way."""

    exchange: Exchange | None = None
    tap: Tap | None = None
    """Of an answer that streams; it may not have started yet."""


class Errand(Struct, frozen=True):
    """What one attempt is to do."""

    judge: Judge
    head: bytes
    """Request line and header lines, each ending in CRLF."""
    prepared: Prepared
    timeouts: Timeouts
    progress: Progress | None = None
    """Told on the way."""


class Whole(Struct, frozen=True):
    """A good whole answer."""

    answer: Answer
    head: AnswerHead
    body: bytes
    """What goes to the caller, still compressed if ``encoding`` says so."""
    encoding: bytes


class Opened(Struct, frozen=True):
    """A stream whose first meaningful frame is here."""

    exchange: Exchange
    head: AnswerHead
    tap: Tap
    held: bytes
    """Frames the caller may have now."""
    unpack: "Unpacker | None"


class Failure(Struct, frozen=True):
    status: int
    """HTTP status of the upstream; 0 when there was no answer."""
    words: str
    body: str
    """The upstream's error text, cut and scrubbed."""
    may_go_on: bool
    error: UpstreamError | None = None
    retry_after_s: float | None = None
    is_timeout: bool = False
    is_rate_limit: bool = False

    @property
    def counts_against_provider(self) -> bool:
        """False when the request itself was at fault."""
        return self.error is None or not self.error.blames_caller


class Unpacker:
    """Decompresses a stream piece by piece. Upstreams are asked for identity; some compress all the same."""

    __slots__ = ("_inflate",)

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(wbits=47)  # gzip or zlib, by its header

    def feed(self, data: bytes) -> bytes:
        """Raises ``zlib.error`` for broken data and for a piece that swells beyond the limit."""
        plain = self._inflate.decompress(data, UNPACKED_PIECE_BYTES)
        if self._inflate.unconsumed_tail:
            raise zlib.error("piece of a compressed stream is too large")
        return plain


async def attempt(
    client: Client, candidate: Candidate, errand: Errand, clock: Clock
) -> Whole | Opened | Failure:
    """Sends one request and waits for its verdict."""
    judge, prepared, timeouts = errand.judge, errand.prepared, errand.timeouts
    exchange = client.send(candidate.origin, errand.head, prepared.body, timeouts=timeouts, fresh=judge.once)
    if errand.progress is not None:
        errand.progress.exchange = exchange
    try:
        if prepared.stream:
            until_s = clock.monotonic_s() + timeouts.first_byte_s
            head = await exchange.head()
            if 200 <= head.status < 300 and _is_event_stream(head):
                opened = await _open(exchange, head, errand=errand, clock=clock, until_s=until_s)
                return opened if isinstance(opened, Opened) else _scrubbed(opened, candidate.head)
        else:
            head = await exchange.head()
        if not 200 <= head.status < 300:
            body = await exchange.body(ERROR_LIMIT_BYTES)
            return refused(head, body, judge=judge, secret=candidate.head)
        body = await exchange.body(ANSWER_LIMIT_BYTES)
    except ExchangeError as error:
        exchange.cancel()
        return failed(error, once=judge.once)
    except BaseException:
        exchange.cancel()
        raise
    verdict = _judge(head, body, judge=judge, prepared=prepared)
    return verdict if isinstance(verdict, Whole) else _scrubbed(verdict, candidate.head)


async def _open(
    exchange: Exchange, head: AnswerHead, *, errand: Errand, clock: Clock, until_s: float
) -> Opened | Failure:
    """Reads a stream up to its first meaningful frame, which must come before ``until_s``: an upstream that only
    sends pings is as slow as a silent one."""
    may_go_on = not errand.judge.once
    tap = errand.judge.open_tap(errand.prepared)
    if errand.progress is not None:
        errand.progress.tap = tap
    unpack = Unpacker() if head.headers.get(b"content-encoding", b"identity") != b"identity" else None
    held = b""
    while not tap.started:
        data = await exchange.piece()
        words = ""
        try:
            plain = unpack.feed(data) if unpack is not None and data else data
            held += tap.feed(plain) if data else tap.close()
        except zlib.error:
            words = "compressed stream is broken"
        if tap.error is not None:
            exchange.cancel()
            return _error_in_200(tap.error, errand.judge)
        if tap.started:
            break
        if not data:
            words = "empty stream"
        elif len(held) > HELD_LIMIT_BYTES:
            words = "no meaningful frame"
        elif clock.monotonic_s() > until_s:
            words = f"no answer: first token timeout after {errand.timeouts.first_byte_s:g} s"
        if words:
            exchange.cancel()
            return Failure(
                status=head.status, words=words, body="", may_go_on=may_go_on, is_timeout="timeout" in words
            )
    return Opened(exchange, head, tap, held, unpack)


def _judge(head: AnswerHead, body: bytes, *, judge: Judge, prepared: Prepared) -> Whole | Failure:
    encoding = head.headers.get(b"content-encoding", b"")
    try:
        plain = unpacked(body, encoding)
    except zlib.error:
        return Failure(
            status=head.status, words="compressed answer is broken", body="", may_go_on=not judge.once
        )
    if prepared.stream:
        # A stream was asked for and something else came. SDKs read that as an empty answer, so it is a failure.
        error = judge.read_error(502, plain)
        return Failure(
            status=head.status,
            words=f"answered a streamed call with {_content_type(head)}",
            body=_shown(plain),
            may_go_on=not judge.once,
            error=error if error.code else None,
        )
    answer = judge.read_answer(plain, prepared)
    if answer.error is not None:
        return _error_in_200(answer.error, judge, _shown(plain))
    # The bytes are the upstream's own unless the wire had to change them.
    is_same = answer.body is plain
    if is_same:
        return Whole(answer, head, body, encoding)
    return Whole(answer, head, answer.body, b"")


def unpacked(body: bytes, encoding: bytes) -> bytes:
    """The body without its content coding; raises ``zlib.error`` when it is broken, or a bomb: JSON and its base64
    never shrink to a two-hundredth, and unpacking holds up every other call."""
    if not encoding or encoding == b"identity":
        return body
    limit = min(ANSWER_LIMIT_BYTES, max(UNPACKED_PIECE_BYTES, len(body) * HIGHEST_RATIO))
    inflate = zlib.decompressobj(wbits=47)
    plain = inflate.decompress(body, limit)
    if inflate.unconsumed_tail or not inflate.eof:
        raise zlib.error("incomplete or too large")
    return plain


def refused(head: AnswerHead, body: bytes, *, judge: Judge, secret: Secret[bytes]) -> Failure:
    """A non-2xx answer, classified."""
    try:
        plain = unpacked(body, head.headers.get(b"content-encoding", b""))
    except zlib.error:
        plain = b""
    error = judge.read_error(head.status, plain)
    status = head.status
    surely_not_accepted = 400 <= status < 500 or status == 503
    return Failure(
        status=status,
        words=f"HTTP {status}",
        body=_cut(scrub(_shown(plain), secret)),
        may_go_on=not error.blames_caller and (not judge.once or surely_not_accepted),
        error=_scrubbed_error(error, secret),
        retry_after_s=retry_after_s(head),
        is_rate_limit=status == 429,
        is_timeout=status in (408, 504),
    )


def failed(error: ExchangeError, *, once: bool) -> Failure:
    """A fault below HTTP, classified. The text of the operating system stays here."""
    match error:
        case TimedOut():
            words = f"no answer: {error}"
        case ConnectFailed():
            words = f"connect failed: {error}"
        case BadAnswer():
            words = f"bad answer: {error}"
        case _:
            words = f"connection lost: {error}"
    return Failure(
        status=0,
        words=words,
        body="",
        may_go_on=not once or not error.was_sent,
        is_timeout=isinstance(error, TimedOut),
    )


def _error_in_200(error: UpstreamError, judge: Judge, body: str = "") -> Failure:
    return Failure(
        status=error.status,
        words=f"failed after HTTP 200: {error.code or 'bad answer'}",
        body=body or error.message,
        may_go_on=not error.blames_caller and not judge.once,
        error=error,
        is_rate_limit=error.status == 429,
    )


def _scrubbed(verdict: Whole | Failure, secret: Secret[bytes]) -> Whole | Failure:
    if isinstance(verdict, Whole):
        return verdict
    error = None if verdict.error is None else _scrubbed_error(verdict.error, secret)
    # The words may hold what an upstream calls its error, or its content.
    words = scrub(verdict.words, secret)
    return structs.replace(verdict, words=words, body=_cut(scrub(verdict.body, secret)), error=error)


def _scrubbed_error(error: UpstreamError, secret: Secret[bytes]) -> UpstreamError:
    """Word for word, but for a credential: these words may go to the caller as they are."""
    return structs.replace(
        error,
        code=scrub(error.code, secret),
        message=scrub(error.message, secret),
        kind=scrub(error.kind, secret),
        param=None if error.param is None else scrub(error.param, secret),
    )


def scrub(text: str, head: Secret[bytes]) -> str:
    """Some upstreams repeat the credential in their error text; it must not reach the caller."""
    for line in head.reveal().split(b"\r\n"):
        name, _, value = line.partition(b": ")
        if name.lower() in (b"authorization", b"x-api-key"):
            secret = value.rpartition(b" ")[2].decode("latin-1")
            if secret:
                text = text.replace(secret, "****")
                # As JSON may have it, where the text is a body that was not read.
                escaped = msgspec.json.encode(secret).decode()[1:-1]
                text = text.replace(escaped, "****").replace(escaped.replace("/", "\\/"), "****")
    return text


def retry_after_s(head: AnswerHead) -> float | None:
    """Seconds the upstream asks to wait; a date is measured against its own ``Date`` header."""
    value = head.headers.get(b"retry-after")
    if value is None:
        return None
    text = value.decode("latin-1").strip()
    try:
        seconds = float(text)
        return max(0.0, seconds) if math.isfinite(seconds) else None
    except ValueError:
        pass
    try:
        until = parsedate_to_datetime(text)
        now = parsedate_to_datetime(head.headers.get(b"date", b"").decode("latin-1"))
        return max(0.0, (until - now).total_seconds())
    except (ValueError, TypeError):
        return None


def _is_event_stream(head: AnswerHead) -> bool:
    return head.headers.get(b"content-type", b"").startswith(b"text/event-stream")


def _content_type(head: AnswerHead) -> str:
    return head.headers.get(b"content-type", b"no content type").decode("latin-1")[:60]


def _shown(body: bytes) -> str:
    """More than is shown in the end: a credential must not be cut in two before it is looked for."""
    return body[: 2 * SHOWN_BODY_BYTES].decode("utf-8", errors="replace")


def _cut(text: str) -> str:
    return text.encode("utf-8", "replace")[:SHOWN_BODY_BYTES].decode("utf-8", "ignore")
