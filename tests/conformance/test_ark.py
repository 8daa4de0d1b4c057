"""The Volcengine Ark SDK (volcengine-ark-runtime): every call that the product page's models need, sync and async."""

import math
from collections.abc import Callable
from typing import Any

import pytest
from tests.support.live import Live, SimulatorControl, wait_for
from tests.support.live_clients import ark_async, ark_client, drive
from tests.support.live_media import check_glb, check_mp4, check_picture, download
from volcenginesdkarkruntime._exceptions import (
    ArkAPIError,
    ArkAPIStatusError,
    ArkAPITimeoutError,
    ArkAuthenticationError,
    ArkBadRequestError,
    ArkInternalServerError,
    ArkNotFoundError,
    ArkRateLimitError,
)
from volcenginesdkarkruntime.types.images import SequentialImageGenerationOptions

pytestmark = pytest.mark.conformance

DOUBAO = "doubao-seed-2.0-pro"
SEEDREAM = "doubao-seedream-4.0"
SEEDANCE = "doubao-seedance-2.0"
HELLO: Any = [{"role": "user", "content": "hello"}]
FILM: Any = [{"type": "text", "text": "a cat runs"}]


@pytest.fixture(scope="module")
def ark(live: Live) -> Any:
    return ark_client(live)


def error_of(error: ArkAPIStatusError) -> Any:
    assert error.code
    assert error.type
    assert isinstance(error.body, dict)
    inner = error.body.get("error", error.body)
    assert inner["message"]
    assert inner["source"] in {"gateway", "upstream"}
    assert "retry_history" in inner
    assert error.response.headers["x-request-id"]
    return inner


def ended(tasks: Any, task_id: str) -> Any:
    def look() -> Any:
        task = tasks.get(task_id=task_id)
        return task if task.status not in {"queued", "running"} else None

    return wait_for(look, 20)


def test_chat_whole(live: Live, ark: Any, simulator: SimulatorControl) -> None:
    answer = ark.chat.completions.create(model=DOUBAO, messages=HELLO)
    assert answer.choices[0].message.content.endswith("You said: hello")
    assert answer.choices[0].message.reasoning_content
    assert answer.usage.prompt_tokens > 0
    assert answer.usage.completion_tokens_details.reasoning_tokens > 0
    seen = simulator.one("/chat/completions")
    assert seen.path == "/volcengine_bj/api/v3/chat/completions"
    assert seen.json["model"] == "doubao-seed-2-0-pro-260215"


def test_chat_stream(ark: Any) -> None:
    chunks = list(
        ark.chat.completions.create(
            model=DOUBAO, messages=HELLO, stream=True, stream_options={"include_usage": True}
        )
    )
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text.endswith("You said: hello")
    assert not chunks[-1].choices
    assert chunks[-1].usage.completion_tokens > 0


def test_chat_stream_without_usage(ark: Any) -> None:
    chunks = list(ark.chat.completions.create(model=DOUBAO, messages=HELLO, stream=True))
    assert all(chunk.choices for chunk in chunks)
    assert not any(chunk.usage for chunk in chunks)


def test_chat_async(live: Live) -> None:
    async def main() -> tuple[str, str]:
        client = ark_async(live)
        whole = await client.chat.completions.create(model=DOUBAO, messages=HELLO)
        stream = await client.chat.completions.create(model=DOUBAO, messages=HELLO, stream=True)
        pieces = [chunk.choices[0].delta.content or "" async for chunk in stream]
        await client.close()
        return whole.choices[0].message.content, "".join(pieces)

    whole, streamed = drive(main())
    assert whole == streamed
    assert whole.endswith("You said: hello")


def test_chat_with_a_tool(ark: Any) -> None:
    tool: Any = {
        "type": "function",
        "function": {
            "name": "get_weather",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
        },
    }
    answer = ark.chat.completions.create(
        model=DOUBAO, messages=[{"role": "user", "content": "use tool"}], tools=[tool]
    )
    call = answer.choices[0].message.tool_calls[0]
    assert (call.function.name, call.function.arguments) == ("get_weather", '{"city":"simulated"}')


def test_the_sdks_nulls_reach_the_upstream_as_they_are(ark: Any, simulator: SimulatorControl) -> None:
    """It sends every unset field as null; the same interface on both sides changes none of them."""
    ark.chat.completions.create(model=DOUBAO, messages=HELLO)
    body = simulator.one("/chat/completions").json
    assert list(body.values()).count(None) > 10


