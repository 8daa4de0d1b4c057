"""Every stream of every golden case, cut at every place: the same bytes come out, the same facts are read."""

import hashlib
import itertools
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.wire_cases import ROOT, interface_of, prepare

from aimesh.core.traits import DEFAULT_TRAITS
from aimesh.wire.interface import Tap, Target

STREAMS = sorted(path.parent for path in ROOT.glob("*/cases/*/upstream.sse"))
CHUNKS = 10_000
TARGET = Target("upstream-model", DEFAULT_TRAITS)


def outcome(tap: Tap, pieces: list[bytes]) -> tuple[bytes, object]:
    out = b"".join([*map(tap.feed, pieces), tap.close()])
    facts = (tap.started, tap.ended, tap.error, msgspec.to_builtins(tap.usage), tap.output_chars)
    return out, facts


def open_tap(folder: Path) -> Tap:
    return interface_of(folder).open_tap(prepare(folder)[1])


@given(st.sampled_from(STREAMS), st.lists(st.integers(0, 10_000), max_size=12))
def test_random_splits_change_nothing(folder: Path, cuts: list[int]) -> None:
    stream = (folder / "upstream.sse").read_bytes()
    places = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts)})
    pieces = [stream[start:end] for start, end in itertools.pairwise(places)]
    assert outcome(open_tap(folder), pieces) == outcome(open_tap(folder), [stream])


@pytest.mark.parametrize("folder", STREAMS, ids=lambda folder: f"{folder.parent.parent.name}-{folder.name}")
def test_byte_by_byte_changes_nothing(folder: Path) -> None:
    stream = (folder / "upstream.sse").read_bytes()
    pieces = [stream[place : place + 1] for place in range(len(stream))]
    assert outcome(open_tap(folder), pieces) == outcome(open_tap(folder), [stream])


BODIES = {
    "open_ai": (
        b'{"model":"m","stream":true,"stream_options":{"include_usage":true}}',
        b'data: {"id":"c","choices":[{"index":0,"delta":{"content":"%d \xe4\xbd\xa0"},'
        b'"finish_reason":null}],"x":1.0}\n\n',
        b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
        b'data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}\n\ndata: [DONE]\n\n',
    ),
    "anthropic": (
        b'{"model":"m","max_tokens":1,"stream":true}',
        b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,'
        b'"delta":{"type":"text_delta","text":"%d"}}\n\n',
        b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn"},'
        b'"usage":{"output_tokens":5}}\n\nevent: message_stop\ndata: {"type":"message_stop"}\n\n',
    ),
    "responses": (
        b'{"model":"m","stream":true}',
        b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","delta":"%d"}\n\n',
        b'event: response.completed\ndata: {"type":"response.completed","response":{"usage":null}}\n\n',
    ),
}


@pytest.mark.parametrize("name", sorted(BODIES))
@pytest.mark.parametrize("piece_bytes", [0, 1_460, 65_536])
def test_ten_thousand_chunks_pass_byte_for_byte(name: str, piece_bytes: int) -> None:
    body, chunk, end = BODIES[name]
    frames = [chunk % number for number in range(CHUNKS)]
    stream = b"".join(frames) + end
    pieces = (
        [stream[at : at + piece_bytes] for at in range(0, len(stream), piece_bytes)]
        if piece_bytes
        else [*frames, end]
    )
    interface = interface_of(ROOT / name / "cases" / "any")
    tap = interface.open_tap(interface.prepare(body, interface.peek(body), TARGET))
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(tap.feed(piece))
    digest.update(tap.close())
    assert digest.digest() == hashlib.sha256(stream).digest()
    assert (tap.started, tap.ended, tap.error) == (True, True, None)
    assert tap.output_chars >= CHUNKS


def test_a_frame_of_a_megabyte_passes() -> None:
    folder = ROOT / "open_ai" / "cases" / "seed_whole"
    frame = b'data: {"choices":[{"index":0,"delta":{"content":"' + b"x" * 1_000_000 + b'"}}]}\n\n'
    tap = open_tap(folder)
    assert b"".join(tap.feed(frame[at : at + 50_000]) for at in range(0, len(frame), 50_000)) == frame
    assert tap.output_chars == 1_000_000
