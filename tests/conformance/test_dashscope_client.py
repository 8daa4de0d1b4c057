"""``dashscope.Client`` and ``AsyncClient`` of the 2.x SDK."""

from collections.abc import Iterator
from typing import Any

import dashscope
import pytest
from dashscope.v2 import errors
from tests.support.live import Live, SimulatorControl
from tests.support.live_clients import drive
from tests.support.live_media import check_mp4, download

pytestmark = pytest.mark.conformance

HORSE = "happyhorse-1.0-t2v"
VECTORS = "qwen3-vl-embedding"


def make(
    live: Live, path: str = "/api/v1", *, key: str = "", protocol: str = "native", max_retries: int = 0
) -> Any:
    return dashscope.Client(
        api_key=key or live.key, base_url=live.base(path), protocol=protocol, max_retries=max_retries
    )


@pytest.fixture
def client(live: Live) -> Iterator[Any]:
    made = make(live)
    yield made
    made.close()


def test_video_to_its_end(client: Any, tmp_path: Any) -> None:
    done = client.videos.generate(model=HORSE, prompt="a cat", resolution="720P", ratio="16:9", duration=3)
    assert done.status == "SUCCEEDED"
    check_mp4(download(done.video_url), tmp_path)


def test_jobs(client: Any, simulator: SimulatorControl) -> None:
    jobs = client.videos.jobs
    made = jobs.create(
        model="happyhorse-1.0-r2v",
        prompt="a cat",
        media=[{"type": "reference_image", "url": "https://example.com/a.png"}],
    )
    done = jobs.wait(made.task_id)
    assert done.status == "SUCCEEDED"
    assert jobs.fetch(made.task_id).video_url == done.video_url


def test_cancel(client: Any, simulator: SimulatorControl) -> None:
    simulator.fault("task_seconds", n=60, times=1)
    made = client.videos.jobs.create(model=HORSE, prompt="a cat")
    client.videos.jobs.cancel(made.task_id)
    assert client.videos.jobs.fetch(made.task_id).status == "CANCELED"
    with pytest.raises(errors.BadRequestError) as caught:
        client.videos.jobs.cancel(made.task_id)
    assert caught.value.code == "UnsupportedOperation"


def test_list_reads_our_answer(client: Any) -> None:
    """This client reads ``tasks`` where the documented answer says ``data``: ours holds both."""
    made = client.videos.jobs.create(model=HORSE, prompt="a cat")
    listed = client.videos.jobs.list(page_no=1, page_size=100)
    assert made.task_id in [job.task_id for job in listed.tasks]


def test_a_first_frame(client: Any, simulator: SimulatorControl) -> None:
    client.videos.jobs.create(
        model="happyhorse-1.0-i2v", prompt="it moves", image_url="https://example.com/a.png"
    )
    assert simulator.one("/video-synthesis").json["input"]["media"] == [
        {"type": "first_frame", "url": "https://example.com/a.png"}
    ]


def test_an_unknown_task(client: Any) -> None:
    assert client.videos.jobs.fetch("0a0a0a0a-0000-4000-8000-000000000000").status == "UNKNOWN"


def test_multimodal_embedding(client: Any) -> None:
    answer = client.multimodal.embeddings.create(
        model=VECTORS, input=[{"text": "a cat"}, {"image": "https://example.com/a.png"}]
    )
    vectors = answer.embeddings if hasattr(answer, "embeddings") else answer.output["embeddings"]
    assert [
        len(entry.embedding if hasattr(entry, "embedding") else entry["embedding"]) for entry in vectors
    ] == [
        2560,
        2560,
    ]


def test_async(live: Live) -> None:
    async def main() -> tuple[Any, Any]:
        client: Any = dashscope.AsyncClient(api_key=live.key, base_url=live.base("/api/v1"), max_retries=0)
        try:
            job = await client.videos.generate(model=HORSE, prompt="a cat")
            vectors = await client.multimodal.embeddings.create(model=VECTORS, input=[{"text": "a cat"}])
        finally:
            await client.aclose()
        return job, vectors

    job, vectors = drive(main())
    assert job.status == "SUCCEEDED"
    assert vectors.request_id


def test_chat_by_the_openai_protocol(live: Live) -> None:
    client = make(live, "/v1", protocol="openai")
    try:
        answer = client.chat.completions.create(
            model="qwen/qwen3.7-max", messages=[{"role": "user", "content": "hello"}]
        )
        pieces = [
            chunk.choices[0].delta.content or ""
            for chunk in client.chat.completions.create(
                model="qwen/qwen3.7-max", messages=[{"role": "user", "content": "hello"}], stream=True
            )
            if chunk.choices
        ]
    finally:
        client.close()
    assert answer.choices[0].message.content.endswith("You said: hello")
    assert "".join(pieces) == answer.choices[0].message.content


def test_chat_by_the_anthropic_protocol(live: Live) -> None:
    client = make(live, "", protocol="anthropic")
    try:
        answer = client.chat.completions.create(
            model="qwen/qwen3.7-max", max_tokens=64, messages=[{"role": "user", "content": "hello"}]
        )
    finally:
        client.close()
    assert answer.choices[0].message.content.endswith("You said: hello")


def test_wrong_key(live: Live) -> None:
    client = make(live, key="ck-wrong")
    try:
        with pytest.raises(errors.AuthenticationError) as caught:
            client.videos.jobs.create(model=HORSE, prompt="x")
    finally:
        client.close()
    assert caught.value.code == "GATEWAY_INVALID_VIRTUAL_KEY"
    assert caught.value.request_id


def test_bad_request(client: Any) -> None:
    with pytest.raises(errors.BadRequestError) as caught:
        client.videos.jobs.create(model=HORSE, prompt="x", duration=60)
    assert caught.value.code == "InvalidParameter"
    assert caught.value.body["source"] == "upstream"


def test_rate_limit_is_retried_and_typed(live: Live, simulator: SimulatorControl) -> None:
    client = make(live)
    simulator.fault("status", status=429)
    try:
        with pytest.raises(errors.RateLimitError) as caught:
            client.multimodal.embeddings.create(model=VECTORS, input=[{"text": "x"}])
    finally:
        client.close()
    assert caught.value.code == "UPSTREAM_RATE_LIMITED"


def test_a_film_is_never_made_twice(live: Live, simulator: SimulatorControl) -> None:
    """This client retries the POST that makes a task, unless it is told not to."""
    client = make(live, max_retries=2)
    simulator.fault("reset_before_first_byte", match={"path_suffix": "/video-synthesis"})
    try:
        with pytest.raises(errors.APIStatusError):
            client.videos.jobs.create(model=HORSE, prompt="x")
    finally:
        client.close()
    assert len(simulator.seen("/video-synthesis")) == 1
