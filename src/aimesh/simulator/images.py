"""Pictures: OpenAI's images/generations and Ark's Seedream, whole and streamed.

1. A picture is a real PNG of the size that was asked for. Ark's older models really answer with JPEG; we only
   make PNG, and the URL says so.
2. Seedream checks ``size`` per model, and refuses ``n``, which is no parameter of Ark's.
"""

import base64
import re
from collections.abc import Iterator

from aimesh.simulator import failures, media
from aimesh.simulator.answers import Answer, Call, Dialect, Json, Refusal, Stream, encode_json, integer, whole
from aimesh.simulator.compose import count_tokens
from aimesh.simulator.models import dated, require_model, unsupported
from aimesh.simulator.world import World

_PIXELS = re.compile(r"(\d{2,5})x(\d{2,5})", re.IGNORECASE)
_PRESETS = {"1k": 1024, "2k": 2048, "3k": 3072, "4k": 4096}
_MOST_PIXELS = 16_777_216
_ARK_RULES: tuple[tuple[re.Pattern[str], tuple[str, ...], int], ...] = (
    # Model, presets, fewest pixels (82379/1541523).
    (re.compile(r"seedream-5[.-]0"), ("2k", "3k", "4k"), 3_686_400),
    (re.compile(r"seedream-4[.-]5"), ("2k", "4k"), 3_686_400),
    (re.compile(r"seedream-4[.-]0"), ("1k", "2k", "4k"), 921_600),
)
_MODERATED = "moderated picture"
"""A prompt with these words loses its last picture to moderation."""


def answer_openai(call: Call, world: World) -> Answer:
    model = require_model(call)
    body = call.body
    prompt = body.get("prompt")
    if not isinstance(prompt, str) or not prompt:
        raise Refusal(400, "", "Missing required parameter: 'prompt'.", param="prompt")
    count = integer(body.get("n", 1))
    if count is None or not 1 <= count <= 10:
        raise failures.invalid(call.dialect, "n must be between 1 and 10.", "n")
    asked = body.get("size", "1024x1024")
    if asked == "auto":
        asked = "1024x1024"
    size = _PIXELS.fullmatch(asked) if isinstance(asked, str) else None
    if size is None or int(size[1]) * int(size[2]) > _MOST_PIXELS:
        raise failures.invalid(call.dialect, f"Invalid size {asked!r}.", "size")
    width, height = int(size[1]), int(size[2])
    # gpt-image models always give base64; the older ones a URL unless asked.
    packed = model.startswith("gpt-image") or body.get("response_format") == "b64_json"
    seeds = [media.seed_of(f"{prompt}{index}") for index in range(count)]
    prompt_tokens = count_tokens(prompt)
    output_tokens = width * height // 256 * count
    usage: Json = {
        "input_tokens": prompt_tokens,
        "input_tokens_details": {"text_tokens": prompt_tokens, "image_tokens": 0},
        "output_tokens": output_tokens,
        "total_tokens": prompt_tokens + output_tokens,
    }
    created = int(world.clock.wall_s())
    if body.get("stream") is True:
        partial = max(0, min(3, integer(body.get("partial_images")) or 0))
        frames = _openai_frames(seeds[0], (width, height), partial, {"created_at": created, "usage": usage})
        error = failures.body(call.dialect, failures.by_status(call.dialect, 500), call.request_id)
        return Stream(frames, b"event: error\ndata: " + encode_json(error) + b"\n\n")
    answer: Json = {
        "created": created,
        "data": [_picture(call, seed, (width, height), packed=packed) for seed in seeds],
        "output_format": "png",
        "size": f"{width}x{height}",
    }
    if not call.shape.no_usage:
        answer["usage"] = usage
    return whole(answer)


def _openai_frames(seed: str, size: tuple[int, int], partial: int, closing: Json) -> Iterator[bytes]:
    width, height = size
    for index in range(partial):
        # Earlier pictures are coarser ones.
        coarse = media.png(seed, max(1, width >> (partial - index)), max(1, height >> (partial - index)))
        yield _event(
            "image_generation.partial_image",
            {"partial_image_index": index, "b64_json": base64.b64encode(coarse).decode()},
        )
    picture = base64.b64encode(media.png(seed, width, height)).decode()
    facts = {"b64_json": picture, "size": f"{width}x{height}", "output_format": "png"}
    yield _event("image_generation.completed", facts | closing)


