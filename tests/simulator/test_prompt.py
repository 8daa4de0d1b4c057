"""What a chat's prompt costs, by kind of content and by cache."""

from typing import Any

import pytest

from aimesh.core.clock import FixedClock
from aimesh.simulator.answers import PLAIN, Call, Dialect
from aimesh.simulator.compose import Wish, compose
from aimesh.simulator.prompt import IMAGE_TOKENS, chat_usage, text_of
from aimesh.simulator.world import Settings, World

MADE = compose(Wish(prompt="hello"), PLAIN)
LONG = "a long document, again and again. " * 20


def new_world() -> World:
    return World(FixedClock(), Settings(), 1)


def usage(dialect: Dialect, content: Any, world: World) -> Any:
    call = Call(method="POST", path="/x", provider="p", dialect=dialect)
    messages = [{"role": "system", "content": content}, {"role": "user", "content": "hello"}]
    call.body = {"model": "m", "messages": messages}
    return chat_usage(call, world, messages, MADE)


def test_text_of_contents() -> None:
    assert text_of("a") == ("a", 0)
    assert text_of([{"type": "text", "text": "a"}, "b", {"type": "image_url"}, 3]) == ("a\nb", 1)
    assert text_of(None) == ("", 0)


@pytest.mark.parametrize(
    ("dialect", "details"),
    [
        (
            Dialect.COMPATIBLE,
            {"image_tokens": 2 * IMAGE_TOKENS, "video_tokens": IMAGE_TOKENS, "audio_tokens": IMAGE_TOKENS},
        ),
        (Dialect.ARK, {"audio_tokens": IMAGE_TOKENS}),
        (Dialect.OPENAI, {"audio_tokens": IMAGE_TOKENS}),
    ],
)
def test_media_have_their_own_names(dialect: Dialect, details: dict[str, int]) -> None:
    kinds = ["image_url", "image_url", "video_url", "input_audio", "file", 5]
    found = usage(dialect, [{"type": kind} for kind in kinds], new_world())
    assert found["prompt_tokens_details"] == {"cached_tokens": 0} | details
    assert found["prompt_tokens"] > 6 * IMAGE_TOKENS


def test_the_explicit_cache_is_written_and_hit() -> None:
    marked = [{"type": "text", "text": LONG, "cache_control": {"type": "ephemeral"}}]
    world = new_world()
    first, again = usage(Dialect.COMPATIBLE, marked, world), usage(Dialect.COMPATIBLE, marked, world)
    written = first["prompt_tokens_details"]["cache_creation_input_tokens"]
    assert 150 < written < first["prompt_tokens"]
    assert again["prompt_tokens_details"] == {
        "cached_tokens": written,
        "cache_creation_input_tokens": 0,
        "cache_creation": {"ephemeral_5m_input_tokens": 0},
        "cache_type": "ephemeral",
    }


def test_the_implicit_cache_says_less() -> None:
    world = new_world()
    usage(Dialect.COMPATIBLE, LONG, world)
    details = usage(Dialect.COMPATIBLE, LONG, world)["prompt_tokens_details"]
    assert set(details) == {"cached_tokens"}
    assert details["cached_tokens"] > 150
