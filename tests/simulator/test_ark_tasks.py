"""Ark's task API, by the official SDK and by hand."""

import asyncio
import json
import re
from typing import Any

import pytest
from tests.simulator.test_media import boxes, png_rows
from tests.support.simulation import LiveSimulator, read_all, split_answer, wait_for
from volcenginesdkarkruntime import Ark, AsyncArk
from volcenginesdkarkruntime._exceptions import ArkAuthenticationError, ArkBadRequestError, ArkNotFoundError

PATH = "/ark/api/v3/contents/generations/tasks"
TEXT: Any = [{"type": "text", "text": "a cat runs"}]


def ark(sim: LiveSimulator, key: str = "k", provider: str = "ark") -> Ark:
    return Ark(base_url=f"{sim.url}/{provider}/api/v3", api_key=key, max_retries=0)


def ended(tasks: Any, task_id: str) -> Any:
    def look() -> Any:
        task = tasks.get(task_id=task_id)
        return task if task.status not in {"queued", "running"} else None

    return wait_for(look)


def test_video_to_its_end(sim: LiveSimulator) -> None:
    tasks: Any = ark(sim).content_generation.tasks
    made = tasks.create(
        model="doubao-seedance-2.0",
        content=TEXT,
        resolution="720p",
        ratio="9:16",
        duration=5,
        return_last_frame=True,
    )
    assert re.fullmatch(r"cgt-20\d{12}-[0-9a-f]{5}", made.id)
    assert tasks.get(task_id=made.id).status == "queued"
    task = ended(tasks, made.id)
    assert task.status == "succeeded"
    assert task.model == "doubao-seedance-2-0-260128"
    assert task.usage.completion_tokens == task.usage.total_tokens == 720 * 1280 * 24 * 5 // 1024
    assert (task.resolution, task.ratio, task.duration) == ("720p", "9:16", 5)
    assert "moov" in boxes(sim.get(task.content.video_url))
    assert png_rows(sim.get(task.content.last_frame_url))[:2] == (720, 1280)


def test_states_come_in_order(sim: LiveSimulator) -> None:
    tasks: Any = ark(sim).content_generation.tasks
    made = tasks.create(model="doubao-seedance-2.0", content=TEXT)
    seen: list[str] = []

    def look() -> bool:
        status = tasks.get(task_id=made.id).status
        if not seen or seen[-1] != status:
            seen.append(status)
        return bool(status == "succeeded")

    wait_for(look)
    assert seen in (["queued", "running", "succeeded"], ["queued", "succeeded"])


@pytest.mark.parametrize("model", ["doubao-seed3d-2.0", "Hyper3d-Gen2", "hyper3d-gen2-260112"])
def test_3d_from_text_gives_a_glb(sim: LiveSimulator, model: str) -> None:
    tasks: Any = ark(sim).content_generation.tasks
    task = ended(tasks, tasks.create(model=model, content=TEXT).id)
    assert task.usage.completion_tokens == 30_000
    assert sim.get(task.content.file_url)[:4] == b"glTF"


