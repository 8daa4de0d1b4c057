"""One row per way to call: what is sent, what a good answer is, what an error looks like there.

1. ``cut_at`` is a number of upstream frames after which the caller certainly has some, and far from the end.
2. A style's ``read_error`` gives code, message, source and history out of an error body, whatever its shape.
"""

import json
from collections.abc import Callable
from typing import Any, Literal

from msgspec import Struct
from tests.support.chaos_config import IMAGE, TEXT, VECTOR, VIDEO
from tests.support.chaos_http import Frame, Seen

Family = Literal["openai", "anthropic", "ark", "dashscope"]


class Style(Struct, frozen=True):
    name: str
    path: str
    body: dict[str, Any]
    family: Family
    is_good: Callable[[Seen], bool]
    """A whole and proper answer of the simulator."""
    suffix: str
    """End of the path at the provider."""
    stream: bool = False
    once: bool = False
    """Never sent twice unless certainly not accepted."""
    cut_at: int = 0
    opening: int = 0
    """Upstream frames that say nothing yet."""
    end_mark: str = ""
    """Text that only a finished stream has."""
    marks_end_late: bool = False
    """The answer is complete before the end marker; without the marker it still counts."""
    chunks: int = 0
    """Content chunks asked of the simulator when a stream is to be long."""

    @property
    def frames(self) -> list[dict[str, Any]]:
        """The fault that makes the simulator's stream long enough to be cut in the middle."""
        return [{"kind": "chunks", "n": self.chunks}] if self.chunks else []


class ErrorSeen(Struct, frozen=True):
    code: str | None
    message: str
    source: str
    history: list[dict[str, Any]] | None
    request_id: str | None


def read_error(family: Family, body: bytes | str) -> ErrorSeen:
    """Reads the documented shape strictly: a missing member is a failure of the test."""
    found = json.loads(body)
    if family == "dashscope":
        inner, request_id = found, found["request_id"]
    else:
        inner = found["error"]
        request_id = found["request_id"] if family == "anthropic" else inner.get("request_id")
        assert isinstance(inner["type"], str)
    if family == "anthropic":
        assert found["type"] == "error"
    if family in ("openai", "ark"):
        assert "param" in inner
    return ErrorSeen(
        code=inner["code"],
        message=inner["message"],
        source=inner["source"],
        history=inner["retry_history"],
        request_id=request_id,
    )


def stream_error(style: Style, frame: Frame) -> ErrorSeen:
    """The error event that ends a broken stream of this style."""
    if style.family == "anthropic":
        assert frame.event == "error"
        return read_error("anthropic", frame.data)
    if style.name.startswith("responses"):
        assert frame.event == "response.failed"
        data = frame.json
        assert data["type"] == "response.failed"
        assert data["response"]["status"] == "failed"
        error = data["response"]["error"]
        # The code is of a list that clients know; ours stands beside it.
        assert error["code"] == "server_error"
        return ErrorSeen(
            code=error["gateway_code"],
            message=error["message"],
            source=error["source"],
            history=error["retry_history"],
            request_id=error["request_id"],
        )
    if style.name.startswith("image"):
        assert frame.event == "error"
    return read_error(style.family, frame.data)


def _chat(seen: Seen) -> bool:
    choice = seen.json["choices"][0]
    return bool(choice["message"]["content"]) and choice["finish_reason"] == "stop"


def _chat_stream(seen: Seen) -> bool:
    frames = seen.frames
    return (
        frames[-1].data == "[DONE]"
        and frames[0].json["choices"][0]["delta"]["role"] == "assistant"
        and sum('"role"' in frame.data for frame in frames) == 1
        and frames[-2].json["choices"][0]["finish_reason"] == "stop"
    )


def _messages(seen: Seen) -> bool:
    return seen.json["stop_reason"] == "end_turn" and bool(seen.json["content"][0]["text"])


def _messages_stream(seen: Seen) -> bool:
    events = [frame.event for frame in seen.frames]
    return (
        events[0] == "message_start" and events[-1] == "message_stop" and events.count("message_start") == 1
    )


def _responses(seen: Seen) -> bool:
    return bool(seen.json["status"] == "completed")


def _responses_stream(seen: Seen) -> bool:
    events = [frame.event for frame in seen.frames]
    numbers = [frame.json["sequence_number"] for frame in seen.frames]
    return (
        events[0] == "response.created"
        and events[-1] == "response.completed"
        and numbers == list(range(len(numbers)))
    )


def _image(seen: Seen) -> bool:
    return bool(seen.json["data"][0]["url"])


def _image_stream(seen: Seen) -> bool:
    events = [frame.event for frame in seen.frames]
    done = ["image_generation.partial_succeeded"] * 2 + ["image_generation.completed", ""]
    return events == done and seen.frames[-1].data == "[DONE]"


def _vector(seen: Seen) -> bool:
    return len(seen.json["data"][0]["embedding"]) > 0


def _ark_vector(seen: Seen) -> bool:
    return len(seen.json["data"]["embedding"]) > 0


def _dashscope_vector(seen: Seen) -> bool:
    return len(seen.json["output"]["embeddings"][0]["embedding"]) > 0


def _task(seen: Seen) -> bool:
    return bool(seen.json["id"].startswith("cgt-"))


