"""When a chat stream has started: the frame that lets the status go out."""

import pytest

from aimesh.wire.open_ai.stream import read_chunk, read_chunk_without_usage
from aimesh.wire.tap import StreamTap


def chunk(inside: str) -> bytes:
    return f"data: {inside}\n\n".encode()


def delta(inside: str) -> bytes:
    return chunk(f'{{"choices":[{{"index":0,"delta":{inside},"finish_reason":null}}],"usage":null}}')


@pytest.mark.parametrize(
    "frame",
    [
        delta('{"role":"assistant","content":""}'),
        delta('{"role":"assistant","content":null,"refusal":null}'),
        delta("{}"),
        delta("null"),
        delta('{"reasoning_content":"","tool_calls":[]}'),
        chunk('{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":0}}'),
        chunk('{"choices":[],"prompt_filter_results":[]}'),
        chunk("{}"),
        b": ping\n\n",
        b"event: ping\n\n",
        b"\n\n",
    ],
)
def test_nothing_of_an_answer_yet(frame: bytes) -> None:
    tap = StreamTap(read_chunk)
    assert tap.feed(frame) == frame
    assert (tap.started, tap.ended, tap.error) == (False, False, None)


@pytest.mark.parametrize(
    ("frame", "chars"),
    [
        (delta('{"content":"a"}'), 1),
        (delta('{"content":" "}'), 1),
        (delta('{"reasoning_content":"ab"}'), 2),
        (delta('{"reasoning":"ab"}'), 2),
        (delta('{"refusal":"no"}'), 2),
        (delta('{"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":""}}]}'), 1),
        (delta('{"tool_calls":[{"index":0,"custom":{"name":"f","input":"xy"}}]}'), 3),
        (delta('{"function_call":{"name":"f"}}'), 1),
        (delta('{"audio":{"data":"AA"}}'), 0),
        (chunk('{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}'), 0),
    ],
)
def test_the_answer_has_begun(frame: bytes, chars: int) -> None:
    tap = StreamTap(read_chunk)
    assert tap.feed(frame) == frame
    assert (tap.started, tap.ended, tap.error, tap.output_chars) == (True, False, None, chars)


def test_only_the_usage_chunk_is_withheld() -> None:
    usage = chunk('{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}')
    kept = [
        chunk('{"choices":[],"usage":null}'),
        chunk('{"choices":[]}'),
        chunk('{"usage":{"prompt_tokens":1,"completion_tokens":2}}'),
        chunk('{"choices":[{"delta":{}}],"usage":{"prompt_tokens":1,"completion_tokens":2}}'),
        b"data: [DONE]\n\n",
    ]
    tap = StreamTap(read_chunk_without_usage)
    assert tap.feed(delta('{"content":"a"}') + usage) == delta('{"content":"a"}')
    assert tap.usage.output_tokens == 2
    for frame in kept:
        assert tap.feed(frame) == frame