def test_3d_as_zip_and_without_its_picture(sim: LiveSimulator) -> None:
    tasks: Any = ark(sim).content_generation.tasks
    picture: Any = [{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]
    task = ended(tasks, tasks.create(model="Hitem3d-2.0", content=picture).id)
    assert sim.get(task.content.file_url)[:2] == b"PK"
    as_glb = [*picture, {"type": "text", "text": "--ff 2"}]
    task = ended(tasks, tasks.create(model="Hitem3d-2.0", content=as_glb).id)
    assert sim.get(task.content.file_url)[:4] == b"glTF"
    with pytest.raises(ArkBadRequestError):
        tasks.create(model="Hitem3d-2.0", content=TEXT)


def test_failed_task(sim: LiveSimulator) -> None:
    tasks: Any = ark(sim).content_generation.tasks
    made = tasks.create(model="doubao-seedance-2.0", content=[{"type": "text", "text": "please fail task"}])
    task = ended(tasks, made.id)
    assert task.status == "failed"
    assert task.error.code == "OutputVideoSensitiveContentDetected"
    assert task.usage is None or not getattr(task.usage, "completion_tokens", None)
    sim.fault("task_fails", times=1)
    sim.fault("task_seconds", n=0, times=1)
    assert tasks.get(task_id=tasks.create(model="doubao-seedance-2.0", content=TEXT).id).status == "failed"


def test_delete_by_state(sim: LiveSimulator) -> None:
    tasks: Any = ark(sim).content_generation.tasks
    sim.fault("task_seconds", n=600, times=1)
    queued = tasks.create(model="doubao-seedance-2.0", content=TEXT).id
    tasks.delete(task_id=queued)
    assert tasks.get(task_id=queued).status == "cancelled"
    status, _, _ = sim_delete(sim, queued)
    assert status == 409
    sim.fault("task_seconds", n=0, times=1)
    done = tasks.create(model="doubao-seedance-2.0", content=TEXT).id
    assert sim_delete(sim, done)[0] == 200
    with pytest.raises(ArkNotFoundError):
        tasks.get(task_id=done)
    with pytest.raises(ArkNotFoundError):
        tasks.delete(task_id="cgt-20260101000000-abcde")
    sim.fault("task_seconds", n=1.0, times=1)
    running = tasks.create(model="doubao-seedance-2.0", content=TEXT).id
    wait_for(lambda: tasks.get(task_id=running).status == "running")
    status, _, answer = sim_delete(sim, running)
    assert status == 409
    assert "running" in json.loads(answer)["error"]["message"]


def sim_delete(sim: LiveSimulator, task_id: str) -> tuple[int, dict[str, str], bytes]:
    with sim.connect() as connection:
        head = "host: x\r\nauthorization: Bearer k\r\nconnection: close"
        connection.sendall(f"DELETE {PATH}/{task_id} HTTP/1.1\r\n{head}\r\n\r\n".encode())
        return split_answer(read_all(connection)[0])


def test_list_filters_and_pages(sim: LiveSimulator) -> None:
    tasks: Any = ark(sim, provider="listing").content_generation.tasks
    sim.fault("task_seconds", n=0, times=2)
    ids = [tasks.create(model="doubao-seedance-2.0", content=TEXT).id for _ in range(3)]
    everything = tasks.list(page_num=1, page_size=10)
    some = tasks.list(page_num=1, page_size=10, task_ids=ids[:2], status="succeeded")
    second = tasks.list(page_num=2, page_size=2)
    assert everything.total == 3
    assert [item.id for item in everything.items] == ids[::-1]
    assert {item.id for item in some.items} == set(ids[:2])
    assert (second.total, [item.id for item in second.items]) == (3, ids[:1])
    assert ark(sim, provider="elsewhere").content_generation.tasks.list(page_num=1, page_size=10).total == 0


def test_async_sdk(sim: LiveSimulator) -> None:
    async def make() -> str:
        async with AsyncArk(base_url=sim.url + "/ark/api/v3", api_key="k") as client:
            made: Any = await client.content_generation.tasks.create(
                model="doubao-seedance-2.0", content=TEXT
            )
            task: Any = await client.content_generation.tasks.get(task_id=made.id)
            return str(task.status)

    assert asyncio.run(make()) == "queued"


def test_errors_are_typed(sim: LiveSimulator) -> None:
    with pytest.raises(ArkAuthenticationError) as wrong:
        ark(sim, key="invalid").content_generation.tasks.create(model="m", content=TEXT)
    assert wrong.value.code == "AuthenticationError"


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"content": []}, "content"),
        ({"content": ["x"]}, "content"),
        ({"content": [{"type": "text"}]}, "text"),
        ({"content": [{"type": "image_url", "image_url": {}}]}, "image_url"),
        ({"content": [{"type": "smell"}]}, "smell"),
        ({"content": [{"type": "text", "text": " "}]}, "empty"),
        ({"resolution": "8k"}, "resolution"),
        ({"resolution": "1080p", "model": "doubao-seedance-2.0-fast"}, "resolution"),
        ({"resolution": "4k", "model": "doubao-seedance-1-5-pro-251215"}, "resolution"),
        ({"ratio": "2:1"}, "ratio"),
        ({"duration": 16}, "duration"),
        ({"duration": 2}, "duration"),
        ({"duration": -1, "model": "doubao-seedance-1-0-pro-250528"}, "duration"),
        ({"frames": 30, "model": "doubao-seedance-1-0-pro-250528"}, "frames"),
        ({"model": None}, "model"),
    ],
)
def test_body_fields_are_checked_strictly(sim: LiveSimulator, change: dict[str, Any], word: str) -> None:
    status, _, answer = sim.post(PATH, {"model": "doubao-seedance-2.0", "content": TEXT} | change)
    error = json.loads(answer)["error"]
    assert status == 400
    assert word in error["message"]
    assert error["type"] == "BadRequest"


@pytest.mark.parametrize(
    ("model", "text", "tokens"),
    [
        ("doubao-seedance-2.0", "a cat", 1280 * 720 * 24 * 5),
        ("doubao-seedance-2.0", "a cat --rs 480p --rt 1:1 --dur 10", 640 * 640 * 24 * 10),
        ("doubao-seedance-2.0", "a cat --resolution 9p --ratio 9:1 --duration 99", 1280 * 720 * 24 * 5),
        ("doubao-seedance-1-0-pro-250528", "a cat", 1920 * 1088 * 24 * 5),
        ("doubao-seedance-1.0-pro-fast", "a cat --rs 480p --rt 9:16", 480 * 864 * 24 * 5),
        ("doubao-seedance-1.0-pro", "a cat --rs 480p --frames 57 --dur 10", 864 * 480 * 57),
        ("doubao-seedance-1.0-pro", "a cat --rs 480p --frames 58", 864 * 480 * 24 * 5),
    ],
)
def test_flags_are_checked_weakly(sim: LiveSimulator, model: str, text: str, tokens: int) -> None:
    sim.fault("task_seconds", n=0, times=1)
    tasks: Any = ark(sim).content_generation.tasks
    task = tasks.get(task_id=tasks.create(model=model, content=[{"type": "text", "text": text}]).id)
    assert task.usage.completion_tokens == tokens // 1024
