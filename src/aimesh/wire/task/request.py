"""What a creating request says about its price: body fields, and the older flags at the end of the text.

The flags are checked weakly upstream (a wrong value falls back in silence), so they are hints; the finished task
says what was really made. Only what it does not repeat has to come from here: the 3D flags and the input video.
"""

import re
from typing import Any

import msgspec
from msgspec import Struct

from aimesh.core.usage import NO_USAGE, Usage
from aimesh.wire.lenient import decode
from aimesh.wire.numbers import seconds, whole


class _Item(Struct, gc=False):
    type: Any = None
    text: Any = None
    role: Any = None


class _Body(Struct, gc=False):
    content: list[_Item] | None = None
    resolution: Any = None
    ratio: Any = None
    duration: Any = None
    frames: Any = None
    generate_audio: Any = None


_BODY = msgspec.json.Decoder(_Body)
_FLAG = re.compile(r"--([A-Za-z_0-9]+)[ \t]+(\S+)")
_FRAMES_PER_SECOND = 24
_VIDEO_RESOLUTION = re.compile(r"\d+p|4k", re.IGNORECASE)


def read_request(body: bytes) -> Usage:
    try:
        request, _ = decode(_BODY, body)
    except msgspec.DecodeError:
        return NO_USAGE
    items = request.content or []
    flags: dict[str, str] = {}
    for item in items:
        if isinstance(item.text, str):
            flags.update(_FLAG.findall(item.text))
    flagged = flags.get("resolution") or flags.get("rs") or ""
    is_video = _VIDEO_RESOLUTION.fullmatch(flagged) is not None
    resolution = request.resolution if isinstance(request.resolution, str) else flagged if is_video else ""
    return Usage(
        reported=False,
        video_resolution=resolution,
        video_ratio=_text(request.ratio) or flags.get("ratio") or flags.get("rt") or "",
        video_seconds=_seconds(request, flags),
        # On unless switched off, in the models that can; the others do not price it.
        video_audio=request.generate_audio is not False,
        input_video=any(item.type == "video_url" for item in items),
        variant=_variant("" if is_video else flagged, flags.get("request_type", "")),
    )


def _variant(resolution: str, request_type: str) -> str:
    """Hitem3d: ``--resolution 1536pro --request_type 3`` is ``1536pro+texture``; type 1 is geometry alone."""
    return "+".join(part for part in (resolution, "texture" if request_type == "3" else "") if part)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def frames_s(frames: object, per_second: object = None) -> float:
    """The length of a video that is given in frames, to the millisecond."""
    return round(whole(frames) / (whole(per_second) or _FRAMES_PER_SECOND), 3)


def _seconds(request: _Body, flags: dict[str, str]) -> float:
    """Frames win over a duration, and body fields over flags."""
    return (
        frames_s(request.frames)
        or seconds(request.duration)
        or frames_s(_flag_count(flags.get("frames", "")))
        or float(_flag_count(flags.get("duration") or flags.get("dur") or ""))
    )


def _flag_count(value: str) -> int:
    return int(value) if value.isascii() and value.isdigit() and len(value) < 5 else 0
