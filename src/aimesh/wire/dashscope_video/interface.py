"""The video interface of DashScope.

1. Every creation goes up with ``x-dashscope-async: enable``: without it the upstream answers 403.
2. A task is created once: a second creation costs a second video.
3. Every state of a task is a good answer with status 200, ``FAILED`` and ``UNKNOWN`` too.
4. A film without its seconds counts those that were asked for, marked as an estimate.
"""

from typing import Any

import msgspec

from aimesh.core.errors import Fault
from aimesh.core.ids import InterfaceId
from aimesh.core.usage import NO_USAGE, Usage
from aimesh.wire.answer import decode_document, object_of, text_of
from aimesh.wire.body import peek_model_and_stream
from aimesh.wire.dashscope_video import listing, request
from aimesh.wire.dashscope_video.sizes import shape_of
from aimesh.wire.faults import encode_fault
from aimesh.wire.interface import Answer, Family, Peek, Prepared, Tap, Target, TaskState, UpstreamError
from aimesh.wire.numbers import seconds
from aimesh.wire.splice import replace_model
from aimesh.wire.tap import StreamTap, read_nothing
from aimesh.wire.tasks import Asset, TaskPage, TaskQuery, TaskResult
from aimesh.wire.upstream_error import bad_answer
from aimesh.wire.upstream_error import read_error as read_upstream_error

_ASYNC = ((b"x-dashscope-async", b"enable"),)
_FORGOTTEN = "UNKNOWN"
_FINAL = frozenset({"SUCCEEDED", "FAILED", "CANCELED", _FORGOTTEN})


class DashScopeVideo:
    id = InterfaceId("dashscope_video")
    once = True
    forgotten = _FORGOTTEN
    waiting = "PENDING"
    cancelled = "CANCELED"
    cancel_method = "POST"
    forwards = frozenset({b"x-dashscope-datainspection", b"x-dashscope-ossresourceresolve"})

    def peek(self, body: bytes) -> Peek:
        return Peek(peek_model_and_stream(body).model)

    def prepare(self, body: bytes, peek: Peek, target: Target, /) -> Prepared:
        has_media = target.traits.video_media
        prepared = body
        losses: tuple[str, ...] = ()
        if has_media or b"null" in body:
            prepared, losses = request.adapt(body, has_media=has_media)
        if target.upstream_name != peek.model:
            prepared = replace_model(prepared, target.upstream_name)
        return Prepared(body=prepared, stream=False, headers=_ASYNC, losses=losses)

    def read_answer(self, body: bytes, _prepared: Prepared, /) -> Answer:
        return self.read_task(body, NO_USAGE)

    def read_task(self, body: bytes, asked: Usage) -> Answer:
        answer = decode_document(body)
        if isinstance(answer, UpstreamError):
            return Answer(body, error=answer)
        output = object_of(answer.get("output"))
        task_id, status = text_of(output.get("task_id")), text_of(output.get("task_status"))
        if not task_id or not status:
            return Answer(body, error=bad_answer("the upstream's answer names no task"))
        state = TaskState(
            id=task_id, status=status, finished=status in _FINAL, succeeded=status == "SUCCEEDED"
        )
        usage = object_of(answer.get("usage"))
        return Answer(body, _read_usage(usage, asked) if state.succeeded else NO_USAGE, task=state)

    def read_result(self, body: bytes) -> TaskResult:
        answer = decode_document(body)
        if isinstance(answer, UpstreamError):
            return TaskResult()
        output = object_of(answer.get("output"))
        url = text_of(output.get("video_url"))
        return TaskResult(
            assets=(Asset("video", url),) if url else (),
            error_code=text_of(output.get("code")),
            error=text_of(output.get("message")),
        )

    def read_request(self, body: bytes) -> Usage:
        return request.read_request(body)

    def read_query(self, query: bytes) -> TaskQuery:
        return listing.read_query(query)

    def encode_list(self, page: TaskPage, request_id: str, /) -> bytes:
        return listing.encode_list(page, request_id)

    def encode_unknown(self, task_id: str, request_id: str, /) -> bytes | None:
        """Not a 404: this is what the upstream says about an expired id, and it betrays nobody's tasks."""
        return msgspec.json.encode(
            {"request_id": request_id, "output": {"task_id": task_id, "task_status": _FORGOTTEN}}
        )

    def encode_cancelled(self, request_id: str, /) -> bytes:
        return msgspec.json.encode({"request_id": request_id})

    def read_error(self, status: int, body: bytes) -> UpstreamError:
        return read_upstream_error(status, body)

    def open_tap(self, _prepared: Prepared, /) -> StreamTap:
        return StreamTap(read_nothing)

    def encode_stream_fault(self, fault: Fault, request_id: str, _tap: Tap | None = None, /) -> bytes:
        error = encode_fault(Family.DASHSCOPE, fault, request_id=request_id, path="")
        return b"event:error\ndata:%b\n\n" % error


def _read_usage(usage: dict[str, Any], asked: Usage) -> Usage:
    """HappyHorse and newer wan models report ``SR`` and durations, older ones ``video_duration`` and a size in
    ``video_ratio``."""
    input_seconds = seconds(usage.get("input_video_duration"))
    output_seconds = seconds(usage.get("output_video_duration"))
    duration = seconds(usage.get("duration"))
    # An edit bills its input too; ``duration`` holds both.
    billed = duration or input_seconds + output_seconds if input_seconds else output_seconds or duration
    size = text_of(usage.get("video_ratio"))
    shape = shape_of(size)
    resolution = usage.get("SR")
    billed = billed or seconds(usage.get("video_duration"))
    return Usage(
        reported=billed > 0,
        video_seconds=billed or asked.video_seconds,
        video_resolution=str(resolution)
        if isinstance(resolution, int | str) and resolution
        else (shape.resolution if shape else asked.video_resolution),
        video_ratio=text_of(usage.get("ratio"))
        or (shape.ratio if shape else _ratio(size) or asked.video_ratio),
        video_audio=asked.video_audio,
        input_video=input_seconds > 0 or asked.input_video,
    )


def _ratio(text: str) -> str:
    width, colon, height = text.partition(":")
    return text if colon and width.isdecimal() and height.isdecimal() else ""
