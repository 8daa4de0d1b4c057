"""The multimodal embeddings interface of Ark.

1. ``data`` is one object, not a list: the whole input makes one vector.
2. Text and picture tokens have different prices, so both are read.
"""

from typing import Any

from aimesh.core.ids import InterfaceId
from aimesh.core.usage import NO_USAGE, Usage
from aimesh.wire.answer import object_of
from aimesh.wire.embeddings import EmbeddingInterface
from aimesh.wire.interface import Family
from aimesh.wire.numbers import whole


def read_usage(usage: dict[str, Any]) -> Usage:
    details = object_of(usage.get("prompt_tokens_details"))
    video = whole(details.get("video_tokens"))
    images = whole(details.get("image_tokens")) + video
    prompt = whole(usage.get("prompt_tokens")) or whole(details.get("text_tokens")) + images
    if not prompt:
        return NO_USAGE
    return Usage(input_tokens=prompt, input_image_tokens=images, input_video_tokens=video)


ARK_EMBEDDINGS = EmbeddingInterface(InterfaceId("ark_embedding"), Family.ARK, read_usage)
