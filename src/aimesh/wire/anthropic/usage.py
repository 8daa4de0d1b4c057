"""Usage of a message. ``input_tokens`` leaves cached parts out in this protocol; the sum is taken here."""

from typing import Any

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
    )
