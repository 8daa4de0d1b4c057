"""When a message stream has started, and that its usage is cumulative."""

import json
from typing import Any

import pytest

from aimesh.wire.anthropic.stream import MessageReader
from aimesh.wire.tap import StreamTap


def event(kind: str, **members: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind} | members)}\n\n".encode()


def open_tap() -> StreamTap:
    return StreamTap(MessageReader().read)


@pytest.mark.parametrize(
    "frame",
    [
        event("message_start", message={"content": [], "usage": {"input_tokens": 3, "output_tokens": 1}}),
        event("ping"),
        event("content_block_delta", index=0, delta={"type": "text_delta", "text": ""}),
        event("content_block_stop", index=0),
        event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
        event("message_delta", delta={"stop_reason": None}, usage={"output_tokens": 1}),
        event("from_the_future"),
        b"event: ping\n\n",
        b": comment\n\n",
    ],
)
def test_nothing_of_an_answer_yet(frame: bytes) -> None:
    tap = open_tap()
    assert tap.feed(frame) == frame
    assert (tap.started, tap.ended, tap.error) == (False, False, None)


@pytest.mark.parametrize(
    ("frame", "chars"),
    [
        (event("content_block_start", index=0, content_block={"type": "text", "text": "a"}), 0),
        (event("content_block_start", index=0, content_block={"type": "thinking", "thinking": ""}), 0),
        (event("content_block_start", index=0, content_block="odd"), 0),
        (event("content_block_start", index=0), 0),
        (
            event("content_block_start", index=0, content_block={"type": "tool_use", "id": "t", "input": {}}),
            0,
        ),
        (event("content_block_delta", index=0, delta={"type": "text_delta", "text": "你好"}), 2),
        (event("content_block_delta", index=0, delta={"type": "thinking_delta", "thinking": "hm"}), 2),
        (event("content_block_delta", index=0, delta={"type": "input_json_delta", "partial_json": "{}"}), 2),
        (event("message_delta", delta={"stop_reason": "refusal"}, usage={"output_tokens": 1}), 0),
    ],
)
def test_the_answer_has_begun(frame: bytes, chars: int) -> None:
    tap = open_tap()
    assert tap.feed(frame) == frame
    assert (tap.started, tap.ended, tap.error, tap.output_chars) == (True, False, None, chars)


def test_usage_is_replaced_member_by_member_and_never_added() -> None:
    tap = open_tap()
    start = {
        "input_tokens": 3,
        "cache_read_input_tokens": 2000,
        "cache_creation_input_tokens": 100,
        "output_tokens": 1,
    }
    tap.feed(event("message_start", message={"usage": start}))
    assert (tap.usage.input_tokens, tap.usage.output_tokens) == (2103, 1)
    tap.feed(event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 50}))
    assert (tap.usage.input_tokens, tap.usage.output_tokens) == (2103, 50)
    tap.feed(
        event(
            "message_delta",
            delta={},
            usage={"output_tokens": 55, "input_tokens": 4, "cache_read_input_tokens": None},
        )
    )
    assert (tap.usage.input_tokens, tap.usage.output_tokens) == (2104, 55)


def test_two_streams_do_not_share_their_usage() -> None:
    first, second = open_tap(), open_tap()
    first.feed(event("message_start", message={"usage": {"input_tokens": 3, "output_tokens": 1}}))
    second.feed(event("message_delta", delta={}, usage={"output_tokens": 5}))
    assert second.usage.input_tokens == 0
