"""Repetitions under one key: what is given again, what is refused, what may be tried once more."""

from pathlib import Path

import pytest
from tests.support.walks import CONFIG, Plane, Script, broken, ended, frames, in_loop, whole

from aimesh.dataplane.idempotency import LARGEST_KEPT_BYTES
from aimesh.net.message import ConnectionLost

PICTURES = CONFIG.replace("task: {}}", "task: {}, ark_image: {}}").replace(
    "  - name: test/film",
    """  - name: test/picture
    vendor: test
    kind: image
    endpoints:
      - {provider: first, interfaces: [ark_image], as: picture-one}
  - name: test/film""",
)
PATH = "/gateway/api/v3/images/generations"
ASK = {"model": "test/picture", "prompt": "a cat"}
KEYED = {b"idempotency-key": b"once"}
GOOD = {
    "model": "picture-one",
    "created": 1,
    "data": [{"url": "http://x/1.png"}],
    "usage": {"generated_images": 1},
}
LARGE = {**GOOD, "data": [{"b64_json": "x" * LARGEST_KEPT_BYTES}]}
PIECE = (
    b'event: image_generation.partial_succeeded\ndata: {"type":"image_generation.partial_succeeded",'
    b'"image_index":0,"url":"http://x/1.png"}\n\n'
)
LOST = ConnectionLost("reset", was_sent=True)


@pytest.mark.parametrize(
    ("first", "streamed", "status"),
    [
        (whole(200, LARGE), False, 200),
        (frames(PIECE), True, 200),
        (broken(LOST), False, 502),
        (whole(500, b""), False, 502),
    ],
    ids=["too large to keep", "a stream", "connection lost", "500"],
)
def test_what_cannot_be_given_again_is_refused_at_once_and_never_made_again(
    first: Script, streamed: bool, status: int, tmp_path: Path
) -> None:
    async def work() -> None:
        plane = Plane(tmp_path, first, whole(200, GOOD), config=PICTURES)
        ask = {**ASK, "stream": True} if streamed else ASK
        made = await ended(plane.call(PATH, ask, headers=KEYED))
        assert made.status == status
        # Longer than a claim without an answer lasts.
        for after_s in (1.0, 7200.0):
            plane.clock.advance(after_s)
            again = await ended(plane.call(PATH, ask, headers=KEYED))
            assert (again.status, again.json["error"]["code"]) == (409, "GATEWAY_IDEMPOTENCY_CONFLICT")
            assert b"x-should-retry: false" in again.headers
        assert len(plane.client.exchanges) == 1
        plane.close()

    in_loop(work)


def test_while_the_database_is_away_nothing_is_made(tmp_path: Path) -> None:
    async def work() -> None:
        plane = Plane(tmp_path, whole(200, GOOD), whole(200, GOOD), config=PICTURES)
        plane.database.close()
        refused = await ended(plane.call(PATH, ASK, headers=KEYED))
        assert (refused.status, refused.json["error"]["code"]) == (503, "GATEWAY_UNAVAILABLE")
        assert b"retry-after: 2" in refused.headers.lower()
        assert plane.client.exchanges == []
        # Without the key it is a call like any other.
        assert (await ended(plane.call(PATH, ASK))).status == 200
        plane.close()

    in_loop(work)


@pytest.mark.parametrize("wait", ["3", "86400"])
def test_a_rate_limit_frees_the_key(wait: str, tmp_path: Path) -> None:
    async def work() -> None:
        plane = Plane(tmp_path, whole(429, b"", retry_after=wait), whole(200, GOOD), config=PICTURES)
        assert (await ended(plane.call(PATH, ASK, headers=KEYED))).status == 429
        assert (await ended(plane.call(PATH, ASK, headers=KEYED))).json == GOOD
        plane.close()

    in_loop(work)
