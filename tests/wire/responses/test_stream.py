"""When a Responses stream has started and ended, and what the tap remembers for the event of a broken one."""

import json
from typing import Any

import pytest

from aimesh.core.usage import NO_USAGE
from aimesh.wire.responses.stream import read_event, read_usage
from aimesh.wire.tap import StreamTap


def event(kind: str, **members: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind} | members)}\n\n".encode()


@pytest.mark.parametrize(
    "frame",
    [
        event("response.created", response={"id": "resp_1"}),
        event("response.queued", response={}),
        event("response.in_progress", response=None),
        event("response.output_text.delta", delta=""),
        event("response.output_item.added", item={"type": "message", "content": []}),
        event("response.content_part.added", part={"type": "output_text", "text": ""}),
        event("from_the_future"),
        b"data: [DONE]\n\n",
        b": comment\n\n",
    ],
)
def test_nothing_of_an_answer_yet(frame: bytes) -> None:
    tap = StreamTap(read_event)
    assert tap.feed(frame) == frame
    assert (tap.started, tap.ended, tap.error) == (False, False, None)


@pytest.mark.parametrize(
    ("frame", "ended"),
    [
        (event("response.output_item.added", item={"type": "function_call"}), False),
        (event("response.output_item.added", item={"type": "message", "content": [{"text": "a"}]}), False),
        (event("response.output_item.added", item="odd"), False),
        (event("response.content_part.added", part={"type": "output_text", "text": "a"}), False),
        (event("response.content_part.added", part={"type": "reasoning_text", "text": ""}), False),
        (event("response.output_text.delta", delta="a"), False),
        (event("response.reasoning_summary_text.delta", delta="a"), False),
        (event("response.function_call_arguments.delta", delta="{"), False),
        (event("response.completed", response={}), True),
        (event("response.incomplete", response={}), True),
    ],
)
def test_the_answer_has_begun(frame: bytes, ended: bool) -> None:
    tap = StreamTap(read_event)
    assert tap.feed(frame) == frame
    assert (tap.started, tap.ended, tap.error) == (True, ended, None)


def test_what_is_remembered() -> None:
    tap = StreamTap(read_event)
    tap.feed(event("response.created", sequence_number=0, response={"id": "resp_1", "x": 1.0}))
    tap.feed(event("response.in_progress", sequence_number=1))
    tap.feed(event("response.output_text.delta", sequence_number=2, delta="a"))
    assert tap.sequence_number == 2
    assert json.loads(tap.opening) == {"id": "resp_1", "x": 1.0}


def test_usage() -> None:
    assert read_usage(None) == NO_USAGE
    assert read_usage({"input_tokens": 0}) == NO_USAGE
    assert read_usage({"input_tokens": 5, "input_tokens_details": None}).input_tokens == 5
