"""Puts an answer on the wire, whole or in frames, as the faults ask.

1. Without faults a whole answer is one ``send``; a stream is written frame by frame, as fast as it is read.
2. A breaking fault is a change of the frames and of the ending: closed, stalled, cut or reset.
3. ``Entry`` learns when the answer ended, or that the peer left before.
"""

import asyncio
import hashlib
import zlib
from collections.abc import Callable, Iterator
from enum import Enum, auto
from itertools import chain, islice

from aimesh.core.clock import Clock
from aimesh.net.message import Reply
from aimesh.net.reply import InboundReply
from aimesh.simulator.answers import Answer, Stream, Whole
from aimesh.simulator.faults import Fault, Kind, Plan
from aimesh.simulator.record import Entry, Recorder

_FRAMES_PER_TURN = 256
"""Frames written before others get their turn."""
_DRIP_PAUSE_S = 0.001
_MALFORMED = b'data: {"id":"simulated","choices":[{"index":0,"del\n\n'
_PAGE = b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body>[simulated]</body></html>\n"


class Ending(Enum):
    CLOSE = auto()
    """Properly, as HTTP wants."""
    STALL = auto()
    CUT = auto()
    """The connection closes in the middle of the message."""
    RESET = auto()


class Delivery:
    """One answer on its way out."""

    __slots__ = ("_clock", "_entry", "_headers", "_loop", "_recorder", "_reply")

    def __init__(
        self, reply: Reply, entry: Entry, *, recorder: Recorder, clock: Clock, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._reply = reply
        self._entry = entry
        self._recorder = recorder
        self._clock = clock
        self._loop = loop
        self._headers = b""

    def start(self, answer: Answer, headers: bytes, plan: Plan | None, chunk_delay_s: float) -> None:
        self._headers = headers
        if plan is None:
            if isinstance(answer, Whole):
                self._send(answer)
            else:
                self._recorder.open_answers += 1
                self._reply.on_gone = self._gone
                self._stream(answer, answer.frames, Ending.CLOSE, chunk_delay_s)
            return
        self._recorder.open_answers += 1
        self._reply.on_gone = self._gone
        if plan.delay_s:
            self._loop.call_later(plan.delay_s, self._go, answer, plan, chunk_delay_s)
        else:
            self._go(answer, plan, chunk_delay_s)

    def _send(self, answer: Whole) -> None:
        entry = self._entry
        entry.status = answer.status
        entry.ended_s = entry.at_s
        self._reply.send(answer.status, self._head(answer), answer.body)

    def _head(self, answer: Answer, extra: bytes = b"") -> bytes:
        given = answer.headers if isinstance(answer, Whole) else b""
        return b"content-type: %b\r\n%b%b%b" % (answer.content_type, self._headers, given, extra)

    def _go(self, answer: Answer, plan: Plan, chunk_delay_s: float) -> None:
        if self._reply.is_gone:
            return
        if plan.chunk_delay_s is not None:
            chunk_delay_s = plan.chunk_delay_s
        fault = plan.breaking
        if fault is not None and fault.kind is Kind.WRONG_CONTENT_TYPE:
            answer = Whole(_PAGE, content_type=b"text/html; charset=utf-8")
            fault = None
        extra = b"content-encoding: gzip\r\n" if plan.gzip else b""
        if plan.hashed:
            self._entry.sent = hashlib.sha256()
        if isinstance(answer, Whole):
            if self._entry.sent is not None:
                self._entry.sent.update(answer.body)
            body = zlib.compress(answer.body, wbits=31) if plan.gzip else answer.body
            if fault is not None:
                self._break_whole(answer, body, extra, fault)
            elif plan.drip_bytes:
                pieces = _dripped(iter((body,)), plan.drip_bytes)
                self._stream(answer, pieces, Ending.CLOSE, chunk_delay_s or _DRIP_PAUSE_S, extra)
            else:
                self._entry.status = answer.status
                self._reply.send(answer.status, self._head(answer, extra), body)
                self._ended()
            return
        frames, ending = (answer.frames, Ending.CLOSE) if fault is None else _broken(answer, fault)
        if fault is not None and fault.kind is Kind.WRONG_CONTENT_LENGTH:
            self._raw(answer, b"".join(frames), extra, int(fault.n or 100), reset=False)
            return
        if self._entry.sent is not None:
            frames = _hashed(frames, self._entry.sent)
        if plan.gzip:
            frames = _packed(frames)
        if plan.drip_bytes:
            frames = _dripped(frames, plan.drip_bytes)
            chunk_delay_s = chunk_delay_s or _DRIP_PAUSE_S
        if fault is not None and fault.kind is Kind.RESET_BEFORE_FIRST_BYTE:
            self._break_off(reset=True)
        else:
            self._stream(answer, frames, ending, chunk_delay_s, extra)

    def _break_whole(self, answer: Whole, body: bytes, extra: bytes, fault: Fault) -> None:
        count = int(fault.n or 0)
        quarters = body[: len(body) * min(count, 3) // 4]
        match fault.kind:
            case Kind.RESET_BEFORE_FIRST_BYTE:
                self._break_off(reset=True)
            case Kind.WRONG_CONTENT_LENGTH:
                self._raw(answer, body, extra, int(fault.n or 100), reset=False)
            case Kind.RESET_AFTER_BYTES:
                self._raw(answer, body[:count], extra, len(body) - len(body[:count]), reset=True)
            case Kind.RESET_AFTER_CHUNKS:
                self._raw(answer, quarters, extra, len(body) - len(quarters), reset=True)
            case Kind.CUT_AFTER_CHUNKS:
                self._raw(answer, quarters, extra, len(body) - len(quarters), reset=False)
            case Kind.HEAD_THEN_SILENCE:
                self._stream(answer, iter(()), Ending.STALL, 0.0, extra)
            case Kind.STALL_AFTER_CHUNKS:
                self._stream(answer, iter((quarters,)), Ending.STALL, 0.0, extra)
            case Kind.EMPTY_200:
                self._finish_whole(answer, b"", extra)
            case Kind.HALF_JSON | Kind.MALFORMED_EVENT_FIRST | Kind.MALFORMED_CHUNK_AFTER:
                self._finish_whole(answer, body[: len(body) // 2], extra)
            case _:
                self._finish_whole(answer, body, extra)

    def _finish_whole(self, answer: Whole, body: bytes, extra: bytes) -> None:
        self._entry.status = answer.status
        self._reply.send(answer.status, self._head(answer, extra), body)
        self._ended()

    def _stream(
        self, answer: Answer, frames: Iterator[bytes], ending: Ending, delay_s: float, extra: bytes = b""
    ) -> None:
        self._entry.status = answer.status if isinstance(answer, Whole) else 200
        self._reply.open(self._entry.status, self._head(answer, extra))
        _Pump(self._reply, frames, lambda: self._end(ending), delay_s=delay_s, loop=self._loop).run()

    def _end(self, ending: Ending) -> None:
        match ending:
            case Ending.CLOSE:
                self._reply.close()
                self._ended()
            case Ending.STALL:
                # Nothing more, ever; the peer's leaving is recorded.
                pass
            case Ending.CUT:
                self._break_off(reset=False)
            case Ending.RESET:
                self._break_off(reset=True)

    def _raw(self, answer: Answer, body: bytes, extra: bytes, more: int, *, reset: bool) -> None:
        """A message whose Content-Length promises ``more`` bytes than come."""
        self._entry.status = answer.status if isinstance(answer, Whole) else 200
        head = b"HTTP/1.1 %d Simulated\r\n%bcontent-length: %d\r\n\r\n" % (
            self._entry.status,
            self._head(answer, extra),
            max(0, len(body) + more),
        )
        self._break_off(head + body, reset=reset)

    def _break_off(self, data: bytes = b"", *, reset: bool) -> None:
        self._ended()
        if isinstance(self._reply, InboundReply):
            self._reply.break_off(data, reset=reset)
        else:
            self._reply.abort()

    def _ended(self) -> None:
        self._recorder.open_answers -= 1
        self._entry.ended_s = self._clock.wall_s()

    def _gone(self) -> None:
        self._recorder.open_answers -= 1
        self._recorder.peers_gone += 1
        self._entry.gone_s = self._clock.wall_s()


class _Pump:
    """Writes frames while the peer reads them, ``delay_s`` apart."""

    __slots__ = ("_delay_s", "_end", "_frames", "_is_scheduled", "_loop", "_reply")

    def __init__(
        self,
        reply: Reply,
        frames: Iterator[bytes],
        end: Callable[[], None],
        *,
        delay_s: float,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._reply = reply
        self._frames = frames
        self._end = end
        self._delay_s = delay_s
        self._loop = loop
        self._is_scheduled = False
        reply.on_writable = self._on_writable

    def _on_writable(self) -> None:
        if not self._is_scheduled:
            self.run()

    def _turn(self) -> None:
        self._is_scheduled = False
        self.run()

    def run(self) -> None:
        reply, frames = self._reply, self._frames
        for _ in range(_FRAMES_PER_TURN):
            if not reply.is_writable or reply.is_gone:
                return
            frame = next(frames, None)
            if frame is None:
                self._end()
                return
            reply.write(frame)
            if self._delay_s:
                self._is_scheduled = True
                self._loop.call_later(self._delay_s, self._turn)
                return
        self._is_scheduled = True
        self._loop.call_soon(self._turn)


def _broken(answer: Stream, fault: Fault) -> tuple[Iterator[bytes], Ending]:
    """The frames and the ending that a breaking fault makes of a stream."""
    frames = answer.frames
    count = int(fault.n or 0)
    match fault.kind:
        case Kind.RESET_AFTER_BYTES:
            return _first_bytes(frames, count), Ending.RESET
        case Kind.RESET_AFTER_CHUNKS:
            return islice(frames, count), Ending.RESET
        case Kind.HEAD_THEN_SILENCE:
            return iter(()), Ending.STALL
        case Kind.STALL_AFTER_CHUNKS:
            return islice(frames, count), Ending.STALL
        case Kind.CUT_AFTER_CHUNKS:
            return islice(frames, count), Ending.CUT if fault.end == "close" else Ending.CLOSE
        case Kind.EMPTY_200:
            return iter(()), Ending.CLOSE
        case Kind.ERROR_EVENT_FIRST:
            return iter((answer.error_frame,)), Ending.CLOSE
        case Kind.ERROR_EVENT_AFTER_CHUNKS:
            return chain(islice(frames, count), (answer.error_frame,)), Ending.CLOSE
        case Kind.MALFORMED_EVENT_FIRST:
            return chain((_malformed(answer),), frames), Ending.CLOSE
        case Kind.MALFORMED_CHUNK_AFTER:
            return chain(islice(frames, count), (_malformed(answer),), frames), Ending.CLOSE
        case Kind.HALF_JSON:
            return _half_third(frames), Ending.CLOSE
        case _:
            return frames, Ending.CLOSE


def _malformed(answer: Stream) -> bytes:
    """Broken JSON in a frame that is otherwise like the protocol's own."""
    return b"event: message_start\n" + _MALFORMED if answer.error_frame.startswith(b"event:") else _MALFORMED


def _first_bytes(frames: Iterator[bytes], count: int) -> Iterator[bytes]:
    for frame in frames:
        if count <= 0:
            return
        yield frame[:count]
        count -= len(frame)


def _half_third(frames: Iterator[bytes]) -> Iterator[bytes]:
    yield from islice(frames, 2)
    third = next(frames, b"")
    yield third[: len(third) // 2]


def _hashed(frames: Iterator[bytes], sent: "hashlib._Hash") -> Iterator[bytes]:
    for frame in frames:
        sent.update(frame)
        yield frame


def _packed(frames: Iterator[bytes]) -> Iterator[bytes]:
    """One gzip member, flushed after every frame so that a reader can unpack it at once."""
    packer = zlib.compressobj(wbits=31)
    for frame in frames:
        yield packer.compress(frame) + packer.flush(zlib.Z_SYNC_FLUSH)
    yield packer.flush()


def _dripped(frames: Iterator[bytes], size: int) -> Iterator[bytes]:
    held = b""
    for frame in frames:
        held += frame
        while len(held) >= size:
            yield held[:size]
            held = held[size:]
    if held:
        yield held
