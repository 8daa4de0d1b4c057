"""The dashscope SDK's module API, the same in 1.x and 2.x: ``test_older_sdks`` runs this file once more with 1.x."""

import asyncio
import importlib
import math
import uuid
from collections.abc import Coroutine
from http import HTTPStatus
from typing import Any, TypeVar

import dashscope
import pytest
from dashscope import Generation, MultiModalEmbedding, TextEmbedding
from dashscope.aigc.video_synthesis import AioVideoSynthesis, VideoSynthesis
from tests.support.live import Live, SimulatorControl
from tests.support.live_media import check_mp4, download

pytestmark = pytest.mark.conformance

HORSE = "happyhorse-1.0-t2v"
VECTORS = "qwen3-vl-embedding"
T = TypeVar("T")


@pytest.fixture(autouse=True)
def _pointed_at_us(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dashscope, "base_http_api_url", live.base("/api/v1"))
    monkeypatch.setattr(dashscope, "api_key", live.key)


def drive(coroutine: Coroutine[Any, Any, T]) -> T:
    """2.x keeps one aiohttp session per loop, which must be closed in that loop; 1.x has none."""

    async def main() -> T:
        try:
            return await coroutine
        finally:
            if not dashscope.version.__version__.startswith("1."):
                sessions: Any = importlib.import_module("dashscope.api_entities.aio_session")
                await sessions.close_shared_aio_session()

    return asyncio.run(main())


def test_video_to_its_end(live: Live, simulator: SimulatorControl, tmp_path: Any) -> None:
    made: Any = VideoSynthesis.async_call(
        model=HORSE, prompt="a cat", resolution="720P", ratio="1:1", duration=4
    )
    assert made.status_code == HTTPStatus.OK
    assert made.output.task_status == "PENDING"
    assert str(uuid.UUID(made.output.task_id)) == made.output.task_id
    assert simulator.one("/video-synthesis").headers["x-dashscope-async"] == "enable"
    done: Any = VideoSynthesis.wait(made)
    assert done.output.task_status == "SUCCEEDED"
    assert done.usage["duration"] == 4
    check_mp4(download(done.output.video_url), tmp_path)


def test_call_waits_by_itself() -> None:
    done: Any = VideoSynthesis.call(model=HORSE, prompt="a cat")
    assert done.status_code == HTTPStatus.OK
    assert done.output.task_status == "SUCCEEDED"
    assert done.output.video_url.endswith(".mp4")


def test_fetch_by_id_and_by_answer(simulator: SimulatorControl) -> None:
    simulator.fault("task_seconds", n=60, times=1)
    made: Any = VideoSynthesis.async_call(model=HORSE, prompt="a cat")
    by_answer: Any = VideoSynthesis.fetch(made)
    by_id: Any = VideoSynthesis.fetch(made.output.task_id)
    assert by_answer.output.task_id == by_id.output.task_id == made.output.task_id
    assert by_id.output.task_status == "PENDING"


def test_cancel_by_state(simulator: SimulatorControl) -> None:
    simulator.fault("task_seconds", n=60, times=1)
    made: Any = VideoSynthesis.async_call(model=HORSE, prompt="a cat")
    assert VideoSynthesis.cancel(made).status_code == HTTPStatus.OK
    found: Any = VideoSynthesis.fetch(made)
    assert found.output.task_status == "CANCELED"
    again: Any = VideoSynthesis.cancel(made)
    assert (again.status_code, again.code) == (400, "UnsupportedOperation")
    assert again.message


def test_list_holds_the_callers_own_tasks(simulator: SimulatorControl) -> None:
    simulator.fault("task_seconds", n=0, times=2)
    made = [VideoSynthesis.async_call(model=HORSE, prompt=text).output.task_id for text in ("a", "b")]
    for task_id in made:
        assert VideoSynthesis.fetch(task_id).output.task_status == "SUCCEEDED"
    listed: Any = VideoSynthesis.list(page_no=1, page_size=100, status="SUCCEEDED", model_name=HORSE)
    assert listed.status_code == HTTPStatus.OK
    found = {entry["task_id"]: entry for entry in listed.output["data"]}
    assert set(made) <= set(found)
    assert listed.output["total"] >= 2
    assert found[made[0]]["status"] == "SUCCEEDED"
    assert not simulator.seen("/tasks", "GET")


def test_a_failed_task() -> None:
    done: Any = VideoSynthesis.call(model=HORSE, prompt="please fail task")
    assert done.status_code == HTTPStatus.OK
    assert done.output.task_status == "FAILED"
    assert done.output["code"] == "DataInspectionFailed"


def test_an_unknown_task_ends_the_wait() -> None:
    found: Any = VideoSynthesis.wait(str(uuid.uuid4()))
    assert found.status_code == HTTPStatus.OK
    assert found.output.task_status == "UNKNOWN"


