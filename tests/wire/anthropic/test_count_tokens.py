"""Counting: the sibling interface, and an estimate that never undercounts by more than a tenth."""

import json
from typing import Any

import pytest

from aimesh.core.errors import BadRequest
from aimesh.core.traits import Traits
from aimesh.wire.anthropic.count_tokens import COUNTER, encode_count, estimate_tokens
from aimesh.wire.interface import Peek, Target


def estimate(**request: Any) -> int:
    return estimate_tokens(json.dumps(request).encode())


def saying(content: Any) -> int:
    return estimate(messages=[{"role": "user", "content": content}])


ENGLISH = (
    "The quick brown fox jumps over the lazy dog. It was a bright cold day in April, and the clocks were striking "
    "thirteen; the hallway smelt of boiled cabbage and old rag mats. "
)
"""166 characters in 37 words and marks: 40 to 50 tokens, by tokenizer."""
CODE = "def add(a, b):\n    return a + b  # sum of x_1 and x_2\n"
"""22 to 26 tokens, by tokenizer."""


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        (ENGLISH * 20, 50 * 20 * 0.9, 50 * 20 * 1.3),
        (CODE * 20, 24 * 20 * 0.9, 24 * 20 * 1.3),
        ("人工智能网关统一管理模型调用" * 20, 14 * 20 * 0.9, 14 * 20 * 1.2),
        ("1234567890" * 20, 67 * 0.9, 67 * 2),
        ("Ünïcödé Ελληνικά русский " * 20, 20 * 10 * 0.9, 20 * 40),
        ("hello", 1, 12),
    ],
)
def test_text_of_every_script(text: str, least: float, most: float) -> None:
    assert least <= saying(text) <= most
    assert saying([{"type": "text", "text": text}]) == saying(text)


IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "A" * 100_000}}
TOOL = {"name": "get_weather", "description": ENGLISH, "input_schema": {"type": "object", "properties": {}}}


@pytest.mark.parametrize(
    ("content", "least", "most"),
    [
        ([IMAGE], 1_500, 1_800),
        ([{"type": "document", "source": {"type": "base64", "data": "A" * 200_000}}], 8_000, 12_000),
        ([{"type": "document", "source": {"type": "url", "url": "https://x"}, "title": "t"}], 3_000, 3_100),
        ([{"type": "document", "source": {"type": "text", "data": ENGLISH}}], 45, 90),
        ([{"type": "document", "source": {"type": "content", "content": [IMAGE]}}], 1_500, 1_800),
        ([{"type": "tool_use", "id": "t", "name": "f", "input": {"text": ENGLISH}}], 50, 120),
        ([{"type": "server_tool_use", "id": "t", "name": "f", "input": None}], 12, 30),
        ([{"type": "tool_result", "tool_use_id": "t", "content": ENGLISH}], 50, 100),
        (
            [{"type": "tool_result", "tool_use_id": "t", "content": [IMAGE, {"type": "text", "text": "x"}]}],
            1_500,
            1_800,
        ),
        ([{"type": "thinking", "thinking": ENGLISH, "signature": "A" * 5_000}], 45, 90),
        ([{"type": "redacted_thinking", "data": "A" * 400}], 100, 120),
        (
            [
                {
                    "type": "search_result",
                    "title": "t",
                    "source": "s",
                    "content": [{"type": "text", "text": ENGLISH}],
                }
            ],
            60,
            110,
        ),
        ([{"type": "future", "text": ENGLISH}], 45, 110),
        (["bare text", 5, None], 2, 30),
        (None, 1, 10),
    ],
)
def test_every_block_counts(content: Any, least: int, most: int) -> None:
    assert least <= saying(content) <= most


def test_system_and_tools_count() -> None:
    message = {"role": "user", "content": "hi"}
    bare = estimate(messages=[message])
    assert estimate(messages=[message], system=ENGLISH) - bare >= 45
    assert estimate(messages=[message], system=[{"type": "text", "text": ENGLISH}]) - bare >= 45
    one = estimate(messages=[message], tools=[TOOL])
    assert one - bare >= 350
    assert estimate(messages=[message], tools=[TOOL, TOOL]) - one >= 60
    assert estimate(messages=[message], tool_choice={"type": "any"}) > bare


def test_an_estimate_of_nothing() -> None:
    assert estimate_tokens(b"{}") == 1
    assert estimate_tokens(b"[]") == 1
    with pytest.raises(BadRequest):
        estimate_tokens(b"{")
    assert json.loads(encode_count(7)) == {"input_tokens": 7}


def test_the_counting_call_needs_no_max_tokens_and_keeps_its_body() -> None:
    body = b'{"messages":[],"model":"anthropic/claude-opus-4.6"}'
    peek = COUNTER.peek(body)
    assert peek == Peek("anthropic/claude-opus-4.6")
    target = Target("claude-opus-4-6", Traits(anthropic_version="2023-06-01", anthropic_beta=False))
    prepared = COUNTER.prepare(body, peek, target)
    assert prepared.body == b'{"messages":[],"model":"claude-opus-4-6"}'
    assert prepared.headers == ((b"anthropic-version", b"2023-06-01"),)
    assert prepared.drops == {b"anthropic-beta", b"anthropic-version"}
    assert not prepared.stream
    assert COUNTER.prepare(body, peek, Target("anthropic/claude-opus-4.6", Traits())).body is body


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"input_tokens":9}', None),
        (b'{"input_tokens":9,"context_management":{}}', None),
        (b'{"input_tokens":"9"}', "bad_upstream_answer"),
        (b'{"type":"error","error":{"type":"not_found_error","message":"m"}}', ""),
        (b"", "bad_upstream_answer"),
    ],
)
def test_the_counting_answer(body: bytes, code: str | None) -> None:
    answer = COUNTER.read_answer(body, COUNTER.prepare(b'{"model":"m"}', Peek("m"), Target("m", Traits())))
    assert answer.body == body
    assert (answer.error.code if answer.error is not None else None) == code
