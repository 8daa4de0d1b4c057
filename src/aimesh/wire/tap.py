"""The tap of every relayed stream: frames in, the same frames out, facts read on the way.

1. The bytes that come out are the bytes that went in, whole frames only; a frame is left out only when the
   interface's reader says so (the usage chunk that the caller did not ask for).
2. What a frame means is the interface's business: a ``ReadFrame`` sets the tap's facts and says whether the
   frame is handed on.
3. A frame that cannot be read is an error before the answer has started, and passes as it is afterwards.
4. Once the answer has started, a frame that differs from an earlier one only in its text is not decoded again
   (``repeat.py``).
5. The first error stays. An end must be earned: ``ended`` by the protocol's end marker, or at ``close``
   when the reader had seen the answer finish (``earned``).
"""

from collections.abc import Callable

from aimesh.core.usage import NO_USAGE, Usage
from aimesh.framing.sse import FrameSplitter, FrameTooLargeError
from aimesh.wire.interface import UpstreamError
from aimesh.wire.lenient import mend
from aimesh.wire.repeat import RepeatedFrame
from aimesh.wire.upstream_error import bad_answer, find_error


class StreamTap:
    """Implements ``wire.interface.Tap`` for one attempt."""

    __slots__ = (
        "_cut_off",
        "_is_readable",
        "_read_frame",
        "_repeat",
        "_splitter",
        "counted_chars",
        "earned",
        "ended",
        "error",
        "opening",
        "output_chars",
        "sequence_number",
        "started",
        "usage",
    )

    def __init__(self, read_frame: "ReadFrame") -> None:
        self._read_frame = read_frame
        self._splitter = FrameSplitter()
        self._repeat = RepeatedFrame()
        self._cut_off = False
        self._is_readable = True
        self.started = False
        self.ended = False
        self.earned = False
        """The answer is complete but for its end marker: a close without the marker is no truncation."""
        self.error: UpstreamError | None = None
        self.usage: Usage = NO_USAGE
        self.output_chars = 0
        self.counted_chars = 0
        self.sequence_number = -1
        """Number of the last event, in protocols that number them."""
        self.opening = b""
        """The answer object of the first event, in protocols whose error event must repeat it."""

    def feed(self, data: bytes) -> bytes:
        if self._cut_off:
            return b""
        if not self._splitter.tail:
            chars = self._repeat.match(data)
            if chars >= 0:
                self.output_chars += chars
                return data
        try:
            frames = self._splitter.feed(data)
        except FrameTooLargeError:
            self._cut_off = True
            self._set_error("a frame of the upstream's stream is too large")
            return b""
        read_frame = self._read_frame
        if len(frames) == 1:
            frame = frames[0]
            if self.started and self._repeat.wants_lessons:
                return self._read_and_learn(frame)
            return frame if read_frame(self, frame) else b""
        return b"".join([frame for frame in frames if read_frame(self, frame)])

    def _read_and_learn(self, frame: bytes) -> bytes:
        """Reads one frame of an answer that has started, and remembers it if it only went on with the text."""
        chars, usage, earned, number = self.output_chars, self.usage, self.earned, self.sequence_number
        self._is_readable = True
        if not self._read_frame(self, frame):
            return b""
        went_on = (
            self.output_chars > chars
            and self.usage is usage
            and self.earned is earned
            and self.sequence_number == number
            and self._is_readable
            and self.error is None
            and not self.ended
        )
        if went_on:
            self._repeat.learn(frame, self.output_chars - chars)
        return frame

    def close(self) -> bytes:
        tail = self._splitter.close()
        out = self._close_tail(tail) if tail.strip(b"\r\n") else tail
        if self.earned and not self._cut_off:
            self.ended = True
        if not self.ended:
            self._set_error(
                "the upstream's stream broke off before its end"
                if self.started
                else "the upstream's stream ended before an answer began"
            )
        return out

    def _close_tail(self, tail: bytes) -> bytes:
        """A last frame without its blank line: a terse upstream's end, or half a frame of a broken one."""
        had_ended = self.ended
        if had_ended:
            return tail
        if not self.started and (found := find_error(tail)) is not None:
            # Asked for a stream, the upstream answered 200 with a plain JSON error.
            self.fail(found)
            return b""
        self._is_readable = True
        hand_on = self._read_frame(self, tail) and self._is_readable
        return tail if hand_on and (self.ended or self.earned) else b""

    def unreadable(self) -> bool:
        """The reader's verdict on a frame that is no JSON."""
        self._is_readable = False
        if not self.started and not self.ended:
            self._set_error("the upstream sent a frame that cannot be read")
        return True

    def count(self, usage: Usage) -> None:
        """Takes what the upstream reported about the answer so far."""
        self.usage = usage
        self.counted_chars = self.output_chars

    def fail(self, error: UpstreamError) -> bool:
        """The reader's verdict on an error frame; it goes out, being in the caller's protocol."""
        if self.error is None and not self.ended:
            self.error = error
        return True

    def _set_error(self, message: str) -> None:
        if self.error is None:
            self.error = bad_answer(message)


ReadFrame = Callable[[StreamTap, bytes], bool]


def mended_frame(data: bytes) -> bytes | None:
    """A frame with the same JSON in readable spelling; None when there is nothing to mend."""
    mended = mend(data)
    return None if mended == data else b"data: %b\n\n" % mended.replace(b"\n", b" ")


def read_nothing(_tap: StreamTap, _frame: bytes) -> bool:
    """For interfaces that do not stream: nothing is an answer, so the stream ends as a failed attempt."""
    return True
