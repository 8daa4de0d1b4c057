"""Embeddings: OpenAI's shape (three dialects), Ark's multimodal, DashScope's native text and multimodal.

1. A vector depends on its content and size only, and has length 1.
2. Base64 and floats of the same vector are the same numbers: floats are rounded to float32 first.
"""

import base64
import hashlib
import math
import struct
from typing import Any

from aimesh.simulator import failures
from aimesh.simulator.answers import (
    Answer,
    Call,
    Dialect,
    Json,
    Refusal,
    encode_json,
    integer,
    members,
    whole,
)
from aimesh.simulator.compose import count_tokens
from aimesh.simulator.models import dated, require_model
from aimesh.simulator.world import World

_IMAGE_TOKENS = {Dialect.DASHSCOPE: 896, Dialect.ARK: 497}
"""Tokens of one picture, as in the providers' own samples."""


def vector(content: bytes, size: int) -> tuple[float, ...]:
    words = struct.unpack(f"<{size}h", hashlib.shake_256(content).digest(size * 2))
    scale = 1 / (math.sqrt(sum([word * word for word in words])) or 1.0)
    return struct.unpack(f"<{size}f", struct.pack(f"<{size}f", *[word * scale for word in words]))


def answer_text(call: Call, world: World) -> Answer:
    """``/embeddings`` of OpenAI, compatible mode and Ark."""
    model = require_model(call)
    body = call.body
    items = _text_inputs(call)
    sizes, default = _sizes(call.dialect, model)
    size = _size(call, body.get("dimensions"), sizes, default)
    form = body.get("encoding_format", "float")
    if form not in ("float", "base64"):
        raise failures.invalid(call.dialect, "encoding_format must be float or base64.", "encoding_format")
    # Compatible mode documents floats only, and gives floats to whoever asks for base64.
    packed = form == "base64" and call.dialect is not Dialect.COMPATIBLE
    data = []
    for index, item in enumerate(items):
        numbers = vector(item.encode("utf-8", "surrogatepass"), size)
        shown: Any = base64.b64encode(struct.pack(f"<{size}f", *numbers)).decode() if packed else numbers
        data.append({"object": "embedding", "index": index, "embedding": shown})
    tokens = sum(count_tokens(item) for item in items)
    answer: Json = {"object": "list", "data": data, "model": model}
    if not call.shape.no_usage:
        answer["usage"] = {"prompt_tokens": tokens, "total_tokens": tokens}
    if call.dialect is Dialect.COMPATIBLE:
        answer["id"] = call.request_id
    if call.dialect is Dialect.ARK:
        answer |= {
            "id": "0217" + call.request_id,
            "created": int(world.clock.wall_s()),
            "model": dated(model),
        }
    return whole(answer)


def _text_inputs(call: Call) -> list[str]:
    given = call.body.get("input")
    items = [given] if isinstance(given, str) else given
    if not isinstance(items, list) or not items:
        raise failures.invalid(call.dialect, "Missing required parameter: 'input'.", "input")
    if call.dialect is Dialect.OPENAI and all(isinstance(item, int) for item in items):
        items = [items]
    if call.dialect is Dialect.COMPATIBLE and len(items) > 10:
        raise failures.invalid(
            call.dialect, "batch size is invalid, it should not be larger than 10.", "input"
        )
    texts = []
    for at, item in enumerate(items):
        is_tokens = isinstance(item, list) and all(isinstance(token, int) for token in item)
        if is_tokens and call.dialect is Dialect.OPENAI:
            texts.append(encode_json(item).decode())
        elif isinstance(item, str) and item:
            texts.append(item)
        elif call.dialect is Dialect.ARK:
            raise Refusal(
                400, "InvalidParameter", "expected a string, but got `map[…]`", param=f"input[{at}]"
            )
        else:
            raise failures.invalid(
                call.dialect, "input must be a string or a list of strings.", f"input[{at}]"
            )
    return texts


def _sizes(dialect: Dialect, model: str) -> tuple[tuple[int, ...], int]:
    """Sizes that may be asked for (none listed: any), and the default."""
    if dialect is Dialect.ARK:
        return (1024, 2048), 2048
    if "text-embedding-v4" in model:
        return (2048, 1536, 1024, 768, 512, 256, 128, 64), 1024
    if "text-embedding-v3" in model:
        return (1024, 768, 512, 256, 128, 64), 1024
    return (), 3072 if "3-large" in model else 1536


def _size(call: Call, asked: object, sizes: tuple[int, ...], default: int) -> int:
    if asked is None:
        return default
    if (size := integer(asked)) is None or not 1 <= size <= 4096 or (sizes and size not in sizes):
        allowed = ", ".join(map(str, sizes)) or "1 to 4096"
        raise failures.invalid(
            call.dialect, f"dimensions {asked!r} is not supported, expected one of: {allowed}."
        )
    return size


