"""DashScope's video synthesis and its task API.

1. The submit call must say ``X-DashScope-Async: enable``.
2. Every state of a task is answered with 200; an id that nobody knows is ``UNKNOWN``.
3. Times in a query's answer are China time as text; in a list they are milliseconds.
"""

import hashlib
import re
import uuid
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qs

from aimesh.simulator import media
from aimesh.simulator.answers import Answer, Call, Json, Refusal, integer, members, objects, whole
from aimesh.simulator.models import require_model
from aimesh.simulator.world import Task, World

_CHINA = timezone(timedelta(hours=8))
_STATES = {
    "queued": "PENDING",
    "running": "RUNNING",
    "succeeded": "SUCCEEDED",
    "failed": "FAILED",
    "cancelled": "CANCELED",
}
_RATIOS = {"16:9", "9:16", "1:1", "4:3", "3:4"}
_NEWER_RATIOS = _RATIOS | {"4:5", "5:4", "9:21", "21:9"}
_OLDER_WAN = re.compile(r"wan2\.[0-5]-t2v")
_CLIP_S = 4
"""Length of every clip that comes in."""
_FAILS = "fail task"
"""A prompt with these words makes a task that fails."""


def _invalid(message: str) -> Refusal:
    return Refusal(400, "InvalidParameter", message)


def create(call: Call, world: World) -> Answer:
    if call.headers.get(b"x-dashscope-async") != b"enable":
        raise Refusal(403, "AccessDenied", "current user api does not support synchronous calls.")
    model = require_model(call)
    given = call.body.get("input")
    if not isinstance(given, dict):
        raise Refusal(400, "BadRequest.EmptyInput", "Required input parameter missing from request.")
    parameters = members(call.body.get("parameters"))
    prompt = str(given.get("prompt") or "")
    is_happy = model.startswith("happyhorse")
    order = _order_happyhorse(model, given, parameters) if is_happy else _order_wan(model, given, parameters)
    order |= {"prompt": prompt, "seed": media.seed_of(f"{model}{prompt}")}
    fails = None
    if call.shape.task_fails or _FAILS in prompt:
        fails = ("DataInspectionFailed", "Output data may contain inappropriate content.")
    task = Task(
        id=str(uuid.UUID(hex=hashlib.sha256(call.request_id.encode()).hexdigest()[:32])),
        provider=call.provider,
        model=model,
        created_s=world.clock.wall_s(),
        duration_s=world.settings.task_s if call.shape.task_s is None else call.shape.task_s,
        fails=fails,
        order=order,
        request_id=call.request_id,
        origin=call.origin,
    )
    world.tasks.put(f"{call.provider}\0{task.id}", task)
    return whole({"output": {"task_status": "PENDING", "task_id": task.id}, "request_id": call.request_id})


def fetch(call: Call, world: World) -> Answer:
    task = world.tasks.get(f"{call.provider}\0{call.rest}")
    if task is None:
        output: Json = {"task_id": call.rest, "task_status": "UNKNOWN"}
        return whole({"request_id": call.request_id, "output": output})
    return whole({"request_id": call.request_id} | _view(task, world.clock.wall_s()))


def cancel(call: Call, world: World) -> Answer:
    task = world.tasks.get(f"{call.provider}\0{call.rest}")
    now_s = world.clock.wall_s()
    if task is None or task.phase(now_s) != "queued":
        message = "Failed to cancel the task, please confirm if the task is in PENDING status."
        raise Refusal(400, "UnsupportedOperation", message)
    task.cancelled_s = now_s
    return whole({"request_id": call.request_id})


