"""What vectors, films and 3D files use, read from the simulator's own answers."""

import json
from typing import Any

import pytest

from aimesh.core.clock import FixedClock
from aimesh.core.traits import Traits
from aimesh.core.usage import Usage
from aimesh.simulator.answers import Call, Whole
from aimesh.simulator.routes import Router
from aimesh.simulator.world import Settings, World
from aimesh.wire.dashscope_video.interface import DashScopeVideo
from aimesh.wire.interface import Target
from aimesh.wire.registry import find_interface
from aimesh.wire.task.interface import ArkTasks
from aimesh.wire.tasks import TaskInterface

ROUTER = Router()
ARK_TASKS = "/api/v3/contents/generations/tasks"
FILMS = "/api/v1/services/aigc/video-generation/video-synthesis"
VECTORS = "/api/v1/services/embeddings/multimodal-embedding/multimodal-embedding"


def ask(world: World, method: str, path: str, body: bytes = b"{}") -> bytes:
    found = ROUTER.find(path.encode())
    assert found is not None
    call = Call(method=method, path=path, provider=found.provider, dialect=found.dialect)
    call.body = {name: value for name, value in json.loads(body).items() if value is not None}
    if path == FILMS:
        call.headers = {b"x-dashscope-async": b"enable"}
    call.rest = found.rest
    call.request_id = "r1"
    answer = found.methods[method](call, world)
    assert isinstance(answer, Whole)
    assert answer.status == 200
    return answer.body


PICTURE = {"type": "image_url", "image_url": {"url": "https://e.com/a"}}
CLIP = {"type": "video_url", "video_url": {"url": "https://e.com/v"}}
TEXT = {"type": "text", "text": "four bytes a token."}


@pytest.mark.parametrize(
    ("name", "path", "request_body", "expected"),
    [
        (
            "dashscope_embedding",
            VECTORS,
            {"model": "qwen3-vl-embedding", "input": [TEXT, PICTURE, CLIP]},
            Usage(input_tokens=5 + 2 * 896, input_image_tokens=2 * 896),
        ),
        (
            "dashscope_embedding",
            VECTORS,
            {
                "model": "tongyi-embedding-vision-plus",
                "input": {"contents": [{"text": "abc"}, {"image": "u"}]},
            },
            Usage(input_tokens=1 + 896, input_image_tokens=896),
        ),
        (
            "ark_embedding",
            "/api/v3/embeddings/multimodal",
            {"model": "doubao-embedding-vision-251215", "input": [TEXT, PICTURE, CLIP]},
            Usage(input_tokens=5 + 2 * 497, input_image_tokens=2 * 497),
        ),
        (
            "open_ai_embedding",
            "/compatible-mode/v1/embeddings",
            {"model": "text-embedding-v4", "input": ["four bytes a token.", "abc"]},
            Usage(input_tokens=6),
        ),
    ],
)
def test_vectors(name: str, path: str, request_body: dict[str, Any], expected: Usage) -> None:
    interface = find_interface(name)
    assert interface is not None
    body = json.dumps(request_body).encode()
    prepared = interface.prepare(body, interface.peek(body), Target(request_body["model"], Traits()))
    answer = interface.read_answer(
        ask(World(FixedClock(), Settings(), 1), "POST", path, prepared.body), prepared
    )
    assert answer.usage == expected


def made(interface: TaskInterface, path: str, query: str, request_body: dict[str, Any]) -> Usage:
    """The usage of a task from its creation to its end; nothing is used on the way."""
    clock = FixedClock()
    world = World(clock, Settings(), 1)
    body = json.dumps(request_body).encode()
    prepared = interface.prepare(body, interface.peek(body), Target(request_body["model"], Traits()))
    asked = interface.read_request(body)
    created = interface.read_answer(ask(world, "POST", path, prepared.body), prepared)
    assert created.task is not None
    assert not created.usage.reported
    where = query.format(created.task.id)
    running = interface.read_task(ask(world, "GET", where), asked)
    assert running.task is not None
    assert (running.task.finished, running.usage.reported) == (False, False)
    clock.advance(60)
    ended = interface.read_task(ask(world, "GET", where), asked)
    assert ended.task is not None
    assert ended.task.succeeded
    return ended.usage


