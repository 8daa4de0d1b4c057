"""The list of Ark tasks: what it is asked for, and how it is answered."""

import json

import pytest

from aimesh.core.errors import BadRequest
from aimesh.wire.task.listing import encode_list, read_query
from aimesh.wire.tasks import TaskQuery, TaskRecord


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
    assert read_query(query) == expected


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
    body = encode_list((seen, new), total=7)
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
    assert encode_list((), total=0) == b'{"items":[],"total":0}'


@pytest.mark.parametrize(
    ("query", "param"),
    [
        (b"page_num=0", "page_num"),
        (b"page_num=501", "page_num"),
        (b"page_size=x", "page_size"),
        (b"page_size=-1", "page_size"),
        (b"page_size=\xd9\xa1", "page_size"),
        (b"page_size=%b" % (b"9" * 5_000), "page_size"),
    ],
)
def test_queries_out_of_range(query: bytes, param: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        read_query(query)
    assert refusal.value.param == param
