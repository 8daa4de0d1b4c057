"""Server-sent events: cuts a byte stream into whole frames and reads one frame's fields.

1. A line ends with LF, CRLF or a lone CR, and with nothing else: text is never split on U+2028 or U+0085.
2. The frames that come out, joined, are the bytes that went in; how the stream was chunked changes nothing.
3. A frame whose last byte so far is a CR waits for the next byte (or ``close``), because an LF may belong
   to it.
4. An unfinished tail is kept as a list of pieces; no byte is copied twice on its way to a frame.
5. A frame is at most ``FRAME_LIMIT_BYTES``; there is no smaller limit (pictures and long arguments travel
   in one).
"""

import re

FRAME_LIMIT_BYTES = 16 * 1024 * 1024

_BLANK_LINE = re.compile(rb"(?>\r\n|\n|\r)(?>\r\n|\n|\r)")
_LINE_END = re.compile(rb"\r\n|\n|\r")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_WINDOW = 3
"""How much of a blank line can stand before the byte that completes it: ``CR LF CR``."""


class FrameTooLargeError(Exception):
    """The stream holds a frame over ``FRAME_LIMIT_BYTES``: it is not worth reading on."""


class FrameSplitter:
    """``feed`` any pieces, get whole frames, each with the blank line that ends it."""

    __slots__ = ("_limit", "_tail_size", "tail")

    def __init__(self, limit_bytes: int = FRAME_LIMIT_BYTES) -> None:
        self._limit = limit_bytes
        self.tail: list[bytes] = []
        """Pieces of a frame that is not whole yet; empty between frames."""
        self._tail_size = 0

    def feed(self, data: bytes) -> list[bytes]:
        if self.tail or 13 in data or len(data) > self._limit:
            return self._feed_slowly(data) if data else []
        # The common cases: one read is one whole frame of one or two lines, or several whole frames.
        last = len(data) - 2
        line_end = data.find(b"\n")
        if line_end != last:
            second = data.find(b"\n", line_end + 1)
            line_end = second if second > line_end + 1 else -1
        if line_end == last >= 0 and data[-1] == 10:
            return [data]
        frames = data.split(b"\n\n")
        rest = frames.pop()
        if rest:
            self._keep(rest)
        if not rest and len(frames) == 1:
            return [data]
        return [frame + b"\n\n" for frame in frames]

    def _feed_slowly(self, data: bytes) -> list[bytes]:
        window = b"".join(self.tail[-_WINDOW:])[-_WINDOW:]
        offset = len(window)
        frames: list[bytes] = []
        start = 0
        for end in _frame_ends(window + data):
            piece = data[start : end - offset]
            start = end - offset
            if self.tail:
                self.tail.append(piece)
                piece = b"".join(self.tail)
                self.tail.clear()
                self._tail_size = 0
            if len(piece) > self._limit:
                raise FrameTooLargeError
            frames.append(piece)
        if start < len(data):
            self._keep(data[start:])
        return frames

    def _keep(self, piece: bytes) -> None:
        self._tail_size += len(piece)
        if self._tail_size > self._limit:
            raise FrameTooLargeError
        self.tail.append(piece)

    def close(self) -> bytes:
        """What is left without its blank line; empty after a clean end."""
        tail = b"".join(self.tail)
        self.tail.clear()
        self._tail_size = 0
        return tail


def _frame_ends(data: bytes) -> list[int]:
    """Where each blank line ends, save one that a next byte could still lengthen."""
    if b"\r" in data:
        ends = [found.end() for found in _BLANK_LINE.finditer(data)]
        if ends and ends[-1] == len(data) and data.endswith(b"\r"):
            ends.pop()
        return ends
    ends = []
    end = data.find(b"\n\n") + 2
    while end > 1:
        ends.append(end)
        end = data.find(b"\n\n", end) + 2
    return ends


def read_frame(frame: bytes) -> tuple[bytes, bytes]:
    """Event name and data, each empty when absent. Several ``data`` lines join with LF; ``id``, ``retry`` and
    comments are passed over."""
    # The two spellings that nearly every upstream uses are cut out directly, if no other line is there.
    last = len(frame) - 2
    line_end = frame.find(b"\n")
    if line_end == last and frame.startswith(b"data: "):
        if frame[-1] == 10 and 13 not in frame:
            return b"", frame[6:last]
    elif (
        frame.startswith(b"event: ")
        and frame.startswith(b"data: ", line_end + 1)
        and frame.find(b"\n", line_end + 1) == last
        and frame[-1] == 10
        and 13 not in frame
    ):
        return frame[7:line_end], frame[line_end + 7 : last]
    return _read_lines(frame)


def read_data(frame: bytes) -> bytes:
    """The data alone, for protocols whose events name themselves inside it."""
    # One line may stand before the data: the event's name, or a field that nobody reads.
    start = frame.find(b"\n") + 1 if frame[:1] == b"e" else 0
    if (
        frame.startswith(b"data: ", start)
        and frame.find(b"\n", start) == len(frame) - 2
        and frame[-1] == 10
        and 13 not in frame
    ):
        return frame[start + 6 : -2]
    return _read_lines(frame)[1]


def _read_lines(frame: bytes) -> tuple[bytes, bytes]:
    event = b""
    data: list[bytes] = []
    for line in _LINE_END.split(frame.removeprefix(_BYTE_ORDER_MARK)):
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            data.append(value)
        elif name == b"event":
            event = value
    return event, b"\n".join(data)
