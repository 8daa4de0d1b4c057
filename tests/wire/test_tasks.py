"""What both task interfaces do beyond calls: settle usage, deny foreign tasks, confirm cancellations."""

import json
from typing import Any

from aimesh.core.usage import NO_USAGE, Usage
from aimesh.wire.dashscope_video.interface import DashScopeVideo
from aimesh.wire.task.interface import ArkTasks
from aimesh.wire.tasks import TaskInterface, TaskPage, TaskQuery

ARK, DASHSCOPE = ArkTasks(), DashScopeVideo()


def settled(found: TaskInterface, answer: dict[str, Any], request: Usage) -> Usage:
    judged = found.read_task(json.dumps(answer).encode(), request)
    assert judged.error is None
    return judged.usage


def test_an_ark_answer_wins_over_the_request_and_is_completed_by_it() -> None:
    request = Usage(
        reported=False,
        video_resolution="720p",
        video_ratio="1:1",
        video_seconds=4.0,
        video_audio=True,
        input_video=True,
        variant="1536",
    )
    bare = {"id": "cgt-1", "status": "succeeded", "usage": {"completion_tokens": 7}}
    assert settled(ARK, bare, request) == Usage(
        output_tokens=7,
        video_resolution="720p",
        video_ratio="1:1",
        video_seconds=4.0,
        video_audio=True,
        input_video=True,
        variant="1536",
    )
    full = bare | {"resolution": "1080p", "ratio": "16:9", "duration": 5, "generate_audio": False}
    assert settled(ARK, full, request) == Usage(
        output_tokens=7,
        video_resolution="1080p",
        video_ratio="16:9",
        video_seconds=5.0,
        input_video=True,
        variant="1536",
    )
    assert settled(ARK, bare | {"status": "failed"}, request) == NO_USAGE


def test_a_dashscope_answer_wins_over_the_request_and_is_completed_by_it() -> None:
    request = Usage(
        reported=False, video_resolution="720P", video_ratio="1:1", video_seconds=4.0, input_video=True
    )
    done = {"output": {"task_id": "t", "task_status": "SUCCEEDED"}}
    assert settled(DASHSCOPE, done, request) == Usage(
        video_resolution="720P", video_ratio="1:1", video_seconds=4.0, input_video=True
    )
    usage = {"usage": {"duration": 5, "output_video_duration": 5, "SR": 1080, "ratio": "16:9"}}
    assert settled(DASHSCOPE, done | usage, NO_USAGE) == Usage(
        video_resolution="1080", video_ratio="16:9", video_seconds=5.0
    )


def test_the_offset_of_a_page() -> None:
    assert TaskQuery(page=3, page_size=7).offset == 14


def test_each_family_has_its_own_page_size() -> None:
    assert ARK.read_query(b"page_num=2") == TaskQuery(page=2, page_size=20)
    assert DASHSCOPE.read_query(b"page_no=2") == TaskQuery(page=2, page_size=10)


def test_each_family_lists_in_its_own_shape() -> None:
    page = TaskPage((), TaskQuery(page=1, page_size=10), total=0)
    assert set(json.loads(ARK.encode_list(page, "req-1"))) == {"items", "total"}
    assert json.loads(DASHSCOPE.encode_list(page, "req-1"))["request_id"] == "req-1"


def test_each_family_reads_its_requests() -> None:
    assert ARK.read_request(b'{"content":[],"resolution":"720p"}').video_resolution == "720p"
    assert DASHSCOPE.read_request(b'{"parameters":{"resolution":"720P"}}').video_resolution == "720P"


def test_somebody_elses_task() -> None:
    assert ARK.encode_unknown("t", "req-1") is None
    unknown = DASHSCOPE.encode_unknown("t", "req-1")
    assert unknown is not None
    assert json.loads(unknown) == {
        "request_id": "req-1",
        "output": {"task_id": "t", "task_status": "UNKNOWN"},
    }


def test_cancellations() -> None:
    assert ARK.encode_cancelled("req-1") == b"{}"
    assert json.loads(DASHSCOPE.encode_cancelled("req-1")) == {"request_id": "req-1"}
