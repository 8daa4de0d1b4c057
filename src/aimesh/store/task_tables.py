"""The table of tasks: for pages of them; whoever makes and settles them asks in plain SQL (``tasks.py``)."""

from sqlalchemy import (
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

from aimesh.store.metadata import METADATA

TASKS = Table(
    "tasks",
    METADATA,
    Column("interface", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("endpoint", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("credential", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("upstream_name", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("finished", Boolean, nullable=False),
    Column("succeeded", Boolean, nullable=False),
    Column("settled", Boolean, nullable=False),
    Column("summary", Text, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Column("polls", Integer, nullable=False),
    Column("poll_at_s", Double, nullable=False),
    Column("created_at_s", Double, nullable=False),
    Column("updated_at_s", Double, nullable=False),
    PrimaryKeyConstraint("interface", "id"),
    Index("tasks_by_key", "key_id", "interface", "created_at_s"),
    Index("tasks_listed", "tenant", "created_at_s", "interface", "id"),
    Index("tasks_newest", "created_at_s", "interface", "id"),
    Index(
        "tasks_due",
        "poll_at_s",
        sqlite_where=text("NOT settled"),
        postgresql_where=text("NOT settled"),
    ),
)
