"""``GET /models``: one document that the SDKs of both families read.

1. Each entry carries OpenAI's members and Anthropic's; the list has both ways of paging, and is always whole:
   ``has_more`` true with an unchanged ``last_id`` would make the Anthropic SDK ask for ever.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct


class ListedModel(Struct, frozen=True):
    id: str
    title: str
    owner: str
    """The vendor."""
    created_at_s: int
    description: str = ""
    max_input_tokens: int = 0
    """0: unknown, and left out."""
    max_output_tokens: int = 0


def encode_models(models: Iterable[ListedModel]) -> bytes:
    entries = [_entry(model) for model in models]
    return msgspec.json.encode(
        {
            "object": "list",
            "data": entries,
            "has_more": False,
            "first_id": entries[0]["id"] if entries else None,
            "last_id": entries[-1]["id"] if entries else None,
        }
    )


def encode_model(model: ListedModel) -> bytes:
    return msgspec.json.encode(_entry(model))


def _entry(model: ListedModel) -> dict[str, Any]:
    created_at = datetime.fromtimestamp(model.created_at_s, UTC)
    entry: dict[str, Any] = {
        "id": model.id,
        "object": "model",
        "created": model.created_at_s,
        "owned_by": model.owner,
        "type": "model",
        "display_name": model.title or model.id,
        "created_at": created_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "lifecycle": "active",
        "description": model.description,
    }
    if model.max_input_tokens:
        entry["max_input_tokens"] = model.max_input_tokens
    if model.max_output_tokens:
        entry["max_tokens"] = model.max_output_tokens
    return entry
