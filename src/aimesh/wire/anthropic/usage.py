"""Usage of a message. ``input_tokens`` leaves cached parts out in this protocol; the sum is taken here.

Upstreams that speak it beside a cache of their own (Qwen) use one kind of cache per request, and only the one that
the caller asked for is written to: hits beside a write are known to be its. Of hits alone nobody says.
"""

from typing import Annotated, Any

from msgspec import Meta, Struct, structs

from aimesh.core.usage import NO_USAGE, Usage
from aimesh.wire.answer import object_of
from aimesh.wire.numbers import whole


def read_usage(usage: dict[str, Any]) -> Usage:
    read = whole(usage.get("cache_read_input_tokens"))
    lifetimes = object_of(usage.get("cache_creation"))
    written_1h = whole(lifetimes.get("ephemeral_1h_input_tokens"))
    written = (
        whole(usage.get("cache_creation_input_tokens"))
        or whole(lifetimes.get("ephemeral_5m_input_tokens")) + written_1h
    )
    prompt = whole(usage.get("input_tokens")) + read + written
    answer = whole(usage.get("output_tokens"))
    if not prompt and not answer:
        return NO_USAGE
    return Usage(
        input_tokens=prompt,
        output_tokens=answer,
        cached_tokens=read,
        cache_write_tokens=written,
        cache_write_1h_tokens=written_1h,
        reasoning_tokens=whole(object_of(usage.get("output_tokens_details")).get("thinking_tokens")),
        explicit_cached_tokens=read if written else 0,
    )


Whole = Annotated[int, Meta(ge=0)]


class _Lifetimes(Struct, gc=False):
    ephemeral_1h_input_tokens: Whole = 0


class _AnswerDetails(Struct, gc=False):
    thinking_tokens: Whole = 0


class PlainUsage(Struct, gc=False):
    """The usual spelling, for the fast decoder; what it refuses is read by ``read_usage``."""

    input_tokens: Whole
    output_tokens: Whole
    cache_read_input_tokens: Whole | None = None
    cache_creation_input_tokens: Whole | None = None
    cache_creation: _Lifetimes | None = None
    output_tokens_details: _AnswerDetails | None = None

    def read(self) -> Usage | None:
        """None where the parts must be searched for."""
        read = self.cache_read_input_tokens or 0
        written = self.cache_creation_input_tokens or 0
        if not self.input_tokens or (self.cache_creation is not None and not written):
            return None
        # Positional, in the order of Usage's fields: this runs once per call.
        usage = Usage(
            True,
            self.input_tokens + read + written,
            self.output_tokens,
            read,
            written,
            0 if self.cache_creation is None else self.cache_creation.ephemeral_1h_input_tokens,
            0 if self.output_tokens_details is None else self.output_tokens_details.thinking_tokens,
        )
        return structs.replace(usage, explicit_cached_tokens=read) if read and written else usage
