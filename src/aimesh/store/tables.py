"""The tables, as SQLAlchemy knows them: for migrations, and for composed questions of the control plane.

1. This is the shape after the newest migration; a test compares the two.
2. Types are those that SQLite and PostgreSQL share. Times are wall-clock seconds, JSON is text: nothing in
   the database computes with either beyond comparing.
3. A name is never reused with another meaning: releases next to one another share one database.
"""

from sqlalchemy import (
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    false,
    text,
)

METADATA = MetaData()

VIRTUAL_KEYS = Table(
    "virtual_keys",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("alias", Text, nullable=False),
    Column("sha256", LargeBinary, nullable=False, unique=True),
    Column("masked", Text, nullable=False),
    Column("ciphertext", LargeBinary),
    Column("enabled", Boolean, nullable=False),
    Column("allowed_models", Text, nullable=False),
    Column("allowed_cidrs", Text, nullable=False),
    Column("expires_at_s", Double),
    Column("labels", Text, nullable=False),
    Column("created_at_s", Double, nullable=False),
    Column("updated_at_s", Double, nullable=False),
    Column("deleted", Boolean, nullable=False, server_default=false()),
    # The alias of a deleted key is free again.
    Index(
        "virtual_keys_alias",
        "tenant",
        "alias",
        unique=True,
        sqlite_where=text("NOT deleted"),
        postgresql_where=text("NOT deleted"),
    ),
)

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
    Index(
        "tasks_due",
        "poll_at_s",
        sqlite_where=text("NOT settled"),
        postgresql_where=text("NOT settled"),
    ),
)

IDEMPOTENCY = Table(
    "idempotency",
    METADATA,
    Column("key_id", Text, nullable=False),
    Column("idempotency_key", Text, nullable=False),
    Column("body_sha256", LargeBinary, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("status", Integer),
    Column("headers", LargeBinary),
    Column("body", LargeBinary),
    Column("created_at_s", Double, nullable=False),
    Column("expires_at_s", Double, nullable=False),
    PrimaryKeyConstraint("key_id", "idempotency_key"),
    Index("idempotency_expiry", "expires_at_s"),
)

VERSIONS = Table(
    "versions",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("number", Integer, nullable=False),
)