def _event(name: str, data: Json) -> bytes:
    return f"event: {name}\ndata: ".encode() + encode_json({"type": name} | data) + b"\n\n"


def _picture(call: Call, seed: str, size: tuple[int, int], *, packed: bool) -> Json:
    width, height = size
    if packed:
        return {"b64_json": base64.b64encode(media.png(seed, width, height)).decode()}
    return {"url": f"{call.origin}/files/png-{seed}-{width}x{height}.png"}


def answer_ark(call: Call, world: World) -> Answer:
    model = require_model(call)
    body = call.body
    prompt = body.get("prompt")
    if not isinstance(prompt, str) or not prompt:
        raise Refusal(400, "MissingParameter", "missing required parameter: prompt.", param="prompt", kind="")
    if "n" in body:
        raise unsupported("The parameter `n` is not supported by this model.")
    form = body.get("response_format", "url")
    if form not in ("url", "b64_json"):
        raise Refusal(400, "InvalidParameter", "response_format must be url or b64_json.", kind="")
    width, height = _ark_size(model, body.get("size", "2048x2048"))
    count = _ark_count(body)
    moderated = 1 if _MODERATED in prompt else 0
    results: list[Json] = []
    for index in range(count):
        if index >= count - moderated:
            blocked = "The request failed because the output image may contain sensitive information."
            results.append({"error": {"code": "OutputImageSensitiveContentDetected", "message": blocked}})
            continue
        seed = media.seed_of(f"{prompt}{index}")
        picture = _picture(call, seed, (width, height), packed=form == "b64_json")
        results.append(picture | {"size": f"{width}x{height}"})
    made = count - moderated
    tokens = made * (width * height // 256)
    usage: Json = {"generated_images": made, "output_tokens": tokens, "total_tokens": tokens}
    head: Json = {"model": dated(model), "created": int(world.clock.wall_s())}
    if body.get("stream") is True:
        error = failures.body(Dialect.ARK, failures.by_status(Dialect.ARK, 500), call.request_id)
        frames = _ark_frames(call, head, results, usage)
        return Stream(frames, b"event: error\ndata: " + encode_json(error) + b"\n\n")
    answer = head | {"data": results}
    if not made:
        answer["error"] = results[0]["error"]
    if not call.shape.no_usage:
        answer["usage"] = usage
    return whole(answer)


def _ark_frames(call: Call, head: Json, results: list[Json], usage: Json) -> Iterator[bytes]:
    for index, result in enumerate(results):
        name = (
            "image_generation.partial_failed" if "error" in result else "image_generation.partial_succeeded"
        )
        yield _event(name, head | {"image_index": index} | result)
    yield _event("image_generation.completed", head if call.shape.no_usage else head | {"usage": usage})
    if not call.shape.no_done:
        yield b"data: [DONE]\n\n"


def _ark_size(model: str, asked: object) -> tuple[int, int]:
    presets, fewest = next(
        ((names, least) for pattern, names, least in _ARK_RULES if pattern.search(model)),
        (tuple(_PRESETS), 921_600),
    )
    text = asked.lower() if isinstance(asked, str) else ""
    if text in presets:
        return _PRESETS[text], _PRESETS[text]
    pixels = _PIXELS.fullmatch(text)
    if pixels is None:
        names = ", ".join(f"'{name}'" for name in presets[:-1])
        choices = f"'WIDTHxHEIGHT', {names}, or '{presets[-1]}'"
        message = (
            f"The parameter `size` specified in the request is not valid: size must be one of {choices}."
        )
        raise Refusal(400, "InvalidParameter", message, param="size", kind="")
    width, height = int(pixels[1]), int(pixels[2])
    if not fewest <= width * height <= _MOST_PIXELS or not 1 / 16 <= width / height <= 16:
        message = (
            "The parameter `size` specified in the request is not valid: image size must be at least "
            f"{fewest} pixels and at most {_MOST_PIXELS} pixels."
        )
        raise Refusal(400, "InvalidParameter", message, param="size", kind="")
    return width, height


def _ark_count(body: Json) -> int:
    if body.get("sequential_image_generation", "disabled") != "auto":
        return 1
    options = body.get("sequential_image_generation_options")
    asked = options.get("max_images") if isinstance(options, dict) else None
    if asked is None:
        return 2
    most = integer(asked)
    if most is None or not 1 <= most <= 15:
        message = "The parameter `sequential_image_generation_options.max_images` must be between 1 and 15."
        raise Refusal(400, "InvalidParameter", message, kind="")
    return most