def test_images_whole(live: Live, ark: Any) -> None:
    answer = ark.images.generate(model=SEEDREAM, prompt="a house", size="1024x1024", watermark=False)
    assert check_picture(download(answer.data[0].url)) == (1024, 1024)
    assert answer.usage.generated_images == 1
    assert answer.usage.output_tokens > 0


def test_images_in_sequence_streamed(ark: Any) -> None:
    events = list(
        ark.images.generate(
            model=SEEDREAM,
            prompt="a house",
            size="1K",
            stream=True,
            sequential_image_generation="auto",
            sequential_image_generation_options=SequentialImageGenerationOptions(max_images=2),
        )
    )
    assert [event.type for event in events] == [
        "image_generation.partial_succeeded",
        "image_generation.partial_succeeded",
        "image_generation.completed",
    ]
    assert [event.image_index for event in events[:2]] == [0, 1]
    assert all(check_picture(download(event.url)) == (1024, 1024) for event in events[:2])
    assert events[-1].usage["generated_images"] == 2


def test_images_in_sequence_whole(ark: Any) -> None:
    answer = ark.images.generate(
        model=SEEDREAM,
        prompt="a house",
        size="1K",
        sequential_image_generation="auto",
        sequential_image_generation_options=SequentialImageGenerationOptions(max_images=3),
    )
    assert len({picture.url for picture in answer.data}) == 3


def test_images_async(live: Live) -> None:
    async def main() -> tuple[str, list[str]]:
        client = ark_async(live)
        whole = await client.images.generate(model=SEEDREAM, prompt="a house", size="1K")
        stream = await client.images.generate(model=SEEDREAM, prompt="a house", size="1K", stream=True)
        kinds = [event.type async for event in stream]
        await client.close()
        return whole.data[0].url, kinds

    url, kinds = drive(main())
    assert check_picture(download(url)) == (1024, 1024)
    assert kinds == ["image_generation.partial_succeeded", "image_generation.completed"]


def test_a_size_the_model_refuses_is_told_in_the_upstreams_words(
    ark: Any, simulator: SimulatorControl
) -> None:
    with pytest.raises(ArkBadRequestError) as caught:
        ark.images.generate(model="doubao-seedream-5.0-lite", prompt="a house", size="1K")
    error = error_of(caught.value)
    assert error["source"] == "upstream"
    assert "size" in error["message"]
    assert len(simulator.seen("/images/generations")) == 1


def test_video_to_its_end(ark: Any, live: Live, tmp_path: Any) -> None:
    tasks = ark.content_generation.tasks
    made = tasks.create(model=SEEDANCE, content=FILM, resolution="720p", ratio="16:9", duration=5)
    assert made.id.startswith("cgt-")
    task = ended(tasks, made.id)
    assert task.status == "succeeded"
    assert task.usage.completion_tokens == 1280 * 720 * 24 * 5 // 1024
    check_mp4(download(task.content.video_url), tmp_path)


def test_3d_to_its_end(ark: Any) -> None:
    tasks = ark.content_generation.tasks
    task = ended(tasks, tasks.create(model="Hyper3d-Gen2", content=FILM).id)
    assert task.status == "succeeded"
    assert check_glb(download(task.content.file_url))["meshes"]


def test_a_task_that_fails(ark: Any) -> None:
    tasks = ark.content_generation.tasks
    made = tasks.create(model=SEEDANCE, content=[{"type": "text", "text": "please fail task"}])
    task = ended(tasks, made.id)
    assert task.status == "failed"
    assert task.error.code


def test_tasks_async(live: Live, simulator: SimulatorControl) -> None:
    simulator.fault("task_seconds", n=60, times=1)

    async def main() -> tuple[str, str, str]:
        client = ark_async(live)
        tasks = client.content_generation.tasks
        made = await tasks.create(model=SEEDANCE, content=FILM)
        before = await tasks.get(task_id=made.id)
        await tasks.delete(task_id=made.id)
        after = await tasks.get(task_id=made.id)
        listed = await tasks.list(page_num=1, page_size=5, task_ids=[made.id])
        await client.close()
        return before.status, after.status, listed.items[0].status

    assert drive(main()) == ("queued", "cancelled", "cancelled")


