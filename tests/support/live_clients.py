"""The official Python SDKs, pointed at a live gateway."""

from collections.abc import Coroutine
from typing import Any, TypeVar

import anthropic
import openai
import uvloop
from tests.support.live import Live
from volcenginesdkarkruntime import Ark, AsyncArk

TIMEOUT_S = 20.0
T = TypeVar("T")


def drive(coroutine: Coroutine[Any, Any, T]) -> T:
    """Runs an asyncio client in a test."""
    return uvloop.run(coroutine)


def openai_client(live: Live, path: str = "/v1", *, key: str = "", max_retries: int = 0) -> openai.OpenAI:
    return openai.OpenAI(
        base_url=live.base(path), api_key=key or live.key, max_retries=max_retries, timeout=TIMEOUT_S
    )


def openai_async(live: Live, path: str = "/v1", *, key: str = "", max_retries: int = 0) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(
        base_url=live.base(path), api_key=key or live.key, max_retries=max_retries, timeout=TIMEOUT_S
    )


def anthropic_client(
    live: Live, path: str = "", *, key: str = "", max_retries: int = 0
) -> anthropic.Anthropic:
    return anthropic.Anthropic(
        base_url=live.base(path), api_key=key or live.key, max_retries=max_retries, timeout=TIMEOUT_S
    )


def anthropic_async(
    live: Live, path: str = "", *, key: str = "", max_retries: int = 0
) -> anthropic.AsyncAnthropic:
    return anthropic.AsyncAnthropic(
        base_url=live.base(path), api_key=key or live.key, max_retries=max_retries, timeout=TIMEOUT_S
    )


def ark_client(live: Live, *, key: str = "", max_retries: int = 0) -> Any:
    return Ark(
        base_url=live.base("/api/v3"), api_key=key or live.key, max_retries=max_retries, timeout=TIMEOUT_S
    )


def ark_async(live: Live, *, key: str = "", max_retries: int = 0) -> Any:
    return AsyncArk(
        base_url=live.base("/api/v3"), api_key=key or live.key, max_retries=max_retries, timeout=TIMEOUT_S
    )
