"""Usage of a chat answer, in every spelling that upstreams of this interface use.

1. ``prompt_tokens`` is the whole prompt, cached parts inside; ``completion_tokens`` holds the reasoning.
2. Where only Anthropic's names stand (a translating gateway in front), its convention holds: ``input_tokens``
   leaves the cached parts out, so they are added.
"""

from typing import Annotated, Any

from msgspec import Meta, Struct

from aimesh.core.usage import NO_USAGE, Usage
from aimesh.wire.numbers import Path, first, whole

_CACHED: tuple[Path, ...] = (
    ("prompt_tokens_details", "cached_tokens"),
    ("prompt_cache_hit_tokens",),  # DeepSeek
    ("cached_tokens",),  # Kimi
    ("cache_read_input_tokens",),  # Anthropic names
    ("input_tokens_details", "cached_tokens"),
)
_WRITTEN: tuple[Path, ...] = (
    ("prompt_tokens_details", "cache_write_tokens"),
    ("prompt_tokens_details", "cache_creation_input_tokens"),  # Qwen, explicit cache
    ("cache_creation_input_tokens",),
)
_WRITTEN_1H: tuple[Path, ...] = (
    ("prompt_tokens_details", "cache_creation", "ephemeral_1h_input_tokens"),
    ("cache_creation", "ephemeral_1h_input_tokens"),
)
_WRITTEN_5M: tuple[Path, ...] = (
    ("prompt_tokens_details", "cache_creation", "ephemeral_5m_input_tokens"),
    ("cache_creation", "ephemeral_5m_input_tokens"),
)
_REASONING: tuple[Path, ...] = (
    ("completion_tokens_details", "reasoning_tokens"),
    ("output_tokens_details", "reasoning_tokens"),
    ("output_tokens_details", "thinking_tokens"),
    ("reasoning_tokens",),
)
_IMAGE: tuple[Path, ...] = (("prompt_tokens_details", "image_tokens"),)
_VIDEO: tuple[Path, ...] = (("prompt_tokens_details", "video_tokens"),)
_AUDIO_IN: tuple[Path, ...] = (("prompt_tokens_details", "audio_tokens"),)
_AUDIO_OUT: tuple[Path, ...] = (("completion_tokens_details", "audio_tokens"),)


def read_usage(usage: dict[str, Any]) -> Usage:
    cached = first(usage, _CACHED)
    written_1h = first(usage, _WRITTEN_1H)
    written = first(usage, _WRITTEN) or first(usage, _WRITTEN_5M) + written_1h
    if "prompt_tokens" in usage:
        prompt = whole(usage["prompt_tokens"])
    else:
        prompt = whole(usage.get("input_tokens"))
        if "cache_read_input_tokens" in usage or "cache_creation_input_tokens" in usage:
            prompt += cached + written
    if "completion_tokens" in usage or "output_tokens" in usage:
        answer = whole(usage.get("completion_tokens")) or whole(usage.get("output_tokens"))
    else:
        answer = max(whole(usage.get("total_tokens")) - prompt, 0)
    if not prompt and not answer:
        return NO_USAGE
    return Usage(
        input_tokens=prompt,
        output_tokens=answer,
        cached_tokens=cached,
        cache_write_tokens=written,
        cache_write_1h_tokens=written_1h,
        reasoning_tokens=first(usage, _REASONING),
        input_image_tokens=first(usage, _IMAGE) + first(usage, _VIDEO),
        input_audio_tokens=first(usage, _AUDIO_IN),
        output_audio_tokens=first(usage, _AUDIO_OUT),
    )


Whole = Annotated[int, Meta(ge=0)]


class _PromptDetails(Struct, gc=False):
    cached_tokens: Whole = 0
    cache_write_tokens: Whole = 0
    audio_tokens: Whole = 0
    image_tokens: Whole = 0
    video_tokens: Whole = 0
    cache_creation_input_tokens: Any = None
    cache_creation: Any = None


class _AnswerDetails(Struct, gc=False):
    reasoning_tokens: Whole = 0
    audio_tokens: Whole = 0


_NO_PROMPT_DETAILS = _PromptDetails()
_NO_ANSWER_DETAILS = _AnswerDetails()


class PlainUsage(Struct, gc=False):
    """OpenAI's own spelling, for the fast decoder. The other spellings are named only to be noticed."""

    prompt_tokens: Whole
    completion_tokens: Whole
    prompt_tokens_details: _PromptDetails | None = None
    completion_tokens_details: _AnswerDetails | None = None
    prompt_cache_hit_tokens: Any = None
    cached_tokens: Any = None
    cache_read_input_tokens: Any = None
    cache_creation_input_tokens: Any = None
    cache_creation: Any = None
    reasoning_tokens: Any = None

    def read(self) -> Usage | None:
        """None when another spelling stands there, which ``read_usage`` knows."""
        prompt = self.prompt_tokens_details or _NO_PROMPT_DETAILS
        answer = self.completion_tokens_details or _NO_ANSWER_DETAILS
        if (
            self.prompt_cache_hit_tokens
            or self.cached_tokens
            or self.cache_read_input_tokens
            or self.cache_creation_input_tokens
            or self.cache_creation
            or self.reasoning_tokens
            or prompt.cache_creation_input_tokens
            or prompt.cache_creation
            or not self.prompt_tokens
            or not self.completion_tokens
        ):
            return None
        # Positional, in the order of Usage's fields: this runs once per call.
        return Usage(
            True,
            self.prompt_tokens,
            self.completion_tokens,
            prompt.cached_tokens,
            prompt.cache_write_tokens,
            0,
            answer.reasoning_tokens,
            prompt.image_tokens + prompt.video_tokens,
            prompt.audio_tokens,
            answer.audio_tokens,
        )
