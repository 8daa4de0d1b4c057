"""The contract of every decoder in one line each: a result, or one of the named refusals; nothing else raises.

Seeded and short in a normal run. ``AIMESH_FUZZ_SECONDS`` sets the length of the long one (``-m long``).
"""

import contextlib
import os
import random
import time

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.wire_cases import ROOT

from aimesh.core.errors import BadRequest, BrokenStream, ModelNotResolved, Unsupported
from aimesh.core.traits import Traits
from aimesh.core.usage import NO_USAGE, Usage
from aimesh.wire.anthropic.count_tokens import COUNTER, estimate_tokens
from aimesh.wire.interface import Answer, Interface, Prepared, Target, UpstreamError
from aimesh.wire.registry import INTERFACES, TASK_INTERFACES
from aimesh.wire.tasks import TaskInterface

EVERY = (*INTERFACES, COUNTER)
TARGETS = (
    Target("upstream-model", Traits()),
    Target(
        "m",
        Traits(
            usage_in_stream="always",
            developer_role=False,
            base64_embeddings=False,
            anthropic_beta=False,
            video_media=True,
            image_sequence=False,
        ),
    ),
)
WORDS = (
    "model",
    "stream",
    "stream_options",
    "include_usage",
    "messages",
    "role",
    "developer",
    "content",
    "data",
    "embedding",
    "embeddings",
    "output",
    "choices",
    "delta",
    "finish_reason",
    "usage",
    "error",
    "code",
    "message",
    "type",
    "response",
    "status",
    "id",
    "input",
    "contents",
    "parameters",
    "size",
    "img_url",
    "ref_img_url",
    "media",
    "n",
    "text",
    "image_url",
    "url",
    "prompt_tokens",
    "completion_tokens",
    "tools",
    "system",
    "encoding_format",
    "base64",
    "task_id",
    "task_status",
    "SUCCEEDED",
    "succeeded",
    "message_delta",
    "message_start",
    "stop_reason",
    "content_block_delta",
)
TEXTS = st.one_of(st.sampled_from(WORDS), st.text(max_size=5))
JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), TEXTS
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=6)),
    max_leaves=25,
)
BODIES = st.one_of(st.binary(max_size=60), JSON.map(msgspec.json.encode))
SOUND = msgspec.json.Decoder(msgspec.Raw)
CORPUS = tuple(path.read_bytes() for path in sorted(ROOT.glob("*/cases/*/*")) if path.stat().st_size < 4_000)


def survive(interface: Interface, body: bytes) -> None:
    """Feeds one piece of text to everything that an interface reads."""
    prepared = Prepared(body=b"", stream=True, make_base64=True)
    try:
        peek = interface.peek(body)
        for target in TARGETS:
            prepared = interface.prepare(body, peek, target)
            if b"\\u" not in body:
                assert SOUND.decode(prepared.body), "an edit must leave JSON behind"
    except (BadRequest, ModelNotResolved, Unsupported):
        pass
    assert isinstance(interface.read_answer(body, prepared), Answer)
    assert isinstance(interface.read_error(500, body), UpstreamError)
    for framed in (body, b"data: %b\n\n" % body, b"event: error\ndata: %b\n\n" % body):
        tap = interface.open_tap(prepared)
        out = tap.feed(framed) + tap.close()
        assert tap.error is not None or tap.ended
        assert interface.encode_stream_fault(BrokenStream("x"), "req-1", tap).endswith(b"\n\n")
        assert len(out) <= len(framed)


@given(st.sampled_from(EVERY), BODIES)
def test_any_text_is_a_result_or_a_named_refusal(interface: Interface, body: bytes) -> None:
    survive(interface, body)


@given(st.sampled_from(TASK_INTERFACES), BODIES)
def test_tasks_read_any_text(interface: TaskInterface, body: bytes) -> None:
    assert isinstance(interface.read_request(body), Usage)
    assert isinstance(interface.read_task(body, NO_USAGE), Answer)
    with contextlib.suppress(BadRequest):
        assert interface.read_query(body).page_size >= 1


@given(BODIES)
def test_any_text_has_an_estimate_or_is_refused(body: bytes) -> None:
    with contextlib.suppress(BadRequest):
        assert estimate_tokens(body) >= 1


def mutated(seed: random.Random) -> bytes:
    """A golden file with a few bytes cut, doubled or changed."""
    text = bytearray(seed.choice(CORPUS))
    for _ in range(seed.randint(1, 4)):
        at = seed.randrange(len(text) + 1)
        match seed.randrange(4):
            case 0:
                del text[at : at + seed.randint(1, 20)]
            case 1:
                text[at:at] = text[at : at + seed.randint(1, 40)]
            case 2:
                text[at : at + 1] = bytes([seed.randrange(256)])
            case _:
                text[at:at] = seed.choice(
                    (b'"', b"{", b"}", b"[", b"\\", b"null", b"\n\n", b"\r", b"\xff", b"1e999")
                )
    return bytes(text)


def fuzz(seed: random.Random) -> None:
    text = mutated(seed)
    survive(seed.choice(EVERY), text)
    tap = seed.choice(EVERY).open_tap(Prepared(body=b"", stream=True, withhold_usage=seed.random() < 0.5))
    while text:
        size = seed.randint(1, 200)
        tap.feed(text[:size])
        text = text[size:]
    tap.close()
    assert tap.error is not None or tap.ended


def test_mutated_golden_files() -> None:
    seed = random.Random(20_261_124)
    for _ in range(1_500):
        fuzz(seed)


@pytest.mark.long
def test_fuzz_mutated_golden_files_for_long() -> None:
    # The length of a long run is the operator's to choose; nothing in src/ reads it.
    length_s = float(os.environ.get("AIMESH_FUZZ_SECONDS", "60"))  # noqa: TID251
    number = time.monotonic_ns()
    print(f"seed {number}")
    seed = random.Random(number)
    deadline = time.monotonic() + length_s
    while time.monotonic() < deadline:
        fuzz(seed)