def listing(call: Call, world: World) -> Answer:
    query = {name: values[0] for name, values in parse_qs(call.query.decode("utf-8", "replace")).items()}
    number, size = int(query.get("page_no") or 1), int(query.get("page_size") or 10)
    now_s = world.clock.wall_s()
    entries = [
        _entry(task, now_s)
        for task in reversed(world.tasks.values())
        if task.provider == call.provider and not task.id.startswith("cgt-")
    ]
    for parameter, member in (("task_id", "task_id"), ("status", "status"), ("model_name", "model_name")):
        if wanted := query.get(parameter):
            entries = [entry for entry in entries if entry[member] == wanted]
    return whole(
        {
            "request_id": call.request_id,
            "total": len(entries),
            "total_page": -(-len(entries) // size),
            "page_no": number,
            "page_size": size,
            "data": entries[(number - 1) * size : number * size],
        }
    )


def _order_happyhorse(model: str, given: Json, parameters: Json) -> Json:
    """help.aliyun.com model-studio, happyhorse-*-api-reference: only ``media`` holds pictures."""
    prompt = given.get("prompt")
    kinds = [item.get("type") for item in objects(given.get("media")) if item.get("url")]
    is_image = model.endswith("i2v")
    is_reference = model.endswith("r2v")
    is_edit = model.endswith("video-edit")
    if not is_image and not (isinstance(prompt, str) and prompt):
        raise _invalid("Field required: input.prompt")
    if is_image and kinds != ["first_frame"]:
        raise _invalid("Field required: input.media")
    if is_reference and not (1 <= len(kinds) <= 9 and all(kind == "reference_image" for kind in kinds)):
        raise _invalid("Field required: input.media")
    if is_edit and kinds.count("video") != 1:
        raise _invalid("Field required: input.media")
    resolution = parameters.get("resolution", "1080P")
    if resolution not in ("720P", "1080P"):
        raise _invalid("Input should be '720P' or '1080P': parameters.resolution")
    ratio = parameters.get("ratio", "16:9")
    if not isinstance(ratio, str) or ratio not in (_NEWER_RATIOS if "1.1" in model else _RATIOS):
        raise _invalid("Input should be a supported ratio: parameters.ratio")
    duration = integer(parameters.get("duration", 5))
    if duration is None or not 3 <= duration <= 15:
        raise _invalid("Input should be between 3 and 15: parameters.duration")
    follows = is_image or is_edit
    taken = _CLIP_S if is_edit else 0
    return {"usage": _usage(int(resolution[:-1]), None if follows else ratio, duration, taken)}


def _order_wan(model: str, given: Json, parameters: Json) -> Json:
    """The wan family: ``img_url`` up to 2.6, ``media`` from 2.7 on."""
    duration = integer(parameters.get("duration", 5))
    if duration is None or not 2 <= duration <= 15:
        raise _invalid("Input should be between 2 and 15: parameters.duration")
    if "i2v" in model:
        member = "media" if re.match(r"wan2\.[7-9]", model) else "img_url"
        if not given.get(member):
            raise _invalid(f"Field required: input.{member}")
    elif "t2v" in model and not given.get("prompt"):
        raise _invalid("Field required: input.prompt")
    if _OLDER_WAN.match(model):
        size = parameters.get("size", "1280*720")
        return {"usage": {"video_count": 1, "video_duration": duration, "video_ratio": size}}
    resolution = str(parameters.get("resolution", "720P"))
    digits = resolution.removesuffix("P")
    usage = _usage(int(digits) if digits.isdigit() else 720, parameters.get("ratio"), duration)
    return {"usage": usage}


def _usage(resolution: int, ratio: str | None, duration: int, taken: int = 0) -> Json:
    """``taken``: seconds of a clip that came in; they are billed too."""
    usage: Json = {
        "duration": duration + taken,
        "input_video_duration": taken,
        "output_video_duration": duration,
        "video_count": 1,
        "SR": resolution,
    }
    return usage if ratio is None else usage | {"ratio": ratio}


def _time_text(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, _CHINA)
    return f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03d}"


def _view(task: Task, now_s: float) -> Json:
    phase = task.phase(now_s)
    output: Json = {
        "task_id": task.id,
        "task_status": _STATES[phase],
        "submit_time": _time_text(task.created_s),
    }
    if phase in {"running", "succeeded", "failed"}:
        output["scheduled_time"] = _time_text(task.created_s + task.duration_s * 0.25)
    if phase in {"succeeded", "failed"}:
        output["end_time"] = _time_text(task.created_s + task.duration_s)
    if phase == "cancelled" and task.cancelled_s is not None:
        output["end_time"] = _time_text(task.cancelled_s)
    if phase == "failed" and task.fails is not None:
        output["code"], output["message"] = task.fails
    if phase != "succeeded":
        return {"output": output}
    output["orig_prompt"] = task.order["prompt"]
    output["video_url"] = f"{task.origin}/files/clip-{task.order['seed']}.mp4"
    return {"output": output, "usage": task.order["usage"]}


def _entry(task: Task, now_s: float) -> Json:
    phase = task.phase(now_s)
    entry: Json = {
        "task_id": task.id,
        "status": _STATES[phase],
        "model_name": task.model,
        "region": "simulated",
        "request_id": task.request_id,
        "gmt_create": int(task.created_s * 1000),
        "start_time": int((task.created_s + task.duration_s * 0.25) * 1000),
        "api_key_id": "simulated",
        "caller_parent_id": "simulated",
        "caller_uid": "simulated",
        "user_api_unique_key": f"apikey:v1:aigc:video-generation:video-synthesis:{task.model}",
    }
    if phase in {"succeeded", "failed"}:
        entry["end_time"] = int((task.created_s + task.duration_s) * 1000)
    return entry
