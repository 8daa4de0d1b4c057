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
    )
    full = bare | {"resolution": "1080p", "ratio": "16:9", "duration": 5, "generate_audio": False}
    assert settled(ARK, full, request) == Usage(
        output_tokens=7,
        video_resolution="1080p",
        video_ratio="16:9",
        video_seconds=5.0,
        input_video=True,
    )
    assert settled(ARK, bare | {"status": "failed"}, request) == NO_USAGE


def test_a_dashscope_answer_wins_over_the_request_and_is_completed_by_it() -> None:
    request = Usage(
        reported=False, video_resolution="720P", video_ratio="1:1", video_seconds=4.0, input_video=True
    )
    done = {"output": {"task_id": "t", "task_status": "SUCCEEDED"}}
    assert settled(DASHSCOPE, done, request) == Usage(
        reported=False, video_resolution="720P", video_ratio="1:1", video_seconds=4.0, input_video=True
    )
    usage = {"usage": {"duration": 5, "output_video_duration": 5, "SR": 1080, "ratio": "16:9"}}
    assert settled(DASHSCOPE, done | usage, NO_USAGE) == Usage(
        video_resolution="1080", video_ratio="16:9", video_seconds=5.0
    )


def test_a_film_of_ark_without_its_tokens_is_estimated() -> None:
    answer = {"id": "cgt-1", "status": "succeeded", "resolution": "720p", "ratio": "9:16", "usage": None}
    asked = ARK.read_request(b'{"content":[],"duration":5,"generate_audio":false}')
    assert settled(ARK, answer, asked) == Usage(
        reported=False,
        output_tokens=108_000,
        video_seconds=5.0,
        video_resolution="720p",
        video_ratio="9:16",
    )


def test_a_film_given_in_frames_has_a_length() -> None:
    answer = {"id": "cgt-1", "status": "succeeded", "frames": 57, "usage": {"completion_tokens": 7}}
    assert settled(ARK, answer, NO_USAGE).video_seconds == 2.375
    assert settled(ARK, answer | {"framespersecond": 30}, NO_USAGE).video_seconds == 1.9
    assert settled(ARK, answer | {"frames": None}, Usage(video_seconds=4.0)).video_seconds == 4.0


def test_a_3d_file_has_its_flags_and_nothing_of_a_film() -> None:
    answer = {
        "id": "cgt-1",
        "status": "succeeded",
        "content": {"file_url": "https://u"},
        "usage": {"completion_tokens": 30_000},
        "service_tier": "default",
    }
    request = ARK.read_request(
        b'{"content":[{"type":"text","text":"--resolution 1536pro --request_type 3"}]}'
    )
    assert settled(ARK, answer, request) == Usage(output_tokens=30_000, assets=1, variant="1536pro+texture")


def test_a_flag_that_films_do_not_know_changes_no_price() -> None:
    request = ARK.read_request(b'{"content":[{"type":"text","text":"--resolution high --request_type 3"}]}')
    answer = {"id": "cgt-1", "status": "succeeded", "resolution": "720p", "usage": {"completion_tokens": 7}}
    assert settled(ARK, answer, request).variant == ""
    assert settled(ARK, answer | {"service_tier": "flex"}, request).variant == "flex"


def film(**usage: object) -> dict[str, Any]:
    return {"output": {"task_id": "t", "task_status": "SUCCEEDED"}, "usage": usage}


def test_an_edit_is_billed_for_what_it_took_and_gave() -> None:
    whole = film(duration=9, input_video_duration=4, output_video_duration=5, SR=720)
    apart = film(input_video_duration=4, output_video_duration=5, SR=720)
    expected = Usage(video_seconds=9.0, video_resolution="720", input_video=True)
    assert settled(DASHSCOPE, whole, NO_USAGE) == settled(DASHSCOPE, apart, NO_USAGE) == expected


def test_the_older_usage_of_films() -> None:
    assert settled(
        DASHSCOPE, film(video_count=1, video_duration=5, video_ratio="1280*720"), NO_USAGE
    ) == Usage(video_seconds=5.0, video_resolution="720P", video_ratio="16:9")
    asked = DASHSCOPE.read_request(b'{"parameters":{"resolution":"720P","ratio":"1:1","audio":true}}')
    assert settled(DASHSCOPE, film(video_duration=5, video_ratio="9:16"), asked) == Usage(
        video_seconds=5.0, video_resolution="720P", video_ratio="9:16", video_audio=True
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
