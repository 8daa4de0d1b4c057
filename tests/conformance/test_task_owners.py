"""Tasks belong to the key that made them, survive a restart, and are paid once."""

import json
import uuid
from pathlib import Path
from typing import Any

import dashscope
import pytest
from dashscope.aigc.video_synthesis import VideoSynthesis
from tests.support.live import Live, SimulatorControl, running_serve, wait_for
from tests.support.live_clients import ark_client
from tests.support.live_raw import send
from volcenginesdkarkruntime._exceptions import ArkNotFoundError

from aimesh.core.record import UsageRecord
from aimesh.store.reader import read_records

pytestmark = pytest.mark.conformance

OWNER, OTHER = "ck-" + "o" * 40, "ck-" + "t" * 40
CONFIGURATION = f"""
virtual_keys:
  - {{alias: owner, key: {OWNER}}}
  - {{alias: other, key: {OTHER}}}
"""
FILM: Any = [{"type": "text", "text": "a cat runs"}]
HORSE = "happyhorse-1.0-t2v"


def records_of(home: Path, task_id: str) -> list[UsageRecord]:
    return [record for record in read_records(home / "journal") if record.task_id == task_id]


def fetch(stack: Live, task_id: str, key: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(dashscope, "base_http_api_url", stack.base("/api/v1"))
    return VideoSynthesis.fetch(task_id, api_key=key)


def test_a_task_is_its_keys_alone(
    live: Live, simulator: SimulatorControl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator.fault("task_seconds", n=60, times=2)
    with running_serve(CONFIGURATION, key=OWNER, simulator=simulator, home=tmp_path) as stack:
        owner = ark_client(stack).content_generation.tasks
        other = ark_client(stack, key=OTHER).content_generation.tasks
        made = owner.create(model="doubao-seedance-2.0", content=FILM).id
        with pytest.raises(ArkNotFoundError):
            other.get(task_id=made)
        with pytest.raises(ArkNotFoundError):
            other.delete(task_id=made)
        assert other.list(task_ids=[made]).total == 0
        assert owner.get(task_id=made).status == "queued"
        assert [task.id for task in owner.list().items] == [made]

        monkeypatch.setattr(dashscope, "base_http_api_url", stack.base("/api/v1"))
        video: Any = VideoSynthesis.async_call(model=HORSE, prompt="a cat", api_key=OWNER)
        task_id = video.output.task_id
        assert str(uuid.UUID(task_id)) == task_id
        assert fetch(stack, task_id, OTHER, monkeypatch).output.task_status == "UNKNOWN"
        refused: Any = VideoSynthesis.cancel(task_id, api_key=OTHER)
        listed: Any = VideoSynthesis.list(api_key=OTHER)
        assert listed.output["data"] == []
        assert fetch(stack, task_id, OWNER, monkeypatch).output.task_status == "PENDING"
        assert refused.status_code in {200, 400, 404}
    # Nothing of the other key's went up: the owner asked once each.
    assert len(simulator.seen(made, "GET")) == 1
    assert not simulator.seen("/cancel")
    assert not simulator.seen(made, "DELETE")


def test_a_task_outlives_the_process(
    live: Live, simulator: SimulatorControl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_serve(CONFIGURATION, key=OWNER, simulator=simulator, home=tmp_path) as stack:
        film = ark_client(stack).content_generation.tasks.create(
            model="doubao-seedance-2.0", content=FILM, resolution="720p", ratio="16:9", duration=5
        )
        monkeypatch.setattr(dashscope, "base_http_api_url", stack.base("/api/v1"))
        video: Any = VideoSynthesis.async_call(model=HORSE, prompt="a cat", api_key=OWNER)
    with running_serve(CONFIGURATION, key=OWNER, simulator=simulator, home=tmp_path) as stack:
        tasks = ark_client(stack).content_generation.tasks
        task = wait_for(lambda: _if(tasks.get(task_id=film.id), "succeeded"), 20)
        assert task.content.video_url
        horse = wait_for(lambda: _if(fetch(stack, video.output.task_id, OWNER, monkeypatch), "SUCCEEDED"), 20)
        assert horse.output.video_url
        for _ in range(3):
            assert tasks.get(task_id=film.id).status == "succeeded"
        assert [item.status for item in tasks.list(task_ids=[film.id]).items] == ["succeeded"]
    created, settled = records_of(tmp_path, film.id)
    assert (created.operation, settled.operation) == ("create_task", "settle_task")
    assert created.usage.output_tokens == 0
    assert settled.usage.output_tokens == task.usage.completion_tokens == 1280 * 720 * 24 * 5 // 1024
    paid = [
        record for record in records_of(tmp_path, video.output.task_id) if record.operation == "settle_task"
    ]
    assert [record.usage.video_seconds for record in paid] == [5.0]
    assert settled.key_id == created.key_id


def _if(task: Any, status: str) -> Any:
    found = task.status if hasattr(task, "status") else task.output.task_status
    return task if found == status else None


def test_a_task_nobody_asks_about_is_paid_too(
    live: Live, simulator: SimulatorControl, tmp_path: Path
) -> None:
    """The settler asks by itself."""
    with running_serve(CONFIGURATION, key=OWNER, simulator=simulator, home=tmp_path) as stack:
        made = ark_client(stack).content_generation.tasks.create(model="doubao-seedance-2.0", content=FILM).id
        settled = wait_for(
            lambda: [record for record in records_of(tmp_path, made) if record.operation == "settle_task"], 30
        )
    assert len(settled) == 1
    assert settled[0].usage.output_tokens > 0


@pytest.mark.parametrize("path", ["/api/v3/contents/generations/tasks", "/api/v3/images/generations"])
def test_an_idempotency_key_makes_it_once(live: Live, simulator: SimulatorControl, path: str) -> None:
    body: dict[str, Any] = (
        {"model": "doubao-seedance-2.0", "content": FILM}
        if path.endswith("tasks")
        else {"model": "doubao-seedream-4.0", "prompt": "x", "size": "1K"}
    )
    headers = {"Authorization": f"Bearer {live.key}", "Idempotency-Key": str(uuid.uuid4())}
    first, second = (send(live.base(path), json.dumps(body).encode(), headers) for _ in range(2))
    other = send(live.base(path), json.dumps(body | {"seed": 7}).encode(), headers)
    assert (first.status, second.status, other.status) == (200, 200, 409)
    assert first.body == second.body
    assert b"GATEWAY_IDEMPOTENCY_CONFLICT" in other.body
    assert len(simulator.seen(path)) == 1