def test_delete_by_state(ark: Any, simulator: SimulatorControl) -> None:
    tasks = ark.content_generation.tasks
    simulator.fault("task_seconds", n=60, times=1)
    queued = tasks.create(model=SEEDANCE, content=FILM).id
    tasks.delete(task_id=queued)
    assert tasks.get(task_id=queued).status == "cancelled"
    simulator.fault("task_seconds", n=4, times=1)
    running = tasks.create(model=SEEDANCE, content=FILM).id
    wait_for(lambda: tasks.get(task_id=running).status == "running")
    with pytest.raises(ArkAPIStatusError) as caught:
        tasks.delete(task_id=running)
    assert 400 <= caught.value.status_code < 500
    assert error_of(caught.value)["source"] == "upstream"
    simulator.fault("task_seconds", n=0, times=1)
    done = tasks.create(model=SEEDANCE, content=FILM).id
    assert tasks.get(task_id=done).status == "succeeded"
    tasks.delete(task_id=done)
    with pytest.raises(ArkNotFoundError):
        tasks.get(task_id=done)


def test_list_holds_the_callers_own_tasks(ark: Any, simulator: SimulatorControl) -> None:
    tasks = ark.content_generation.tasks
    simulator.fault("task_seconds", n=0, times=2)
    made = [tasks.create(model=SEEDANCE, content=FILM).id for _ in range(2)]
    for task_id in made:
        assert tasks.get(task_id=task_id).status == "succeeded"
    listed = tasks.list(page_num=1, page_size=10, status="succeeded", task_ids=made)
    assert listed.total == 2
    assert {task.id for task in listed.items} == set(made)
    assert all(task.status == "succeeded" for task in listed.items)
    one = tasks.list(page_num=2, page_size=1, task_ids=made)
    assert (one.total, len(one.items)) == (2, 1)
    # The account behind the gateway has other tasks; they are nobody's business here.
    assert not simulator.seen("/contents/generations/tasks", "GET")


def test_someone_elses_task_is_not_found(ark: Any) -> None:
    with pytest.raises(ArkNotFoundError) as caught:
        ark.content_generation.tasks.get(task_id="cgt-20260101000000-abcde")
    assert error_of(caught.value)["code"] == "GATEWAY_TASK_NOT_FOUND"
    with pytest.raises(ArkNotFoundError):
        ark.content_generation.tasks.delete(task_id="cgt-20260101000000-abcde")


def test_multimodal_embedding(ark: Any) -> None:
    answer = ark.multimodal_embeddings.create(
        model="doubao-embedding-vision",
        input=[
            {"type": "text", "text": "a cat"},
            {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        ],
        dimensions=1024,
    )
    vector = answer.data.embedding
    assert len(vector) == 1024
    assert math.isclose(sum(number * number for number in vector), 1.0, rel_tol=1e-3)
    assert answer.usage["prompt_tokens_details"]["image_tokens"] > 0


def test_multimodal_embedding_async(live: Live) -> None:
    async def main() -> Any:
        client = ark_async(live)
        answer = await client.multimodal_embeddings.create(
            model="doubao-embedding-vision", input=[{"type": "text", "text": "a cat"}]
        )
        await client.close()
        return answer

    answer = drive(main())
    assert len(answer.data.embedding) == 2048
    assert answer.usage["total_tokens"] > 0


def test_text_embeddings(ark: Any) -> None:
    answer = ark.embeddings.create(model="qwen/text-embedding-v4", input=["one", "two"])
    assert [entry.index for entry in answer.data] == [0, 1]
    assert all(len(entry.embedding) == 1024 for entry in answer.data)
    assert answer.usage.total_tokens > 0


def test_responses_whole_and_streamed(ark: Any) -> None:
    whole = ark.responses.create(model=DOUBAO, input="hello")
    events = list(ark.responses.create(model=DOUBAO, input="hello", stream=True))
    assert whole.usage.output_tokens > 0
    assert whole.output[-1].content[0].text.endswith("You said: hello")
    assert [events[0].type, events[-1].type] == ["response.created", "response.completed"]
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert text == whole.output[-1].content[0].text


def test_responses_async(live: Live) -> None:
    async def main() -> tuple[Any, list[str]]:
        client = ark_async(live)
        whole = await client.responses.create(model=DOUBAO, input="hello")
        stream = await client.responses.create(model=DOUBAO, input="hello", stream=True)
        kinds = [event.type async for event in stream]
        await client.close()
        return whole, kinds

    whole, kinds = drive(main())
    assert whole.status == "completed"
    assert kinds[-1] == "response.completed"


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.chat.completions.create(model=DOUBAO, messages=HELLO),
        lambda client: client.images.generate(model=SEEDREAM, prompt="x"),
        lambda client: client.content_generation.tasks.list(),
        lambda client: client.multimodal_embeddings.create(model="doubao-embedding-vision", input=[]),
    ],
    ids=["chat", "images", "tasks", "embedding"],
)
def test_wrong_key(live: Live, call: Callable[[Any], Any]) -> None:
    with pytest.raises(ArkAuthenticationError) as caught:
        call(ark_client(live, key="ck-wrong"))
    assert error_of(caught.value)["code"] == "GATEWAY_INVALID_VIRTUAL_KEY"
    assert caught.value.code == "GATEWAY_INVALID_VIRTUAL_KEY"


