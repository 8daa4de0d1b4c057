"""Golden cases of the interface (see tests/support/wire_cases.py), and how a broken stream ends."""

import json
from pathlib import Path

import pytest
from tests.support.wire_cases import case_folders, check

from aimesh.core.errors import BrokenStream
from aimesh.wire.task.interface import ArkTasks
from aimesh.wire.tasks import Asset, TaskResult


@pytest.mark.parametrize("folder", case_folders("task"), ids=lambda folder: folder.name)
def test_a_case_gives_its_golden_files(folder: Path) -> None:
    check(folder)


def test_the_event_that_ends_a_broken_stream() -> None:
    event = ArkTasks().encode_stream_fault(BrokenStream("cut"), "req-1")
    assert event.startswith(b"event: error\ndata: ")
    assert event.endswith(b"\n\n")
    assert (
        json.loads(event.removeprefix(b"event: error\ndata: "))["error"]["code"] == "UPSTREAM_BROKEN_STREAM"
    )


def test_the_files_of_a_film_and_of_a_mesh_are_found() -> None:
    film = b'{"id": "t", "content": {"video_url": "http://v", "last_frame_url": "http://f"}, "error": null}'
    assert ArkTasks().read_result(film) == TaskResult(
        (Asset("video", "http://v"), Asset("image", "http://f"))
    )
    mesh = b'{"id": "t", "content": {"file_url": "http://m"}}'
    assert ArkTasks().read_result(mesh) == TaskResult((Asset("3d", "http://m"),))


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"content": 1, "error": []}', b'{"content": {"video_url": 5}}']
)
def test_where_nothing_is_said_nothing_is_found(body: bytes) -> None:
    assert ArkTasks().read_result(body) == TaskResult()


def test_why_a_task_failed_is_found() -> None:
    body = b'{"id": "t", "status": "failed", "error": {"code": "OutputVideoSensitive", "message": "no"}}'
    assert ArkTasks().read_result(body) == TaskResult(error_code="OutputVideoSensitive", error="no")
