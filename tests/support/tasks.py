"""Rows of tasks, as the data plane makes them."""

import json
from typing import Any

from sqlalchemy import insert

from aimesh.store.engine import Store
from aimesh.store.task_tables import TASKS


def insert_task(store: Store, task_id: str, **fields: Any) -> None:
    """One that waits, of the tenant ``default``, unless ``fields`` say otherwise; ``summary`` is a mapping."""
    row = {
        "interface": "task", "id": task_id, "tenant": "default", "key_id": "key-1", "request_id": f"call-{task_id}",
        "endpoint": "alpha@chaos/video@task", "provider": "alpha", "credential": "alpha/main",
        "model": "chaos/video", "upstream_name": "alpha-t2v", "status": "queued", "finished": False,
        "succeeded": False, "settled": False, "document": b"", "polls": 0, "poll_at_s": 0.0, "created_at_s": 1_000.0,
        "updated_at_s": 1_000.0,
    } | fields  # fmt: skip
    row["summary"] = json.dumps(fields.get("summary", {}))
    with store.write() as db:
        db.execute(insert(TASKS).values(row))
