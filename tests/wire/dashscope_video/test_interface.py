"""Golden cases of the interface (see tests/support/wire_cases.py), and how a broken stream ends."""

import json
from pathlib import Path

import pytest
from tests.support.wire_cases import case_folders, check

from aimesh.core.errors import BrokenStream
from aimesh.wire.dashscope_video.interface import DashScopeVideo
from aimesh.wire.tasks import Asset, TaskResult


@pytest.mark.parametrize("folder", case_folders("dashscope_video"), ids=lambda folder: folder.name)
def test_a_case_gives_its_golden_files(folder: Path) -> None:
    check(folder)


def test_the_event_that_ends_a_broken_stream() -> None:
    event = DashScopeVideo().encode_stream_fault(BrokenStream("cut"), "req-1")
    assert event.startswith(b"event:error\ndata:")
    assert event.endswith(b"\n\n")
    assert json.loads(event.removeprefix(b"event:error\ndata:"))["code"] == "UPSTREAM_BROKEN_STREAM"


def test_the_film_of_a_task_is_found_and_why_another_failed() -> None:
    film = b'{"output": {"task_id": "t", "task_status": "SUCCEEDED", "video_url": "http://v"}}'
    assert DashScopeVideo().read_result(film) == TaskResult((Asset("video", "http://v"),))
    failed = (
        b'{"output": {"task_id": "t", "task_status": "FAILED", "code": "InvalidParameter", "message": "no"}}'
    )
    assert DashScopeVideo().read_result(failed) == TaskResult(error_code="InvalidParameter", error="no")


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"output": 1}', b'{"output": {"video_url": []}}'])
def test_where_nothing_is_said_nothing_is_found(body: bytes) -> None:
    assert DashScopeVideo().read_result(body) == TaskResult()
