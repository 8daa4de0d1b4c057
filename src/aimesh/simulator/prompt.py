"""The size of a prompt, and what a chat's usage says of it.

1. A picture, a clip and a sound count the same, each under its own name where the dialect has one.
2. Compatible mode has two caches, one per request: the implicit one of everybody, and the explicit one of messages
   up to the last ``cache_control``, which alone reports what was written
   (https://www.alibabacloud.com/help/en/model-studio/context-cache).
"""

from aimesh.simulator.answers import Call, Dialect, Json, encode_json, objects
from aimesh.simulator.compose import Composition, count_tokens
from aimesh.simulator.world import CACHE_FROM_TOKENS, World

IMAGE_TOKENS = 85
_MEDIA = {
    "image_url": "image_tokens",
    "video": "video_tokens",
    "video_url": "video_tokens",
    "input_audio": "audio_tokens",
}


def text_of(content: object) -> tuple[str, int]:
    """The text of a message's content, and how many pictures, clips or files stand beside it."""
    if isinstance(content, str):
        return content, 0
    if not isinstance(content, list):
        return "", 0
    said = []
    media = 0
    for part in content:
        if isinstance(part, str):
            said.append(part)
        elif isinstance(part, dict):
            text = part.get("text", part.get("refusal"))
            if isinstance(text, str):
                said.append(text)
            else:
                media += 1
    return "\n".join(said), media


def prompt_parts(messages: list[Json]) -> list[tuple[str, int]]:
    """Text and size of each message, for the prompt cache."""
    parts = []
    for message in messages:
        content = message.get("content")
        text, media = text_of(content)
        if calls := message.get("tool_calls"):
            text += encode_json(calls).decode()
        size = count_tokens(text) + 4 + media * IMAGE_TOKENS
        if media:
            text = encode_json(content).decode()
        parts.append((text, size))
    return parts


def chat_usage(call: Call, world: World, messages: list[Json], made: Composition) -> Json:
    parts = prompt_parts(messages)
    tools = call.body.get("tools")
    if tools:
        text = encode_json(tools).decode()
        parts.insert(0, (text, count_tokens(text)))
    prompt_tokens = sum(size for _, size in parts)
    count = call.body.get("n") or 1
    completion_tokens = made.output_tokens * count
    usage: Json = {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
        "prompt_tokens_details": _cached(call, world, messages, parts) | _media(call.dialect, messages),
        "completion_tokens_details": {"reasoning_tokens": made.reasoning_tokens * count},
    }
    if call.dialect is Dialect.OPENAI:
        usage["completion_tokens_details"] |= {
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        }
    return usage


def _cached(call: Call, world: World, messages: list[Json], parts: list[tuple[str, int]]) -> Json:
    scope = f"{call.provider}\0{call.body.get('model')}"
    marks = [at for at, message in enumerate(messages) if _is_marked(message)]
    if call.dialect is not Dialect.COMPATIBLE or not marks:
        return {"cached_tokens": world.cached_tokens(scope, parts)}
    marked = parts[: marks[-1] + 1 + len(parts) - len(messages)]
    size = sum(tokens for _, tokens in marked)
    read = world.cached_tokens(f"{scope}\0explicit", marked)
    # One token below the whole means that all of it was known.
    read = size if read == size - 1 else read
    written = size - read if size >= CACHE_FROM_TOKENS else 0
    return {
        "cached_tokens": read,
        "cache_creation_input_tokens": written,
        "cache_creation": {"ephemeral_5m_input_tokens": written},
        "cache_type": "ephemeral",
    }


def _is_marked(message: Json) -> bool:
    return any("cache_control" in part for part in objects(message.get("content")))


def _media(dialect: Dialect, messages: list[Json]) -> Json:
    """Tokens of the media by kind: all kinds in compatible mode, sounds alone elsewhere."""
    found: Json = {"audio_tokens": 0} if dialect is Dialect.OPENAI else {}
    for message in messages:
        for part in objects(message.get("content")):
            kind = part.get("type")
            name = _MEDIA.get(kind) if isinstance(kind, str) else None
            if name is not None and (dialect is Dialect.COMPATIBLE or name == "audio_tokens"):
                found[name] = found.get(name, 0) + IMAGE_TOKENS
    return found
