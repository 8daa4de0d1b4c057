"""What the two task interfaces do beyond calls: requests, queries, lists, unknown ids, cancellations."""

import json
from typing import Any

import pytest

from aimesh.core.errors import BadRequest
from aimesh.core.usage import NO_USAGE, Usage
from aimesh.wire.registry import find_task_interface
from aimesh.wire.tasks import TaskInterface, TaskPage, TaskQuery, TaskRecord


def interface(name: str) -> TaskInterface:
    found = find_task_interface(name)
    assert found is not None
    return found


ARK, DASHSCOPE = interface("task"), interface("dashscope_video")


def asked(found: TaskInterface, body: str) -> Usage:
    return found.read_request(body.encode())


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            '{"content":[],"resolution":"720p","ratio":"16:9","duration":5,"generate_audio":false}',
            Usage(reported=False, video_resolution="720p", video_ratio="16:9", video_seconds=5.0),
        ),
        (
            '{"content":[{"type":"text","text":"a cat --rs 720p --rt 16:9 --dur 5 --seed 11"}]}',
            Usage(
                reported=False,
                video_resolution="720p",
                video_ratio="16:9",
                video_seconds=5.0,
                video_audio=True,
            ),
        ),
        (
            '{"content":[{"type":"text","text":"a --resolution 4K --ratio 1:1 --duration x"}],"resolution":null}',
            Usage(reported=False, video_resolution="4K", video_ratio="1:1", video_audio=True),
        ),
        (
            '{"content":[{"type":"video_url","video_url":{"url":"v"},"role":"reference_video"}],"duration":-1}',
            Usage(reported=False, input_video=True, video_audio=True),
        ),
        (
            '{"content":[{"type":"text","text":"--resolution 1536pro --request_type 3 --ff 2"}]}',
            Usage(reported=False, variant="1536pro+texture", video_audio=True),
        ),
        (
            '{"content":[{"type":"text","text":"--resolution 1536 --request_type 1"}]}',
            Usage(reported=False, variant="1536", video_audio=True),
        ),
        ('{"content":[{"type":"text","text":5}],"ratio":5}', Usage(reported=False, video_audio=True)),
        ("[]", NO_USAGE),
        ('{"content":"x"}', NO_USAGE),
    ],
)
def test_what_an_ark_request_says(body: str, expected: Usage) -> None:
    assert asked(ARK, body) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            '{"input":{"prompt":"x"},"parameters":{"resolution":"720P","ratio":"16:9","duration":5}}',
            Usage(reported=False, video_resolution="720P", video_ratio="16:9", video_seconds=5.0),
        ),
        (
            '{"input":{"media":[{"type":"video","url":"u"},7]},"parameters":{"size":"1920*1080"}}',
            Usage(reported=False, video_resolution="1080P", video_ratio="16:9", input_video=True),
        ),
        ('{"input":"x","parameters":[]}', Usage(reported=False)),
        ('{"input":{"media":5},"parameters":{"size":"9*9","resolution":5,"ratio":5}}', Usage(reported=False)),
        ("5", NO_USAGE),
    ],
)
def test_what_a_dashscope_request_says(body: str, expected: Usage) -> None:
    assert asked(DASHSCOPE, body) == expected


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


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (b"", TaskQuery(page=1, page_size=20)),
        (
            b"page_num=2&page_size=500&filter.status=succeeded&filter.task_ids=a&filter.task_ids=b%20c"
            b"&filter.model=ep-1&filter.service_tier=flex&other=1",
            TaskQuery(
                page=2,
                page_size=500,
                statuses=("succeeded",),
                ids=("a", "b c"),
                model="ep-1",
                service_tier="flex",
            ),
        ),
    ],
)
def test_the_query_of_an_ark_list(query: bytes, expected: TaskQuery) -> None:
    assert ARK.read_query(query) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (b"", TaskQuery(page=1, page_size=10)),
        (
            b"page_no=3&page_size=7&status=RUNNING&task_id=t&model_name=m"
            b"&start_time=20260420175517&end_time=20260421000000",
            TaskQuery(
                page=3,
                page_size=7,
                statuses=("RUNNING",),
                ids=("t",),
                model="m",
                since_s=1_776_678_917.0,
                until_s=1_776_700_800.0,
            ),
        ),
    ],
)
def test_the_query_of_a_dashscope_list(query: bytes, expected: TaskQuery) -> None:
    assert DASHSCOPE.read_query(query) == expected


