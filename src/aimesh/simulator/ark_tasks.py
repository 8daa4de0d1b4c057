"""Ark's contents/generations/tasks: Seedance video and the 3D models.

1. A task is a value; its state follows from its age (``world.Task.phase``).
2. Body fields are checked strictly, flags at the end of the text weakly, as Ark does.
3. Tokens of a video: width x height x 24 x seconds / 1024, from the table of sizes per model family.
"""

import re
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qs

from aimesh.simulator import media
from aimesh.simulator.answers import Answer, Call, Json, Refusal, Whole, integer, whole
from aimesh.simulator.models import dated, require_model
from aimesh.simulator.world import Task, World

_CHINA = timezone(timedelta(hours=8))
_RATIOS = ("16:9", "4:3", "1:1", "3:4", "9:16", "21:9")
# 82379/1520757: pixels by resolution; landscape only, the portrait ones are the same turned round.
_SIZES = {
    "480p": {"16:9": (864, 496), "4:3": (752, 560), "1:1": (640, 640), "21:9": (992, 432)},
    "720p": {"16:9": (1280, 720), "4:3": (1112, 834), "1:1": (960, 960), "21:9": (1470, 630)},
    "1080p": {"16:9": (1920, 1080), "4:3": (1664, 1248), "1:1": (1440, 1440), "21:9": (2206, 946)},
    "4k": {"16:9": (3840, 2160), "4:3": (3326, 2494), "1:1": (2880, 2880), "21:9": (4398, 1886)},
}
_OLD_SIZES = {
    "480p": {"16:9": (864, 480), "4:3": (736, 544), "1:1": (640, 640), "21:9": (960, 416)},
    "720p": {"16:9": (1248, 704), "4:3": (1120, 832), "1:1": (960, 960), "21:9": (1504, 640)},
    "1080p": {"16:9": (1920, 1088), "4:3": (1664, 1248), "1:1": (1440, 1440), "21:9": (2176, 928)},
}
_FLAG = re.compile(r"\s--([A-Za-z_]+)\s+(\S+)")
_LONG_NAMES = {
    "rs": "resolution",
    "rt": "ratio",
    "dur": "duration",
    "ff": "fileformat",
    "sl": "subdivisionlevel",
}
_TOKENS_3D = 30_000
_FAILS = "fail task"
"""A prompt with these words makes a task that fails."""


def _refuse(message: str, param: str = "", code: str = "InvalidParameter") -> Refusal:
    return Refusal(400, code, message, param=param)


def create(call: Call, world: World) -> Answer:
    model = require_model(call)
    content = call.body.get("content")
    if not isinstance(content, list) or not content:
        raise _refuse("missing required parameter: content.", "content", "MissingParameter")
    text, roles = _read(content)
    order = _order_3d(model, text, roles) if _is_3d(model) else _order_video(call.body, model, text, roles)
    now_s = world.clock.wall_s()
    stamp = datetime.fromtimestamp(now_s, _CHINA).strftime("%Y%m%d%H%M%S")
    settings = world.settings
    fails = None
    if call.shape.task_fails or _FAILS in text:
        message = "The request failed because the output video may contain sensitive information."
        fails = ("OutputVideoSensitiveContentDetected", message)
    task = Task(
        id=f"cgt-{stamp}-{call.request_id[-5:]}",
        provider=call.provider,
        model=dated(model),
        created_s=now_s,
        duration_s=settings.task_s if call.shape.task_s is None else call.shape.task_s,
        fails=fails,
        order=order,
        request_id=call.request_id,
        origin=call.origin,
    )
    world.tasks.put(_key(call.provider, task.id), task)
    answer: Json = {"id": task.id}
    if "safety_identifier" in call.body:
        answer["safety_identifier"] = call.body["safety_identifier"]
    return whole(answer)


def fetch(call: Call, world: World) -> Answer:
    return whole(_view(_find(call, world), world.clock.wall_s()))


def listing(call: Call, world: World) -> Answer:
    query = parse_qs(call.query.decode("utf-8", "replace"))
    now_s = world.clock.wall_s()
    number, size = _page(query, "page_num", 1), _page(query, "page_size", 20)
    wanted = query.get("filter.task_ids")
    status, model = query.get("filter.status"), query.get("filter.model")
    found = [
        view
        for task in reversed(world.tasks.values())
        if task.provider == call.provider and task.id.startswith("cgt-")
        for view in (_view(task, now_s),)
        if (wanted is None or task.id in wanted)
        and (status is None or view["status"] in status)
        and (model is None or task.model in model)
    ]
    return whole({"items": found[(number - 1) * size : number * size], "total": len(found)})


