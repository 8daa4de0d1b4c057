"""Makes a creating request fit the endpoint.

1. A body that needs nothing but another model name is otherwise untouched.
2. For models whose pictures travel as ``input.media`` (trait ``video_media``), ``img_url`` and ``ref_img_url``
   become media entries, and ``size`` becomes ``resolution`` and ``ratio``. What the caller said in the official
   fields wins.
3. Knobs that such a model does not know are dropped and named as losses. Parameters that are null are dropped.
"""

from typing import Any

import msgspec
from msgspec import Struct

from aimesh.core.errors import BadRequest
from aimesh.core.usage import NO_USAGE, Usage
from aimesh.wire.dashscope_video.sizes import shape_of
from aimesh.wire.lenient import decode, decode_any
from aimesh.wire.numbers import seconds
from aimesh.wire.splice import Splice, members

_KNOBS_UNKNOWN = ("prompt_extend", "fps")
_VIDEO_MEDIA = frozenset({"video", "first_clip"})
_PICTURES = (("img_url", "first_frame"), ("ref_img_url", "reference_image"))


class _Body(Struct, gc=False):
    input: Any = None
    parameters: Any = None


_BODY = msgspec.json.Decoder(_Body)


def adapt(body: bytes, *, has_media: bool) -> tuple[bytes, tuple[str, ...]]:
    """The body, and the paths of what could not be carried. Raises ``BadRequest``."""
    splice = Splice(body)
    losses: list[str] = []
    follows_picture = False
    if has_media and (raw_input := splice.get("input")) is not None and raw_input.startswith(b"{"):
        moved = _move_pictures(raw_input)
        if moved is not None:
            splice.put("input", moved)
            raw_input = moved
        follows_picture = "first_frame" in _media_types(_decode(raw_input, "input"))
    raw_parameters = splice.get("parameters")
    if raw_parameters is None:
        splice.remove("parameters")
    elif raw_parameters.startswith(b"{"):
        fitting = _without_nulls(raw_parameters)
        if has_media:
            fitting = _adapt_parameters(fitting, losses, follows_picture=follows_picture)
        splice.put("parameters", fitting)
    return splice.render(), tuple(losses)


def _move_pictures(raw_input: bytes) -> bytes | None:
    """``input`` with its pictures as ``media``; None when it names none the old way."""
    fields = Splice(raw_input)
    entries: list[bytes] = []
    is_old = False
    for key, kind in _PICTURES:
        raw = fields.get(key)
        fields.remove(key)
        if raw is None:
            continue
        is_old = True
        entries += [_entry(kind, url) for url in _urls(raw, key)]
    if not is_old:
        return None
    media = fields.get("media")
    if media is not None and media.startswith(b"[") and media[1:-1].strip():
        entries.insert(0, media[1:-1].strip())
    fields.put("media", b"[%b]" % b",".join(entries))
    return fields.render()


def _decode(raw: bytes, place: str) -> Any:
    try:
        return decode_any(raw)
    except msgspec.DecodeError as error:
        raise BadRequest(f"{place} cannot be read", param=place) from error


def _urls(raw: bytes, key: str) -> list[str]:
    value = _decode(raw, f"input.{key}")
    urls = [value] if isinstance(value, str) else value
    if not isinstance(urls, list) or not urls or not all(isinstance(url, str) and url for url in urls):
        raise BadRequest(f"input.{key} is neither an address nor a list of addresses", param=f"input.{key}")
    return urls


def _entry(kind: str, url: str) -> bytes:
    return msgspec.json.encode({"type": kind, "url": url})


def _without_nulls(raw: bytes) -> bytes:
    parameters = Splice(raw)
    for member in members(raw):
        if raw[member.value_start : member.value_end] == b"null":
            parameters.remove(member.key)
    return parameters.render()


def _adapt_parameters(raw: bytes, losses: list[str], *, follows_picture: bool) -> bytes:
    parameters = Splice(raw)
    for knob in _KNOBS_UNKNOWN:
        if parameters.get(knob) is not None:
            parameters.remove(knob)
            losses.append(f"parameters.{knob}")
    if (size := parameters.get("size")) is not None:
        parameters.remove("size")
        value = _decode(size, "parameters.size")
        shape = shape_of(value) if isinstance(value, str) else None
        if shape is None:
            losses.append("parameters.size")
        else:
            if parameters.get("resolution") is None:
                parameters.put("resolution", msgspec.json.encode(shape.resolution))
            # With a first frame the picture decides the ratio, and the field is refused.
            if parameters.get("ratio") is None and not follows_picture:
                parameters.put("ratio", msgspec.json.encode(shape.ratio))
    return parameters.render()


def read_request(body: bytes) -> Usage:
    """What the request says about its price; the finished task says what was really made."""
    try:
        request, _ = decode(_BODY, body)
    except msgspec.DecodeError:
        return NO_USAGE
    parameters = request.parameters if isinstance(request.parameters, dict) else {}
    size = parameters.get("size")
    shape = shape_of(size) if isinstance(size, str) else None
    resolution = parameters.get("resolution") or (shape.resolution if shape else "")
    ratio = parameters.get("ratio") or (shape.ratio if shape else "")
    return Usage(
        reported=False,
        video_resolution=resolution if isinstance(resolution, str) else "",
        video_ratio=ratio if isinstance(ratio, str) else "",
        video_seconds=seconds(parameters.get("duration")),
        video_audio=_has_sound(request.input, parameters),
        input_video=_has_video(request.input),
    )


def _has_sound(request_input: object, parameters: dict[str, Any]) -> bool:
    """Where the request says so; some models make sound unasked."""
    audio = parameters.get("audio")
    if isinstance(audio, bool):
        return audio
    fields = request_input if isinstance(request_input, dict) else {}
    return bool(fields.get("audio_url")) or "driving_audio" in _media_types(fields)


def _has_video(request_input: object) -> bool:
    fields = request_input if isinstance(request_input, dict) else {}
    return bool(fields.get("reference_video_urls")) or not _VIDEO_MEDIA.isdisjoint(_media_types(fields))


def _media_types(request_input: object) -> set[str]:
    media = request_input.get("media") if isinstance(request_input, dict) else None
    entries = media if isinstance(media, list) else []
    types = [entry.get("type") for entry in entries if isinstance(entry, dict)]
    return {kind for kind in types if isinstance(kind, str)}
