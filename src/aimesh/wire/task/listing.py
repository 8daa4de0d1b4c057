"""The list of Ark tasks: its query, and its answer from our own records."""

from urllib.parse import parse_qs

import msgspec

from aimesh.core.errors import BadRequest
from aimesh.wire.tasks import TaskQuery, TaskRecord

_PAGE_LIMIT = 500


def read_query(query: bytes) -> TaskQuery:
    values = parse_qs(query.decode("latin-1"), encoding="utf-8", errors="replace")
    return TaskQuery(
        page=_number(values, "page_num", default=1),
        page_size=_number(values, "page_size", default=20),
        statuses=tuple(values.get("filter.status", ())),
        ids=tuple(values.get("filter.task_ids", ())),
        model=values.get("filter.model", [""])[0],
        service_tier=values.get("filter.service_tier", [""])[0],
    )


def _number(values: dict[str, list[str]], name: str, *, default: int) -> int:
    text = values.get(name, [""])[0]
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= _PAGE_LIMIT:
        raise BadRequest(f"{name} must be a whole number from 1 to {_PAGE_LIMIT}", param=name)
    return int(text[:9])


def encode_list(records: tuple[TaskRecord, ...], *, total: int) -> bytes:
    items = b",".join(record.document or _encode_new(record) for record in records)
    return b'{"items":[%b],"total":%d}' % (items, total)


def _encode_new(record: TaskRecord) -> bytes:
    """A task about which the upstream has said nothing yet but its id."""
    return msgspec.json.encode(
        {
            "id": record.id,
            "model": record.model,
            "status": record.status,
            "created_at": int(record.created_s),
            "updated_at": int(record.updated_s),
        }
    )