def delete(call: Call, world: World) -> Answer:
    task = _find(call, world)
    phase = task.phase(world.clock.wall_s())
    if phase in {"running", "cancelled"}:
        message = f"The task in status {phase} can not be deleted."
        raise Refusal(
            409, "InvalidAction.RunningTaskDeletion" if phase == "running" else "InvalidAction", message
        )
    if phase == "queued":
        task.cancelled_s = world.clock.wall_s()
    else:
        world.tasks.drop(_key(task.provider, task.id))
    return Whole(b"{}")


def _key(provider: str, task_id: str) -> str:
    return f"{provider}\0{task_id}"


def _find(call: Call, world: World) -> Task:
    task = world.tasks.get(_key(call.provider, call.rest))
    if task is None:
        raise Refusal(404, "NotFound", f"The specified task {call.rest} is not found.", kind="NotFound")
    return task


def _page(query: dict[str, list[str]], name: str, default: int) -> int:
    given = query.get(name, [""])[0]
    if not given:
        return default
    if not given.isdigit() or not 1 <= int(given) <= 500:
        raise _refuse(f"{name} must be between 1 and 500.", name)
    return int(given)


def _read(content: list[object]) -> tuple[str, list[str]]:
    """The text, and the role of each other item."""
    texts, roles = [], []
    for at, item in enumerate(content):
        kind = item.get("type") if isinstance(item, dict) else None
        if not isinstance(item, dict) or not isinstance(kind, str):
            raise _refuse("The parameter `content` is not valid.", f"content[{at}]")
        if kind == "text":
            if not isinstance(item.get("text"), str):
                raise _refuse("The parameter `content.text` is not valid.", f"content[{at}].text")
            texts.append(item["text"])
        elif kind in ("image_url", "video_url", "audio_url"):
            inner = item.get(kind)
            if not isinstance(inner, dict) or not inner.get("url"):
                raise _refuse(f"The parameter `content.{kind}` is not valid.", f"content[{at}].{kind}")
            roles.append(str(item.get("role") or ("first_frame" if kind == "image_url" else kind)))
        elif kind != "draft_task":
            raise _refuse(f"The parameter `content.type` {kind} is not supported.", f"content[{at}].type")
    return " ".join(texts), roles


def _is_3d(model: str) -> bool:
    return re.search(r"seed3d|hyper3d|hitem3d", model, re.IGNORECASE) is not None


def _order_3d(model: str, text: str, roles: list[str]) -> Json:
    """The real Seed3D wants a picture; a text alone is let through because the seed's sample sends one."""
    if "hitem3d" in model.lower() and not roles:
        raise _refuse("The parameter `content` must contain 1 to 4 images.", "content")
    if not roles and not text.strip():
        raise _refuse("The parameter `content` is empty.", "content")
    flags = _flags(text)
    packed = flags.get("fileformat") in {"obj", "1"} or (
        "hitem3d" in model.lower() and "fileformat" not in flags
    )
    order: Json = {"kind": "3d", "seed": media.seed_of(text + model), "packed": packed}
    return order | {name: flags[name] for name in ("subdivisionlevel", "fileformat") if name in flags}


def _flags(text: str) -> dict[str, str]:
    return {_LONG_NAMES.get(name, name): value for name, value in _FLAG.findall(" " + text)}


def _order_video(body: Json, model: str, text: str, roles: list[str]) -> Json:
    is_old = re.search(r"seedance-1[.-]0", model) is not None
    sizes = _OLD_SIZES if is_old else _SIZES
    flags = _flags(text)
    if not roles and not text.strip():
        raise _refuse("The parameter `content.text` is empty.", "content")
    asked_resolution, asked_ratio = body.get("resolution"), body.get("ratio")
    resolution = flags.get("resolution") if asked_resolution is None else str(asked_resolution)
    default = "1080p" if is_old else "720p"
    if asked_resolution is not None and (resolution not in sizes or _too_fine(model, resolution or "")):
        raise _refuse(
            "the parameter resolution specified in the request is not valid for this model.", "resolution"
        )
    if resolution not in sizes:
        resolution = default
    ratio = flags.get("ratio") if asked_ratio is None else str(asked_ratio)
    if asked_ratio is not None and ratio not in {*_RATIOS, "adaptive"}:
        raise _refuse("the parameter ratio specified in the request is not valid.", "ratio")
    if ratio not in _RATIOS:
        ratio = "16:9"
    width, height = _pixels(sizes[resolution], ratio)
    seconds = _seconds(body, model, flags, is_old=is_old)
    frames = _frames(body, flags) if is_old else 0
    return {
        "kind": "video",
        "resolution": resolution,
        "ratio": ratio,
        "duration": seconds,
        "frames": frames,
        "width": width,
        "height": height,
        "generate_audio": None if is_old else body.get("generate_audio", True),
        "return_last_frame": body.get("return_last_frame") is True,
        "service_tier": body.get("service_tier") or "default",
        "execution_expires_after": body.get("execution_expires_after") or 172800,
        "seed_number": body["seed"] if body.get("seed", -1) != -1 else int(media.seed_of(text)[:4], 16),
        "input_seconds": 5 * roles.count("reference_video"),
        "seed": media.seed_of(text + model),
    }


