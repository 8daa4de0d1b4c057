"""The embeddings interface of OpenAI: ``data`` is a list, usage is one count."""

from typing import Any

from aimesh.core.ids import InterfaceId
from aimesh.core.usage import NO_USAGE, Usage
from aimesh.wire.embeddings import EmbeddingInterface
from aimesh.wire.interface import Family
from aimesh.wire.numbers import whole


def read_usage(usage: dict[str, Any]) -> Usage:
    prompt = whole(usage.get("prompt_tokens")) or whole(usage.get("total_tokens"))
    return Usage(input_tokens=prompt) if prompt else NO_USAGE


EMBEDDINGS = EmbeddingInterface(InterfaceId("open_ai_embedding"), Family.OPENAI, read_usage)