def test_wrong_key_async(live: Live) -> None:
    async def main() -> None:
        client = ark_async(live, key="ck-wrong")
        try:
            await client.chat.completions.create(model=DOUBAO, messages=HELLO)
        finally:
            await client.close()

    with pytest.raises(ArkAuthenticationError):
        drive(main())


def test_unknown_model(ark: Any) -> None:
    with pytest.raises(ArkBadRequestError) as caught:
        ark.chat.completions.create(model="doubao-nobody", messages=HELLO)
    assert error_of(caught.value)["code"] == "GATEWAY_MODEL_NOT_RESOLVED"


def test_rate_limit(ark: Any, simulator: SimulatorControl) -> None:
    simulator.fault("status", status=429)
    with pytest.raises(ArkRateLimitError) as caught:
        ark.chat.completions.create(model=DOUBAO, messages=HELLO)
    assert error_of(caught.value)["retry_history"][0]["status"] == 429


def test_upstream_failure(ark: Any, simulator: SimulatorControl) -> None:
    simulator.fault("status", status=500)
    with pytest.raises(ArkInternalServerError) as caught:
        ark.chat.completions.create(model=DOUBAO, messages=HELLO)
    assert error_of(caught.value)["code"] == "UPSTREAM_ALL_FAILED"


def test_a_task_is_never_made_twice(live: Live, simulator: SimulatorControl) -> None:
    """The SDK would retry; the gateway says not to, because the lost answer may mean a film that costs."""
    client = ark_client(live, max_retries=2)
    simulator.fault("reset_before_first_byte", match={"path_suffix": "/contents/generations/tasks"})
    with pytest.raises(ArkAPIStatusError) as caught:
        client.content_generation.tasks.create(model=SEEDANCE, content=FILM)
    assert caught.value.response.headers["x-should-retry"] == "false"
    assert len(simulator.seen("/contents/generations/tasks")) == 1


def test_a_picture_is_never_made_twice(live: Live, simulator: SimulatorControl) -> None:
    client = ark_client(live, max_retries=2)
    simulator.fault("half_json", match={"path_suffix": "/images/generations"})
    with pytest.raises(ArkAPIStatusError) as caught:
        client.images.generate(model=SEEDREAM, prompt="a house", size="1K")
    assert caught.value.response.headers["x-should-retry"] == "false"
    assert len(simulator.seen("/images/generations")) == 1


def test_the_callers_own_timeout(live: Live, simulator: SimulatorControl) -> None:
    simulator.fault("head_then_silence")
    with pytest.raises(ArkAPITimeoutError):
        ark_client(live).chat.completions.create(model=DOUBAO, messages=HELLO, timeout=0.5)


@pytest.mark.parametrize("kind", ["error_event_after_chunks", "cut_after_chunks"])
def test_a_stream_that_breaks_raises(ark: Any, simulator: SimulatorControl, kind: str) -> None:
    simulator.fault("slow_chunks_ms", n=5)
    simulator.fault(kind, n=4)
    chunks: list[Any] = []
    with pytest.raises(ArkAPIError):
        chunks.extend(ark.chat.completions.create(model=DOUBAO, messages=HELLO, stream=True))
    assert chunks