def _too_fine(model: str, resolution: str) -> bool:
    is_second = re.search(r"seedance-2[.-]0", model) is not None
    is_small = is_second and re.search(r"fast|mini", model) is not None
    return (resolution == "4k" and (not is_second or is_small)) or (resolution == "1080p" and is_small)


def _pixels(sizes: dict[str, tuple[int, int]], ratio: str) -> tuple[int, int]:
    if ratio in sizes:
        return sizes[ratio]
    across, along = ratio.split(":")
    width, height = sizes[f"{along}:{across}"]
    return height, width


def _seconds(body: Json, model: str, flags: dict[str, str], *, is_old: bool) -> int:
    least, most = (2, 12) if is_old else (4, 12 if re.search(r"seedance-1[.-]5", model) else 15)
    asked = body.get("duration")
    if asked is None:
        flag = flags.get("duration", "")
        return int(flag) if flag.isdigit() and least <= int(flag) <= most else 5
    if asked == -1 and not is_old:
        return 5
    seconds = integer(asked)
    if seconds is None or not least <= seconds <= most:
        raise _refuse(
            "the parameter duration specified in the request is not valid for this model.", "duration"
        )
    return seconds


def _frames(body: Json, flags: dict[str, str]) -> int:
    """Of the oldest models, 25 + 4n; wins over a duration. 0: not asked for."""
    flag = flags.get("frames", "")
    asked = body.get("frames")
    frames = (int(flag) if flag.isdigit() else 0) if asked is None else integer(asked)
    is_good = frames is not None and 29 <= frames <= 289 and frames % 4 == 1
    if asked is not None and not is_good:
        raise _refuse("the parameter frames specified in the request is not valid for this model.", "frames")
    return frames if frames is not None and is_good else 0


def _view(task: Task, now_s: float) -> Json:
    """What GET shows of a task at this moment."""
    phase = task.phase(now_s)
    ended_s = task.created_s + task.duration_s
    updated_s = {"queued": task.created_s, "running": task.created_s + task.duration_s * 0.25}.get(
        phase, ended_s
    )
    view: Json = {
        "id": task.id,
        "model": task.model,
        "status": phase,
        "error": None,
        "created_at": int(task.created_s),
        "updated_at": int(task.cancelled_s or updated_s),
    }
    if phase == "failed" and task.fails is not None:
        view["error"] = {"code": task.fails[0], "message": task.fails[1]}
    order = task.order
    if order["kind"] == "3d":
        view |= {name: order[name] for name in ("subdivisionlevel", "fileformat") if name in order}
        if phase == "succeeded":
            ending = "zip" if order["packed"] else "glb"
            view["content"] = {"file_url": f"{task.origin}/files/cube-{order['seed']}.{ending}"}
            view["usage"] = {"completion_tokens": _TOKENS_3D, "total_tokens": _TOKENS_3D}
        return view
    view |= {
        "seed": order["seed_number"],
        "resolution": order["resolution"],
        "ratio": order["ratio"],
        **({"frames": order["frames"]} if order["frames"] else {"duration": order["duration"]}),
        "framespersecond": 24,
        "service_tier": order["service_tier"],
        "execution_expires_after": order["execution_expires_after"],
    }
    if order["generate_audio"] is not None:
        view["generate_audio"] = order["generate_audio"]
    if phase == "succeeded":
        width, height = order["width"], order["height"]
        view["content"] = {"video_url": f"{task.origin}/files/clip-{order['seed']}.mp4"}
        if order["return_last_frame"]:
            frame = f"{task.origin}/files/png-{order['seed']}-{width}x{height}.png"
            view["content"]["last_frame_url"] = frame
        frames = order["frames"] or 24 * order["duration"]
        tokens = width * height * (frames + 24 * order["input_seconds"]) // 1024
        view["usage"] = {"completion_tokens": tokens, "total_tokens": tokens}
    return view