def _video(seen: Seen) -> bool:
    return bool(seen.json["output"]["task_id"])


_TURNS = [{"role": "user", "content": "hello chaos"}]
_SEQUENCE = {"sequential_image_generation": "auto"}
_MULTIMODAL = "services/embeddings/multimodal-embedding/multimodal-embedding"
_VIDEO = "services/aigc/video-generation/video-synthesis"

CHAT = Style(
    name="chat",
    path="/gateway/v1/chat/completions",
    body={"model": TEXT, "messages": _TURNS},
    family="openai",
    is_good=_chat,
    suffix="/chat/completions",
)
CHAT_STREAM = Style(
    name="chat-stream",
    path="/gateway/v1/chat/completions",
    body={"model": TEXT, "messages": _TURNS, "stream": True},
    family="openai",
    is_good=_chat_stream,
    suffix="/chat/completions",
    stream=True,
    cut_at=6,
    opening=1,
    end_mark="[DONE]",
    marks_end_late=True,
    chunks=30,
)
ARK_CHAT_STREAM = Style(
    name="ark-chat-stream",
    path="/gateway/api/v3/chat/completions",
    body={"model": TEXT, "messages": _TURNS, "stream": True},
    family="openai",
    is_good=_chat_stream,
    suffix="/chat/completions",
    stream=True,
    cut_at=6,
    opening=1,
    end_mark="[DONE]",
    marks_end_late=True,
    chunks=30,
)
MESSAGES = Style(
    name="messages",
    path="/gateway/v1/messages",
    body={"model": TEXT, "max_tokens": 400, "messages": _TURNS},
    family="anthropic",
    is_good=_messages,
    suffix="/messages",
)
MESSAGES_STREAM = Style(
    name="messages-stream",
    path="/gateway/v1/messages",
    body={"model": TEXT, "max_tokens": 400, "messages": _TURNS, "stream": True},
    family="anthropic",
    is_good=_messages_stream,
    suffix="/messages",
    stream=True,
    cut_at=8,
    opening=3,
    end_mark="message_stop",
    chunks=30,
)
RESPONSES = Style(
    name="responses",
    path="/gateway/v1/responses",
    body={"model": TEXT, "input": "hello chaos"},
    family="openai",
    is_good=_responses,
    suffix="/responses",
)
RESPONSES_STREAM = Style(
    name="responses-stream",
    path="/gateway/v1/responses",
    body={"model": TEXT, "input": "hello chaos", "stream": True},
    family="openai",
    is_good=_responses_stream,
    suffix="/responses",
    stream=True,
    cut_at=9,
    opening=4,
    end_mark="response.completed",
    chunks=30,
)
EMBEDDINGS = Style(
    name="embeddings",
    path="/gateway/v1/embeddings",
    body={"model": VECTOR, "input": "hello"},
    family="openai",
    is_good=_vector,
    suffix="/embeddings",
)
ARK_EMBEDDINGS = Style(
    name="ark-embeddings",
    path="/gateway/api/v3/embeddings/multimodal",
    body={"model": VECTOR, "input": [{"type": "text", "text": "hello"}]},
    family="ark",
    is_good=_ark_vector,
    suffix="/embeddings/multimodal",
)
DASHSCOPE_EMBEDDINGS = Style(
    name="dashscope-embeddings",
    path=f"/gateway/api/v1/{_MULTIMODAL}",
    body={"model": VECTOR, "input": {"contents": [{"text": "hello"}]}},
    family="dashscope",
    is_good=_dashscope_vector,
    suffix=_MULTIMODAL,
)
IMAGE_WHOLE = Style(
    name="image",
    path="/gateway/api/v3/images/generations",
    body={"model": IMAGE, "prompt": "a harbour"},
    family="ark",
    is_good=_image,
    suffix="/images/generations",
    once=True,
)
IMAGE_STREAM = Style(
    name="image-stream",
    path="/gateway/api/v3/images/generations",
    body={"model": IMAGE, "prompt": "a harbour", "stream": True} | _SEQUENCE,
    family="ark",
    is_good=_image_stream,
    suffix="/images/generations",
    stream=True,
    once=True,
    cut_at=1,
    end_mark="image_generation.completed",
    marks_end_late=True,
)
TASK = Style(
    name="task",
    path="/gateway/api/v3/contents/generations/tasks",
    body={"model": VIDEO, "content": [{"type": "text", "text": "a harbour"}]},
    family="ark",
    is_good=_task,
    suffix="/contents/generations/tasks",
    once=True,
)
VIDEO_TASK = Style(
    name="video",
    path=f"/gateway/api/v1/{_VIDEO}",
    body={"model": VIDEO, "input": {"prompt": "a harbour"}, "parameters": {"duration": 5}},
    family="dashscope",
    is_good=_video,
    suffix=_VIDEO,
    once=True,
)

WHOLE_STYLES = (
    CHAT,
    MESSAGES,
    RESPONSES,
    EMBEDDINGS,
    ARK_EMBEDDINGS,
    DASHSCOPE_EMBEDDINGS,
    IMAGE_WHOLE,
    TASK,
    VIDEO_TASK,
)
STREAM_STYLES = (CHAT_STREAM, MESSAGES_STREAM, RESPONSES_STREAM, IMAGE_STREAM)
STYLES = WHOLE_STYLES + STREAM_STYLES