def test_the_offset_of_a_page() -> None:
    assert TaskQuery(page=3, page_size=7).offset == 14


@pytest.mark.parametrize(
    ("name", "query", "param"),
    [
        ("task", b"page_num=0", "page_num"),
        ("task", b"page_num=501", "page_num"),
        ("task", b"page_size=x", "page_size"),
        ("task", b"page_size=-1", "page_size"),
        ("task", b"page_size=\xd9\xa1", "page_size"),
        ("task", b"page_size=%s" % (b"9" * 5_000), "page_size"),
        ("dashscope_video", b"page_no=0", "page_no"),
        ("dashscope_video", b"page_size=501", "page_size"),
        ("dashscope_video", b"page_size=1.5", "page_size"),
        ("dashscope_video", b"start_time=2026", "start_time"),
        ("dashscope_video", b"end_time=20261301000000", "end_time"),
    ],
)
def test_queries_out_of_range(name: str, query: bytes, param: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        interface(name).read_query(query)
    assert refusal.value.param == param


def test_an_ark_list_repeats_the_upstreams_words() -> None:
    seen = TaskRecord(
        id="cgt-1",
        model="m",
        status="running",
        created_s=1.0,
        updated_s=2.0,
        document=b'{"id":"cgt-1","x":1.0}',
    )
    new = TaskRecord(id="cgt-2", model="doubao-seedance-2.0", status="queued", created_s=10.9, updated_s=11.0)
    page = TaskPage((seen, new), TaskQuery(page=1, page_size=20), total=7)
    body = ARK.encode_list(page, "req-1")
    assert body.startswith(b'{"items":[{"id":"cgt-1","x":1.0},')
    assert json.loads(body) == {
        "items": [
            {"id": "cgt-1", "x": 1.0},
            {
                "id": "cgt-2",
                "model": "doubao-seedance-2.0",
                "status": "queued",
                "created_at": 10,
                "updated_at": 11,
            },
        ],
        "total": 7,
    }
    assert (
        ARK.encode_list(TaskPage((), TaskQuery(page=1, page_size=20), total=0), "r")
        == b'{"items":[],"total":0}'
    )


def test_a_dashscope_list_is_flat_and_holds_the_tasks_for_both_sdks() -> None:
    output = {
        "task_id": "t1",
        "scheduled_time": "2026-04-20 17:55:17.129",
        "end_time": "2026-04-20 17:56:36.658",
    }
    document = json.dumps({"output": output}).encode()
    records = (
        TaskRecord(
            id="t1",
            model="happyhorse-1.0-t2v",
            status="SUCCEEDED",
            created_s=1_776_678_917.0,
            updated_s=1.0,
            document=document,
            request_id="req-0",
        ),
        TaskRecord(id="t2", model="m", status="PENDING", created_s=5.0, updated_s=5.0),
        TaskRecord(
            id="t3",
            model="m",
            status="RUNNING",
            created_s=5.0,
            updated_s=5.0,
            document=b'{"output":{"end_time":"x"}}',
        ),
    )
    listed = json.loads(
        DASHSCOPE.encode_list(TaskPage(records, TaskQuery(page=2, page_size=3), total=8), "req-1")
    )
    assert {key: listed[key] for key in ("request_id", "total", "total_page", "page_no", "page_size")} == {
        "request_id": "req-1",
        "total": 8,
        "total_page": 3,
        "page_no": 2,
        "page_size": 3,
    }
    assert listed["data"][0] == {
        "task_id": "t1",
        "status": "SUCCEEDED",
        "model_name": "happyhorse-1.0-t2v",
        "request_id": "req-0",
        "gmt_create": 1_776_678_917_000,
        "start_time": 1_776_678_917_129,
        "end_time": 1_776_678_996_658,
    }
    assert "end_time" not in listed["data"][1]
    assert "end_time" not in listed["data"][2]
    assert [task["task_id"] for task in listed["tasks"]] == ["t1", "t2", "t3"]
    assert [task["task_status"] for task in listed["tasks"]] == ["SUCCEEDED", "PENDING", "RUNNING"]


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