def test_a_first_frame_by_its_old_name(simulator: SimulatorControl) -> None:
    made: Any = VideoSynthesis.async_call(
        model="happyhorse-1.0-i2v", prompt="it moves", img_url="https://example.com/a.png"
    )
    assert made.status_code == HTTPStatus.OK, made
    given = simulator.one("/video-synthesis").json["input"]
    assert given["media"] == [{"type": "first_frame", "url": "https://example.com/a.png"}]
    assert "img_url" not in given


def test_aio_video(simulator: SimulatorControl) -> None:
    """It asks with a trailing slash and the parameters of the video in the query."""
    simulator.fault("task_seconds", n=60, times=1)

    async def main() -> tuple[str, str, int, str]:
        made: Any = await AioVideoSynthesis.async_call(model=HORSE, prompt="a cat", duration=5)
        found: Any = await AioVideoSynthesis.fetch(made)
        cancelled: Any = await AioVideoSynthesis.cancel(made)
        after: Any = await AioVideoSynthesis.wait(made)
        return made.output.task_id, found.output.task_status, cancelled.status_code, after.output.task_status

    task_id, before, cancelled, after = drive(main())
    assert str(uuid.UUID(task_id)) == task_id
    assert (before, cancelled, after) == ("PENDING", 200, "CANCELED")


def test_aio_video_to_its_end() -> None:
    async def main() -> Any:
        return await AioVideoSynthesis.call(model=HORSE, prompt="a cat", resolution="720P")

    done = drive(main())
    assert done.output.task_status == "SUCCEEDED"
    assert done.usage["SR"] == 720


def test_multimodal_embedding(simulator: SimulatorControl) -> None:
    given: Any = [{"text": "a cat"}, {"image": "https://example.com/a.png"}]
    answer: Any = MultiModalEmbedding.call(model=VECTORS, input=given, dimension=512)
    assert answer.status_code == HTTPStatus.OK, answer
    vectors = answer.output["embeddings"]
    assert [entry["type"] for entry in vectors] == ["text", "image"]
    assert all(len(entry["embedding"]) == 512 for entry in vectors)
    assert math.isclose(sum(number**2 for number in vectors[0]["embedding"]), 1.0, rel_tol=1e-3)
    assert answer.usage["image_tokens"] > 0
    assert answer.request_id
    assert simulator.one("/multimodal-embedding").json["input"] == {"contents": given}


def test_wrong_key() -> None:
    answer: Any = MultiModalEmbedding.call(model=VECTORS, input=[{"text": "x"}], api_key="ck-wrong")
    assert (answer.status_code, answer.code) == (401, "GATEWAY_INVALID_VIRTUAL_KEY")
    assert answer.message
    assert answer.request_id
    video: Any = VideoSynthesis.async_call(model=HORSE, prompt="x", api_key="ck-wrong")
    assert (video.status_code, video.code) == (401, "GATEWAY_INVALID_VIRTUAL_KEY")


def test_unknown_model() -> None:
    answer: Any = VideoSynthesis.async_call(model="happyhorse-9", prompt="x")
    assert (answer.status_code, answer.code) == (400, "GATEWAY_MODEL_NOT_RESOLVED")


def test_bad_request_from_the_upstream(simulator: SimulatorControl) -> None:
    answer: Any = VideoSynthesis.async_call(model=HORSE, prompt="x", duration=60)
    assert (answer.status_code, answer.code) == (400, "InvalidParameter")
    assert "duration" in answer.message
    assert len(simulator.seen("/video-synthesis")) == 1


def test_rate_limit(simulator: SimulatorControl) -> None:
    simulator.fault("status", status=429)
    answer: Any = MultiModalEmbedding.call(model=VECTORS, input=[{"text": "x"}])
    assert answer.status_code == HTTPStatus.TOO_MANY_REQUESTS
    assert answer.code == "UPSTREAM_RATE_LIMITED"


def test_upstream_failure(simulator: SimulatorControl) -> None:
    simulator.fault("status", status=500)
    answer: Any = MultiModalEmbedding.call(model=VECTORS, input=[{"text": "x"}])
    assert (answer.status_code, answer.code) == (502, "UPSTREAM_ALL_FAILED")


@pytest.mark.parametrize("stream", [False, True])
def test_native_text_generation_is_not_served_and_says_so(stream: bool) -> None:
    answer: Any = Generation.call(
        model="qwen3.7-max",
        prompt="x",
        result_format="message",
        stream=stream,
    )
    for part in answer if stream else [answer]:
        assert (part.status_code, part.code) == (400, "GATEWAY_MISSING_ACTUAL_PATH")
        assert part.message
        assert part.request_id


def test_native_text_embedding_is_not_served_and_says_so() -> None:
    answer: Any = TextEmbedding.call(model="text-embedding-v4", input="x")
    assert (answer.status_code, answer.code) == (400, "GATEWAY_MISSING_ACTUAL_PATH")
