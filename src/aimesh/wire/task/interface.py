"""The task interface of Ark.

1. A task is created once: a second creation costs a second video.
2. The creating body goes up as it came, nulls included, with the model replaced.
3. ``succeeded``, ``failed``, ``cancelled`` and ``expired`` are final; a failed task is a good answer (HTTP 200).
4. A film without its tokens is estimated from its size and length, and marked so.
"""

from typing import Any, Literal

import msgspec

from aimesh.core.errors import Fault
from aimesh.core.ids import InterfaceId
from aimesh.core.usage import NO_USAGE, Usage
from aimesh.wire.answer import object_of, text_of
from aimesh.wire.body import peek_model_and_stream
from aimesh.wire.faults import encode_fault
from aimesh.wire.interface import Answer, Family, Peek, Prepared, Tap, Target, TaskState, UpstreamError
from aimesh.wire.lenient import decode_any
from aimesh.wire.numbers import seconds, whole
from aimesh.wire.splice import replace_model
from aimesh.wire.tap import StreamTap, read_nothing
from aimesh.wire.task import listing, request
from aimesh.wire.task.pixels import estimate_tokens
from aimesh.wire.tasks import Asset, TaskPage, TaskQuery, TaskResult
from aimesh.wire.upstream_error import bad_answer, find_error
from aimesh.wire.upstream_error import read_error as read_upstream_error

_FINAL = frozenset({"succeeded", "failed", "cancelled", "canceled", "expired"})

_FILES: tuple[tuple[str, Literal["video", "image", "3d"]], ...] = (
    ("video_url", "video"),
    ("last_frame_url", "image"),
    ("file_url", "3d"),
)


class ArkTasks:
    id = InterfaceId("task")
    once = True
    forgotten = ""
    waiting = "queued"
    cancelled = "cancelled"
    cancel_method = "DELETE"
    forwards = frozenset({b"x-client-request-id"})

    def peek(self, body: bytes) -> Peek:
        return Peek(peek_model_and_stream(body).model)

    def prepare(self, body: bytes, peek: Peek, target: Target, /) -> Prepared:
        name = target.upstream_name
        return Prepared(body if name == peek.model else replace_model(body, name), stream=False)

    def read_answer(self, body: bytes, _prepared: Prepared, /) -> Answer:
        return self.read_task(body, NO_USAGE)

    def read_task(self, body: bytes, asked: Usage) -> Answer:
        try:
            answer = object_of(decode_any(body))
        except msgspec.DecodeError:
            return Answer(body, error=bad_answer("the upstream's answer is no JSON"))
        if not text_of(answer.get("id")):
            # A failed task has an error too, but an id beside it, and is a good answer.
            error = find_error(body) or bad_answer("the upstream's answer names no task")
            return Answer(body, error=error)
        return _read_state(body, answer, asked)

    def read_result(self, body: bytes) -> TaskResult:
        try:
            answer = object_of(decode_any(body))
        except msgspec.DecodeError:
            return TaskResult()
        content, error = object_of(answer.get("content")), object_of(answer.get("error"))
        found = ((kind, text_of(content.get(name))) for name, kind in _FILES)
        return TaskResult(
            assets=tuple(Asset(kind, url) for kind, url in found if url),
            error_code=text_of(error.get("code")),
            error=text_of(error.get("message")),
        )

    def read_request(self, body: bytes) -> Usage:
        return request.read_request(body)

    def read_query(self, query: bytes) -> TaskQuery:
        return listing.read_query(query)

    def encode_list(self, page: TaskPage, _request_id: str, /) -> bytes:
        return listing.encode_list(page.records, total=page.total)

    def encode_unknown(self, _task_id: str, _request_id: str, /) -> bytes | None:
        return None

    def encode_cancelled(self, _request_id: str, /) -> bytes:
        return b"{}"

    def read_error(self, status: int, body: bytes) -> UpstreamError:
        return read_upstream_error(status, body)

    def open_tap(self, _prepared: Prepared, /) -> StreamTap:
        return StreamTap(read_nothing)

    def encode_stream_fault(self, fault: Fault, request_id: str, _tap: Tap | None = None, /) -> bytes:
        error = encode_fault(Family.ARK, fault, request_id=request_id, path="")
        return b"event: error\ndata: %b\n\n" % error


def _read_state(body: bytes, answer: dict[str, Any], asked: Usage) -> Answer:
    status = text_of(answer.get("status")) or "queued"
    folded = status.lower()
    state = TaskState(
        id=answer["id"], status=status, finished=folded in _FINAL, succeeded=folded == "succeeded"
    )
    return Answer(
        body,
        _read_usage(answer, asked) if state.succeeded else NO_USAGE,
        task=state,
        reported_model=text_of(answer.get("model")),
    )


def _read_usage(answer: dict[str, Any], asked: Usage) -> Usage:
    tokens = whole(object_of(answer.get("usage")).get("completion_tokens"))
    if object_of(answer.get("content")).get("file_url"):
        return Usage(output_tokens=tokens, assets=1, variant=asked.variant)
    audio = answer.get("generate_audio")
    length = seconds(answer.get("duration")) or request.frames_s(
        answer.get("frames"), answer.get("framespersecond")
    )
    length = length or asked.video_seconds
    resolution = text_of(answer.get("resolution")) or asked.video_resolution
    ratio = text_of(answer.get("ratio")) or asked.video_ratio
    return Usage(
        reported=tokens > 0,
        output_tokens=tokens or estimate_tokens(resolution, ratio, length),
        video_seconds=length,
        video_resolution=resolution,
        video_ratio=ratio,
        video_audio=audio if isinstance(audio, bool) else asked.video_audio,
        input_video=asked.input_video,
        # The flags of 3D mean nothing in a video's prompt.
        variant="flex" if answer.get("service_tier") == "flex" else "",
    )
