"""Cutting event streams: the three line ends, any chunking, the limit, and the fields of one frame."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimesh.framing.sse import FRAME_LIMIT_BYTES, FrameSplitter, FrameTooLargeError, read_data, read_frame

ALPHABET = st.sampled_from(
    [b"\n", b"\r", b"\r\n", b"\n\n", b"data: ", b"a", b":", b"\xe4\xbd\xa0", b"event: x"]
)
STREAMS = st.lists(ALPHABET, max_size=30).map(b"".join)


def frames_of(pieces: list[bytes]) -> tuple[list[bytes], bytes]:
    splitter = FrameSplitter()
    frames = [frame for piece in pieces for frame in splitter.feed(piece)]
    return frames, splitter.close()


@pytest.mark.parametrize(
    ("stream", "frames", "tail"),
    [
        (b"", [], b""),
        (b"data: a\n\n", [b"data: a\n\n"], b""),
        (b"data: a\n\ndata: b\n\n", [b"data: a\n\n", b"data: b\n\n"], b""),
        (b"event: x\ndata: a\n\n", [b"event: x\ndata: a\n\n"], b""),
        (b"data: a\n\ndata: b", [b"data: a\n\n"], b"data: b"),
        (b"data: a\r\n\r\ndata: b\r\n\r\n", [b"data: a\r\n\r\n", b"data: b\r\n\r\n"], b""),
        (b"data: a\r\rdata: b\r\r", [b"data: a\r\r"], b"data: b\r\r"),
        (b"data: a\n\rdata: b\r\n\n", [b"data: a\n\r", b"data: b\r\n\n"], b""),
        (b"a\n\n\n", [b"a\n\n"], b"\n"),
        (b"a\n\n\n\n", [b"a\n\n", b"\n\n"], b""),
        (b"x", [], b"x"),
        (b"\n", [], b"\n"),
        (b"\n\n", [b"\n\n"], b""),
        ("a\u2028\u0085b\n\n".encode(), ["a\u2028\u0085b\n\n".encode()], b""),
    ],
)
def test_frames_end_at_a_blank_line(stream: bytes, frames: list[bytes], tail: bytes) -> None:
    assert frames_of([stream]) == (frames, tail)
    assert frames_of([stream[i : i + 1] for i in range(len(stream))]) == (frames, tail)


def test_a_whole_frame_comes_out_as_the_same_object() -> None:
    one_line, two_lines = b"data: a\n\n", b"event: x\ndata: a\n\n"
    assert FrameSplitter().feed(one_line)[0] is one_line
    assert FrameSplitter().feed(two_lines)[0] is two_lines


def test_a_frame_whose_last_byte_may_not_be_its_last_waits() -> None:
    splitter = FrameSplitter()
    assert splitter.feed(b"data: a\r\n\r") == []
    assert splitter.feed(b"\n") == [b"data: a\r\n\r\n"]
    assert splitter.feed(b"data: b\r\r") == []
    assert splitter.feed(b"data: c\n\n") == [b"data: b\r\r", b"data: c\n\n"]


@given(STREAMS, st.lists(st.integers(0, 200), max_size=12))
def test_chunking_changes_nothing(stream: bytes, cuts: list[int]) -> None:
    places = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    pieces = [stream[a:b] for a, b in itertools.pairwise(places)]
    whole, tail = frames_of([stream])
    assert frames_of(pieces) == (whole, tail)
    assert frames_of([stream[i : i + 1] for i in range(len(stream))]) == (whole, tail)
    assert b"".join(whole) + tail == stream


def test_a_frame_of_a_megabyte_passes_in_small_pieces() -> None:
    frame = b"data: " + b"x" * 1_000_000 + b"\n\n"
    splitter = FrameSplitter()
    out = [
        found for start in range(0, len(frame), 777) for found in splitter.feed(frame[start : start + 777])
    ]
    assert out == [frame]


def feed_in_sevens(splitter: FrameSplitter, stream: bytes) -> None:
    for start in range(0, len(stream), 7):
        splitter.feed(stream[start : start + 7])


@pytest.mark.parametrize(
    "stream", [b"x" * 101, b"x" * 99 + b"\n\n", b"x" * 99 + b"\r\r-", b"ab\n\n" + b"x" * 101]
)
def test_a_frame_over_the_limit_is_refused(stream: bytes) -> None:
    with pytest.raises(FrameTooLargeError):
        FrameSplitter(100).feed(stream)
    with pytest.raises(FrameTooLargeError):
        feed_in_sevens(FrameSplitter(100), stream)


def test_many_small_frames_may_be_longer_than_the_limit_together() -> None:
    assert len(FrameSplitter(100).feed(b"data: a\n\n" * 50)) == 50
    assert FRAME_LIMIT_BYTES == 16 * 1024 * 1024


@pytest.mark.parametrize(
    ("frame", "event", "data"),
    [
        (b"data: {}\n\n", b"", b"{}"),
        (b"data:{}\n\n", b"", b"{}"),
        (b"data:  {}\n\n", b"", b" {}"),
        (b"event: x\ndata: {}\n\n", b"x", b"{}"),
        (b"event: x\ndata: {}\ndata: []\n\n", b"x", b"{}\n[]"),
        (b"event:x\r\ndata:{}\r\n\r\n", b"x", b"{}"),
        (b"data: {}\revent: x\r\r", b"x", b"{}"),
        (b"data: a\rdata: b\n\n", b"", b"a\nb"),
        (b"event: x\rdata: b\n\n", b"x", b"b"),
        (b"event: x\ndata: a\rdata: b\n\n", b"x", b"a\nb"),
        (b"event: x\n\n", b"x", b""),
        (b": comment\n\n", b"", b""),
        (b"\n\n", b"", b""),
        (b"\ndata: a\n\n", b"", b"a"),
        (b"data\n\n", b"", b""),
        (b"id: 1\nretry: 3000\nevent: x\ndata: a\n\n", b"x", b"a"),
        (b"\xef\xbb\xbfdata: a\n\n", b"", b"a"),
        (b"id:1\nevent:result\n:HTTP_STATUS/200\ndata:{}\n\n", b"result", b"{}"),
        (b"data: a", b"", b"a"),
        (b"data: a\n", b"", b"a"),
        (b"data: a\nx", b"", b"a"),
        (b"data: a\nb\nx", b"", b"a"),
        (b"e\ndata: a\n\n", b"", b"a"),
        (b"e", b"", b""),
        (b"", b"", b""),
        (b"event: x\ndata: a\nx", b"x", b"a"),
        ("data: a\u2028b\n\n".encode(), b"", "a\u2028b".encode()),
    ],
)
def test_the_fields_of_a_frame(frame: bytes, event: bytes, data: bytes) -> None:
    assert read_frame(frame) == (event, data)
    assert read_data(frame) == data


@given(STREAMS)
def test_both_readers_of_a_frame_agree(stream: bytes) -> None:
    frames, tail = frames_of([stream])
    for frame in (*frames, tail):
        assert read_data(frame) == read_frame(frame)[1]