def tokens(width: int, height: int, frames: int) -> int:
    return width * height * frames // 1024


def ark(model: str, *content: object, **members: object) -> Usage:
    return made(
        ArkTasks(), ARK_TASKS, ARK_TASKS + "/{}", {"model": model, "content": list(content), **members}
    )


def text(words: str) -> dict[str, str]:
    return {"type": "text", "text": words}


@pytest.mark.parametrize("spelled", ["body", "flags"])
def test_a_film_by_resolution_ratio_and_length(spelled: str) -> None:
    if spelled == "body":
        found = ark("doubao-seedance-2.0", text("a cat"), resolution="1080p", ratio="16:9", duration=5)
    else:
        found = ark("doubao-seedance-2.0", text("a cat --rs 1080p --rt 16:9 --dur 5"))
    assert found == Usage(
        output_tokens=tokens(1920, 1080, 120),
        video_seconds=5.0,
        video_resolution="1080p",
        video_ratio="16:9",
        video_audio=True,
    )


def test_a_silent_film_of_the_flex_tier() -> None:
    found = ark(
        "doubao-seedance-1-5-pro-251215",
        text("a cat"),
        generate_audio=False,
        service_tier="flex",
        resolution="480p",
    )
    assert (found.video_audio, found.variant, found.video_resolution) == (False, "flex", "480p")


def test_a_film_with_a_film_as_input() -> None:
    reference = CLIP | {"role": "reference_video"}
    found = ark("doubao-seedance-2.0", text("a cat"), reference, resolution="720p", ratio="16:9", duration=5)
    assert found.input_video
    assert (found.output_tokens, found.video_seconds) == (tokens(1280, 720, 240), 5.0)


def test_a_film_in_frames() -> None:
    found = ark("doubao-seedance-1-0-pro-250528", text("a cat"), resolution="480p", ratio="16:9", frames=57)
    assert (found.output_tokens, found.video_seconds) == (tokens(864, 480, 57), 2.375)


@pytest.mark.parametrize(
    ("model", "content", "variant"),
    [
        ("doubao-seed3d-2.0", [PICTURE, text("--fileformat glb")], ""),
        ("Hyper3d-Gen2", [text("a chair")], ""),
        ("Hitem3d-2.0", [PICTURE, text("--resolution 1536 --request_type 1")], "1536"),
        ("Hitem3d-2.0", [PICTURE, text("--resolution 1536pro --request_type 3")], "1536pro+texture"),
    ],
)
def test_a_3d_file(model: str, content: list[Any], variant: str) -> None:
    assert ark(model, *content) == Usage(output_tokens=30_000, assets=1, variant=variant)


def film(model: str, given: dict[str, Any], **parameters: object) -> Usage:
    body = {"model": model, "input": given, "parameters": parameters}
    return made(DashScopeVideo(), FILMS, "/api/v1/tasks/{}", body)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (
            lambda: film("happyhorse-1.0-t2v", {"prompt": "a cat"}, resolution="720P", duration=7),
            Usage(video_seconds=7.0, video_resolution="720", video_ratio="16:9"),
        ),
        (
            lambda: film("happyhorse-1.0-t2v", {"prompt": "a cat"}),
            Usage(video_seconds=5.0, video_resolution="1080", video_ratio="16:9"),
        ),
        (
            lambda: film(
                "happyhorse-1.0-video-edit",
                {"prompt": "a cat", "media": [{"type": "video", "url": "https://e.com/v"}]},
            ),
            Usage(video_seconds=9.0, video_resolution="1080", input_video=True),
        ),
        (
            lambda: film("wan2.5-t2v-preview", {"prompt": "a cat", "audio_url": "u"}, size="1080*1920"),
            Usage(video_seconds=5.0, video_resolution="1080P", video_ratio="9:16", video_audio=True),
        ),
    ],
    ids=["asked", "default", "edit", "older"],
)
def test_a_film_by_seconds(found: Any, expected: Usage) -> None:
    assert found() == expected
