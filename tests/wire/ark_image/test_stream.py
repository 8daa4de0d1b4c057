"""When a picture stream has started, and what is counted."""

import json
from typing import Any

import pytest

from aimesh.wire.ark_image.stream import read_event, read_usage
from aimesh.wire.tap import StreamTap


def event(kind: str, **members: Any) -> bytes:
    kind = f"image_generation.{kind}"
    return f"event: {kind}\ndata: {json.dumps({'type': kind} | members)}\n\n".encode()


@pytest.mark.parametrize(
    ("frame", "started", "images"),
    [
        (event("partial_succeeded", image_index=0, url="u"), True, 1),
        (event("partial_failed", image_index=0, error={"code": "c", "message": "m"}), True, 0),
        (event("from_the_future"), False, 0),
        (b": comment\n\n", False, 0),
    ],
)
def test_the_answer_begins_with_the_first_verdict_on_a_picture(
    frame: bytes, started: bool, images: int
) -> None:
    tap = StreamTap(read_event)
    assert tap.feed(frame) == frame
    assert (tap.started, tap.ended, tap.error, tap.usage.images) == (started, False, None, images)


def test_the_upstreams_count_wins_over_ours() -> None:
    tap = StreamTap(read_event)
    tap.feed(event("partial_succeeded", url="u") + event("partial_succeeded", url="u"))
    tap.feed(event("completed", usage={"generated_images": 1, "output_tokens": 9}))
    assert (tap.usage.images, tap.usage.output_tokens, tap.ended) == (1, 9, True)
    assert read_usage({}, counted=3).images == 3
    assert read_usage({"generated_images": 0}, counted=3).images == 0
