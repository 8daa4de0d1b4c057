"""The list of DashScope tasks: what it is asked for, and how it is answered."""

import json

import pytest

from aimesh.core.errors import BadRequest
from aimesh.wire.dashscope_video.listing import encode_list, read_query
from aimesh.wire.tasks import TaskPage, TaskQuery, TaskRecord


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
    assert read_query(query) == expected


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
    listed = json.loads(encode_list(TaskPage(records, TaskQuery(page=2, page_size=3), total=8), "req-1"))
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


@pytest.mark.parametrize(
    ("query", "param"),
    [
        (b"page_no=0", "page_no"),
        (b"page_size=501", "page_size"),
        (b"page_size=1.5", "page_size"),
        (b"start_time=2026", "start_time"),
        (b"end_time=20261301000000", "end_time"),
    ],
)
def test_queries_out_of_range(query: bytes, param: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        read_query(query)
    assert refusal.value.param == param