def answer_ark_multimodal(call: Call, world: World) -> Answer:
    """The whole list gives one vector; ``data`` is one object (82379/1523520)."""
    model = require_model(call)
    items = call.body.get("input")
    if not isinstance(items, list) or not items:
        raise Refusal(400, "MissingParameter", "missing required parameter: input.", param="input")
    text_tokens = image_tokens = 0
    for at, item in enumerate(items):
        kind = item.get("type") if isinstance(item, dict) else None
        if kind == "text" and isinstance(item.get("text"), str):
            text_tokens += count_tokens(item["text"])
        elif (
            kind in ("image_url", "video_url") and isinstance(item.get(kind), dict) and item[kind].get("url")
        ):
            image_tokens += _IMAGE_TOKENS[Dialect.ARK]
        else:
            raise Refusal(
                400, "InvalidParameter", "The parameter `input` is not valid.", param=f"input[{at}]"
            )
    size = _size(call, call.body.get("dimensions"), (1024, 2048), 2048)
    numbers: Any = vector(encode_json(items), size)
    if call.body.get("encoding_format") == "base64":
        numbers = base64.b64encode(struct.pack(f"<{size}f", *numbers)).decode()
    answer: Json = {
        "id": "0217" + call.request_id,
        "created": int(world.clock.wall_s()),
        "object": "list",
        "model": dated(model),
        "data": {"embedding": numbers, "object": "embedding"},
    }
    if not call.shape.no_usage:
        total = text_tokens + image_tokens
        answer["usage"] = {
            "prompt_tokens": total,
            "prompt_tokens_details": {"image_tokens": image_tokens, "text_tokens": text_tokens},
            "total_tokens": total,
        }
    return whole(answer)


_CONTENT_KEYS = ("text", "image", "video", "multi_images", "audio")


def answer_dashscope_multimodal(call: Call, _world: World) -> Answer:
    """Only ``input.contents`` is official; an OpenAI-like list is refused, so that its mapping is tested."""
    model = require_model(call)
    if call.headers.get(b"x-dashscope-async"):
        text = "Current user api does not support asynchronous calls."
        raise Refusal(403, "AccessDenied", text)
    given = call.body.get("input")
    contents = given.get("contents") if isinstance(given, dict) else None
    if not isinstance(contents, list) or not contents:
        raise failures.invalid(call.dialect, "Required parameter(contents) missing or invalid.")
    if len(contents) > 20:
        raise failures.invalid(call.dialect, "batch size is invalid, it should not be larger than 20.")
    parameters = members(call.body.get("parameters"))
    sizes = (2560, 2048, 1536, 1024, 768, 512, 256) if model == "qwen3-vl-embedding" else ()
    size = _size(call, parameters.get("dimension"), sizes, sizes[0] if sizes else 1024)
    kinds = []
    for content in contents:
        found = [key for key in _CONTENT_KEYS if isinstance(content, dict) and content.get(key)]
        if not found:
            raise failures.invalid(call.dialect, "Required parameter(contents) missing or invalid.")
        kinds.append(found[0])
    if parameters.get("enable_fusion") is True:
        embeddings = [{"index": 0, "embedding": vector(encode_json(contents), size), "type": "fused"}]
    else:
        embeddings = [
            {"index": index, "embedding": vector(encode_json(content), size), "type": kind}
            for index, (content, kind) in enumerate(zip(contents, kinds, strict=True))
        ]
    answer: Json = {"output": {"embeddings": embeddings}, "request_id": call.request_id}
    if not call.shape.no_usage:
        texts = sum(count_tokens(str(content["text"])) for content in contents if content.get("text"))
        images = sum(kind != "text" for kind in kinds) * _IMAGE_TOKENS[Dialect.DASHSCOPE]
        answer["usage"] = _multimodal_usage(model, texts, images)
    return whole(answer)


def _multimodal_usage(model: str, texts: int, images: int) -> Json:
    """Newer models report the sum, with the parts inside."""
    if not model.startswith("tongyi-embedding-vision"):
        return {"input_tokens": texts, "image_tokens": images}
    return {
        "input_tokens": texts + images,
        "input_tokens_details": {"image_tokens": images, "text_tokens": texts},
        "output_tokens": 1,
        "total_tokens": texts + images + 1,
    }


def answer_dashscope_text(call: Call, _world: World) -> Answer:
    model = require_model(call)
    given = call.body.get("input")
    texts = given.get("texts") if isinstance(given, dict) else None
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
        raise failures.invalid(call.dialect, "Required parameter(texts) missing or invalid.")
    if len(texts) > 10:
        raise failures.invalid(call.dialect, "batch size is invalid, it should not be larger than 10.")
    sizes, default = _sizes(Dialect.COMPATIBLE, model)
    size = _size(call, members(call.body.get("parameters")).get("dimension"), sizes, default)
    answer: Json = {
        "output": {
            "embeddings": [
                {"text_index": index, "embedding": vector(text.encode("utf-8", "surrogatepass"), size)}
                for index, text in enumerate(texts)
            ]
        },
        "request_id": call.request_id,
    }
    if not call.shape.no_usage:
        answer["usage"] = {"total_tokens": sum(count_tokens(text) for text in texts)}
    return whole(answer)
