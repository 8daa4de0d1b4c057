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
    UniqueConstraint,
    false,
    text,
)

METADATA = MetaData()

TENANTS = Table(
    "tenants",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("limits", Text, nullable=False),
    Column("default_route", Text, nullable=False),
    Column("default_limits", Text, nullable=False),
    Column("created_at_s", Double, nullable=False),
    Column("updated_at_s", Double, nullable=False),
    Column("version", Integer, nullable=False),
)
"""The row ``default`` is always there: a migration puts it in."""

USERS = Table(
    "users",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("tenant", Text, nullable=False),
    # Case-folded.
    Column("username", Text, nullable=False, unique=True),
    Column("display_name", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("password_hash", Text),
    Column("enabled", Boolean, nullable=False),
    Column("oidc_subject", Text, unique=True),
    Column("failed_logins", Integer, nullable=False),
    Column("locked_until_s", Double),
    Column("last_login_at_s", Double),
    Column("created_at_s", Double, nullable=False),
    Column("updated_at_s", Double, nullable=False),
    Column("version", Integer, nullable=False),
    Index("users_by_tenant", "tenant", "username"),
)

PASSWORD_LINKS = Table(
    "password_links",
    METADATA,
    Column("sha256", LargeBinary, primary_key=True),
    # NULL: it makes the very first administrator.
    Column("user_id", Text),
    Column("expires_at_s", Double, nullable=False),
    Column("created_at_s", Double, nullable=False),
    Index("password_links_by_user", "user_id"),
)

SESSIONS = Table(
    "sessions",
    METADATA,
    Column("sha256", LargeBinary, primary_key=True),
    Column("user_id", Text, nullable=False),
    Column("csrf", Text, nullable=False),
    Column("created_at_s", Double, nullable=False),
    Column("seen_at_s", Double, nullable=False),
    Column("expires_at_s", Double, nullable=False),
    Column("ip", Text, nullable=False),
    Column("agent", Text, nullable=False),
    Index("sessions_by_user", "user_id"),
    Index("sessions_expiry", "expires_at_s"),
)

TOKENS = Table(
    "tokens",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("tenant", Text, nullable=False),
    # Who made it.
    Column("user_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("sha256", LargeBinary, nullable=False, unique=True),
    Column("masked", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("expires_at_s", Double),
    Column("last_used_at_s", Double),
    Column("created_at_s", Double, nullable=False),
    UniqueConstraint("tenant", "name"),
)

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
    # A user's id, or empty.
    Column("owner", Text, nullable=False, server_default=text("''")),
    Column("route", Text, nullable=False, server_default=text("'{}'")),
    Column("limits", Text, nullable=False, server_default=text("'{}'")),
    # The number of ``keys`` in ``versions`` when the row last changed.
    Column("changed", Integer, nullable=False, server_default=text("0")),
    Column("version", Integer, nullable=False, server_default=text("1")),
    Index("virtual_keys_changed", "changed"),
    Index(
        "virtual_keys_newest",
        "tenant",
        "created_at_s",
        "id",
        sqlite_where=text("NOT deleted"),
        postgresql_where=text("NOT deleted"),
    ),
    Index(
        "virtual_keys_by_owner",
        "tenant",
        "owner",
        "created_at_s",
        "id",
        sqlite_where=text("NOT deleted"),
        postgresql_where=text("NOT deleted"),
    ),
    Index(
        "virtual_keys_masked",
        "tenant",
        "masked",
        sqlite_where=text("NOT deleted"),
        postgresql_where=text("NOT deleted"),
    ),
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

KEY_TEXTS = Table(
    "key_texts",
    METADATA,
    Column("sha256", LargeBinary, primary_key=True),
    Column("key_id", Text, nullable=False),
    Column("expires_at_s", Double, nullable=False),
    Column("changed", Integer, nullable=False),
    Index("key_texts_by_key", "key_id"),
    Index("key_texts_changed", "changed"),
    Index("key_texts_expiry", "expires_at_s"),
)
"""Texts that were rotated away, in their grace."""

CREDENTIALS = Table(
    "credentials",
    METADATA,
    Column("id", Text, primary_key=True),
    # Empty: the platform's.
    Column("tenant", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("envelope", LargeBinary, nullable=False),
    Column("masked", Text, nullable=False),
    Column("enabled", Boolean, nullable=False),
    # NULL: not tested yet.
    Column("test_ok", Boolean),
    Column("test_at_s", Double),
    Column("test_ms", Integer),
    Column("test_message", Text),
    Column("created_at_s", Double, nullable=False),
    Column("updated_at_s", Double, nullable=False),
    Column("version", Integer, nullable=False),
    UniqueConstraint("tenant", "name"),
    Index("credentials_by_provider", "tenant", "provider"),
)

PROVIDER_OVERLAYS = Table(
    "provider_overlays",
    METADATA,
    Column("id", Text, primary_key=True),
    # JSON of a catalogue's entry.
    Column("document", Text, nullable=False),
    Column("updated_at_s", Double, nullable=False),
    Column("version", Integer, nullable=False),
)

MODEL_OVERLAYS = Table(
    "model_overlays",
    METADATA,
    Column("name", Text, primary_key=True),
    # JSON of a catalogue's entry.
    Column("document", Text, nullable=False),
    Column("updated_at_s", Double, nullable=False),
    Column("version", Integer, nullable=False),
)

AUDIT = Table(
    "audit",
    METADATA,
    # Sorts by time.
    Column("id", Text, primary_key=True),
    Column("at_s", Double, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("actor_kind", Text, nullable=False),
    Column("actor_id", Text, nullable=False),
    Column("actor_name", Text, nullable=False),
    Column("ip", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("target_kind", Text, nullable=False),
    Column("target_id", Text, nullable=False),
    Column("target_name", Text, nullable=False),
    # JSON; never a secret.
    Column("changes", Text, nullable=False),
    Column("request_id", Text, nullable=False),
    Index("audit_by_tenant", "tenant", "id"),
    Index("audit_by_target", "target_kind", "target_id", "id"),
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
