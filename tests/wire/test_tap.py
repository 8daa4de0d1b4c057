"""What every tap does, whatever the protocol: whole frames, one first error, an earned end."""

import pytest

from aimesh.core.usage import NO_USAGE
from aimesh.framing.sse import FRAME_LIMIT_BYTES
from aimesh.wire.interface import UpstreamError
from aimesh.wire.tap import StreamTap, mended_frame, read_nothing


def read_letters(tap: StreamTap, frame: bytes) -> bool:
    """A protocol of one letter per frame: s starts, f finishes, e ends, w is withheld, x is an error."""
    match frame.strip()[-1:]:
        case b"s":
            tap.started = True
        case b"f":
            tap.started = tap.earned = True
        case b"e":
            tap.ended = True
        case b"x":
            return tap.fail(UpstreamError(status=500, code="x", message=frame.decode()))
        case b"?":
            return tap.unreadable()
        case b"w":
            return False
    return True


def run(*pieces: bytes) -> tuple[bytes, StreamTap]:
    tap = StreamTap(read_letters)
    return b"".join([*map(tap.feed, pieces), tap.close()]), tap


@pytest.mark.parametrize(
    ("pieces", "out", "ended", "error"),
    [
        ((b"s\n\ne\n\n",), b"s\n\ne\n\n", True, ""),
        ((b"s\n\nw\n\ne\n\n",), b"s\n\ne\n\n", True, ""),
        ((b"s\n\n", b"w\n\n", b"e\n\n"), b"s\n\ne\n\n", True, ""),
        ((b"s\n\nf\n\n",), b"s\n\nf\n\n", True, ""),
        ((b"s\n\nf",), b"s\n\nf", True, ""),
        ((b"s\n\nf\n\n?",), b"s\n\nf\n\n", True, ""),
        ((b"s\n\nf\n\nw",), b"s\n\nf\n\n", True, ""),
        ((b"s\n\ne\n\ntail",), b"s\n\ne\n\ntail", True, ""),
        ((b"s\n\ne\n\n\n",), b"s\n\ne\n\n\n", True, ""),
        ((b"s\n\n",), b"s\n\n", False, "broke off"),
        ((b"s\n\nhal",), b"s\n\n", False, "broke off"),
        ((b"",), b"", False, "before an answer began"),
        ((b"a\n\n",), b"a\n\n", False, "before an answer began"),
        ((b"?\n\n",), b"?\n\n", False, "cannot be read"),
        ((b"s\n\n?\n\ne\n\n",), b"s\n\n?\n\ne\n\n", True, ""),
        ((b"1x\n\n2x\n\n",), b"1x\n\n2x\n\n", False, "1x"),
        ((b"s\n\ne\n\nx\n\n",), b"s\n\ne\n\nx\n\n", True, ""),
        ((b"e\n\n?\n\n",), b"e\n\n?\n\n", True, ""),
        ((b'{"error":{"message":"plain"}}',), b"", False, "plain"),
        ((b'{"answer":1}',), b"", False, "before an answer began"),
        ((b'a\n\nx\n\n{"error":"late"}',), b"a\n\nx\n\n", False, "x"),
    ],
)
def test_the_end(pieces: tuple[bytes, ...], out: bytes, ended: bool, error: str) -> None:
    given, tap = run(*pieces)
    assert (given, tap.ended) == (out, ended)
    assert (error in tap.error.message) if tap.error is not None else error == ""
    assert tap.usage == NO_USAGE


def test_a_frame_over_the_limit_ends_the_relay() -> None:
    tap = StreamTap(read_letters)
    assert tap.feed(b"f\n\n") == b"f\n\n"
    assert tap.feed(b"x" * (FRAME_LIMIT_BYTES + 1)) == b""
    assert tap.error is not None
    assert "too large" in tap.error.message
    assert tap.feed(b"e\n\n") == b""
    assert tap.close() == b""
    assert not tap.ended


def test_mended_frames() -> None:
    assert mended_frame(b'{"a":1}') is None
    assert mended_frame(b'{"a":\n"\\ud83d"}') == b'data: {"a": "\\ufffd"}\n\n'


def test_an_interface_that_does_not_stream_never_starts() -> None:
    tap = StreamTap(read_nothing)
    assert tap.feed(b"data: x\n\n") == b"data: x\n\n"
    tap.close()
    assert tap.error is not None
