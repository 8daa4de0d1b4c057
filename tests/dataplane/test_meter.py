"""Usage where the upstream reported all of it, some of it, or nothing; and where the caller left."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.walks import CONFIG, Plane, Script, ScriptedExchange, frames, whole

from aimesh.core.outcome import Outcome
from aimesh.core.record import UsageRecord
from aimesh.dataplane.meter import BYTES_PER_TOKEN, INLINE_TOKENS, request_tokens

CHAT = "/gateway/v1/chat/completions"
MESSAGES = "/gateway/v1/messages"
PROMPT = "tell me a story of eighty characters or so, and then another one of as many words"
ASK: dict[str, Any] = {"model": "test/chat", "messages": [{"role": "user", "content": PROMPT}]}
SAY: dict[str, Any] = ASK | {"max_tokens": 100}
INPUT = len(PROMPT) // BYTES_PER_TOKEN
"""The least that a call with the prompt may be estimated at."""


def event(kind: str, **members: object) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind} | members)}\n\n".encode()


START = event("message_start", message={"content": [], "usage": {"input_tokens": 700, "output_tokens": 4}})
TEXT = event("content_block_delta", index=0, delta={"type": "text_delta", "text": "word " * 30})


def chunk(text: str, usage: dict[str, int] | None = None) -> bytes:
    return b"data: %b\n\n" % json.dumps({"choices": [{"delta": {"content": text}}], "usage": usage}).encode()


def record_after_leaving(
    home: Path, script: Script | None, body: object, path: str = CHAT, *, was_sent: bool = True
) -> UsageRecord:
    plane = Plane(home, *(() if script is None else (script,)))
    reply = plane.call(path, body)
    plane.client.exchanges[0].was_sent = was_sent
    reply.leave()
    (record,) = plane.records.all
    plane.close()
    assert record.outcome is Outcome.CLIENT_GONE
    return record


@pytest.mark.parametrize("stream", [False, True])
def test_who_leaves_before_an_answer_has_used_the_input(stream: bool, tmp_path: Path) -> None:
    usage = record_after_leaving(tmp_path, None, ASK | {"stream": stream}).usage
    assert not usage.reported
    assert INPUT <= usage.input_tokens < 3 * INPUT
    assert usage.output_tokens == 0


def test_who_leaves_before_the_upstream_was_asked_has_used_nothing(tmp_path: Path) -> None:
    usage = record_after_leaving(tmp_path, None, ASK, was_sent=False).usage
    assert (usage.reported, usage.input_tokens, usage.output_tokens) == (False, 0, 0)


def test_who_leaves_before_the_first_word_has_used_the_input_that_was_reported(tmp_path: Path) -> None:
    script = frames(START, end=False)
    usage = record_after_leaving(tmp_path, script, SAY | {"stream": True}, MESSAGES).usage
    assert (usage.reported, usage.input_tokens, usage.output_tokens) == (False, 700, 4)


def test_who_leaves_in_the_middle_has_used_what_was_said_too(tmp_path: Path) -> None:
    script = frames(START, TEXT, TEXT, end=False)
    usage = record_after_leaving(tmp_path, script, SAY | {"stream": True}, MESSAGES).usage
    # The four tokens that were counted at the start are of the words that came after.
    assert (usage.reported, usage.input_tokens, usage.output_tokens) == (False, 700, 100)


def test_running_counts_are_gone_on_from(tmp_path: Path) -> None:
    running = {"prompt_tokens": 700, "completion_tokens": 40}
    script = frames(chunk("a" * 300, running), chunk("b" * 30), end=False)
    usage = record_after_leaving(tmp_path, script, ASK | {"stream": True}).usage
    assert (usage.reported, usage.input_tokens, usage.output_tokens) == (False, 700, 50)


def test_who_leaves_after_the_last_count_has_used_what_was_reported(tmp_path: Path) -> None:
    finish = b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n'
    used = b'data: {"choices":[],"usage":{"prompt_tokens":700,"completion_tokens":1}}\n\n'
    script = frames(chunk("word"), finish, used, end=False)
    usage = record_after_leaving(tmp_path, script, ASK | {"stream": True}).usage
    assert (usage.reported, usage.input_tokens, usage.output_tokens) == (True, 700, 1)


def test_a_failed_attempt_leaves_no_usage_behind(tmp_path: Path) -> None:
    def fails(exchange: ScriptedExchange) -> None:
        exchange.answers(500, {b"content-type": b"application/json"}, b"{}")

    plane = Plane(tmp_path, fails, fails)
    plane.call(CHAT, ASK)
    (record,) = plane.records.all
    assert record.outcome is Outcome.UPSTREAM_FAILED
    assert (record.usage.reported, record.usage.input_tokens) == (False, 0)
    plane.close()


def test_an_answer_without_usage_counts_the_same_whole_and_streamed(tmp_path: Path) -> None:
    said = "word " * 30
    answer = {"choices": [{"message": {"content": said}, "finish_reason": "stop"}]}
    finish = b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n'
    plane = Plane(tmp_path, whole(200, answer), frames(chunk(said), finish))
    plane.call(CHAT, ASK)
    plane.call(CHAT, ASK | {"stream": True})
    one, other = plane.records.all
    assert (one.outcome, other.outcome) == (Outcome.OK, Outcome.OK)
    assert (one.usage.reported, one.usage.output_tokens) == (False, 50)
    assert (other.usage.reported, other.usage.output_tokens) == (False, 50)
    plane.close()


PICTURE = base64.b64encode(bytes(range(256)) * 40).decode()


@pytest.mark.parametrize(
    ("part", "inline"),
    [
        ({"type": "image_url", "image_url": {"url": "data:image/png;base64," + PICTURE}}, 1),
        ({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PICTURE}}, 1),
        ({"type": "input_audio", "input_audio": {"data": "data:;base64," + PICTURE, "format": "wav"}}, 1),
        ([{"image": "data:image/png;base64," + PICTURE}, {"image": "data:a;base64," + PICTURE}], 2),
    ],
)
def test_an_inline_picture_is_no_text(part: object, inline: int) -> None:
    tokens = request_tokens(json.dumps({"messages": [{"content": part}]}).encode())
    assert inline * INLINE_TOKENS < tokens < inline * INLINE_TOKENS + 100


@pytest.mark.parametrize("text", ["word " * 1_000, "\u6545\u4e8b" * 1_000, "a;base64,b"])
def test_a_text_document_is_text(text: str) -> None:
    source = {"type": "text", "media_type": "text/plain", "data": text}
    for ascii_only in (True, False):
        body = json.dumps({"source": source}, ensure_ascii=ascii_only).encode()
        expected = len(text.encode()) // BYTES_PER_TOKEN
        assert expected <= request_tokens(body) < expected + 40


@given(st.binary(max_size=60), st.lists(st.sampled_from([b'"data"', b";base64,", b'"', b"x" * 2_000, b":"])))
def test_any_bytes_have_a_size(start: bytes, pieces: list[bytes]) -> None:
    body = start + b"".join(pieces)
    assert 0 <= request_tokens(body) <= len(body) // BYTES_PER_TOKEN + len(pieces) * INLINE_TOKENS


def test_what_ended_well_is_what_was_reported(tmp_path: Path) -> None:
    delta = event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 60})
    plane = Plane(tmp_path, frames(START, TEXT, delta, event("message_stop")))
    plane.call(MESSAGES, SAY | {"stream": True})
    (record,) = plane.records.all
    assert (record.usage.reported, record.usage.output_tokens) == (True, 60)
    plane.close()


WITH_PICTURES = CONFIG.replace("task: {}}}", "task: {}, ark_image: {}}}").replace(
    "virtual_keys:",
    """  - name: test/picture
    vendor: test
    kind: image
    endpoints:
      - {provider: first, interfaces: [ark_image], as: picture-one}
virtual_keys:""",
)
PAINT = {"model": "test/picture", "prompt": PROMPT, "stream": True}
PAINTED = event("image_generation.partial_succeeded", image_index=0, url="u")


@pytest.mark.parametrize("pictures", [0, 2])
def test_who_leaves_between_pictures_has_used_those_that_were_made(pictures: int, tmp_path: Path) -> None:
    script = frames(*[PAINTED] * pictures, end=False) if pictures else None
    plane = Plane(tmp_path, *(() if script is None else (script,)), config=WITH_PICTURES)
    plane.call("/gateway/api/v3/images/generations", PAINT).leave()
    (record,) = plane.records.all
    assert (record.outcome, record.usage.reported, record.usage.images) == (
        Outcome.CLIENT_GONE,
        False,
        pictures,
    )
    plane.close()
