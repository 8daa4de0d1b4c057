"""The list of DashScope tasks: its query, and its flat answer from our own records.

The answer holds the tasks under ``data``, as documented, and again under ``tasks``, where the 2.x SDK looks for them
in the form of a query's answer. Times of a query are China time as text; times under ``data`` are milliseconds.
"""

from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qs

import msgspec

from aimesh.core.errors import BadRequest
from aimesh.wire.answer import object_of
from aimesh.wire.lenient import decode_any
from aimesh.wire.tasks import TaskPage, TaskQuery, TaskRecord

_CHINA = timezone(timedelta(hours=8))
_TIMES = ("submit_time", "scheduled_time", "end_time")
_PAGE_LIMIT = 1_000_000
_PAGE_SIZE_LIMIT = 500


def read_query(query: bytes) -> TaskQuery:
    values = parse_qs(query.decode("latin-1"), encoding="utf-8", errors="replace")
    return TaskQuery(
        page=_number(values, "page_no", default=1, limit=_PAGE_LIMIT),
        page_size=_number(values, "page_size", default=10, limit=_PAGE_SIZE_LIMIT),
        statuses=tuple(values.get("status", ())),
        ids=tuple(values.get("task_id", ())),
        model=values.get("model_name", [""])[0],
        since_s=_time(values, "start_time"),
        until_s=_time(values, "end_time"),
    )


def _number(values: dict[str, list[str]], name: str, *, default: int, limit: int) -> int:
    text = values.get(name, [""])[0]
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= limit:
        raise BadRequest(f"{name} must be a whole number from 1 to {limit}", param=name)
    return int(text[:9])


def _time(values: dict[str, list[str]], name: str) -> float:
    text = values.get(name, [""])[0]
    if not text:
        return 0.0
    try:
        return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=_CHINA).timestamp()
    except (ValueError, OverflowError) as error:
        raise BadRequest(f"{name} must be written YYYYMMDDhhmmss", param=name) from error


def encode_list(page: TaskPage, request_id: str) -> bytes:
    outputs = [_output(record.document) for record in page.records]
    size = page.query.page_size
    return msgspec.json.encode(
        {
            "request_id": request_id,
            "total": page.total,
            "total_page": -(-page.total // size),
            "page_no": page.query.page,
            "page_size": size,
            "data": [_entry(*pair) for pair in zip(page.records, outputs, strict=True)],
            "tasks": [_job(*pair) for pair in zip(page.records, outputs, strict=True)],
        }
    )


def _job(record: TaskRecord, output: dict[str, Any]) -> dict[str, Any]:
    times = {name: output[name] for name in _TIMES if isinstance(output.get(name), str)}
    return {"task_id": record.id, "task_status": record.status, "model_name": record.model} | times


def _entry(record: TaskRecord, output: dict[str, Any]) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "task_id": record.id,
        "status": record.status,
        "model_name": record.model,
        "request_id": record.request_id,
        "gmt_create": int(record.created_s * 1000),
        "start_time": _milliseconds(output.get("scheduled_time")) or int(record.created_s * 1000),
    }
    if (ended := _milliseconds(output.get("end_time"))) is not None:
        entry["end_time"] = ended
    return entry


def _output(document: bytes) -> dict[str, Any]:
    try:
        return object_of(object_of(decode_any(document)).get("output"))
    except msgspec.DecodeError:
        return {}


def _milliseconds(text: object) -> int | None:
    """``2026-04-20 17:55:17.129``, China time without saying so."""
    if not isinstance(text, str):
        return None
    try:
        return int(datetime.fromisoformat(text).replace(tzinfo=_CHINA).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None
