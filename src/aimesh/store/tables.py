"""The tables, as SQLAlchemy knows them: for migrations, and for composed questions of the control plane.

1. This is the shape after the newest migration; a test compares the two.
2. Types are those that SQLite and PostgreSQL share. Times are wall-clock seconds, JSON is text: nothing in
   the database computes with either beyond comparing.
3. A name is never reused with another meaning: releases next to one another share one database.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from aimesh.store import period_tables, task_tables

# The tables of all these modules.
METADATA = period_tables.USAGE_PERIODS.metadata
assert METADATA is task_tables.TASKS.metadata

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
        "virtual_keys_listed",
        "tenant",
        "created_at_s",
        "id",
        # For the status of a key.
        "enabled",
        "expires_at_s",
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

USAGE_RECORDS = Table(
    "usage_records",
    METADATA,
    Column("id", Text, nullable=False),
    # When the call began.
    Column("at_s", Double, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("key_alias", Text, nullable=False),
    # The key's owner when the record was imported; empty: nobody.
    Column("user_id", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("model_asked", Text, nullable=False),
    Column("endpoint", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("credential", Text, nullable=False),
    Column("is_byok", Boolean, nullable=False),
    # Empty: the model is no longer in the catalogue.
    Column("kind", Text, nullable=False),
    Column("interface", Text, nullable=False),
    Column("operation", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("error_code", Text, nullable=False),
    Column("stream", Boolean, nullable=False),
    Column("reported", Boolean, nullable=False),
    Column("input_tokens", BigInteger, nullable=False),
    Column("output_tokens", BigInteger, nullable=False),
    Column("cached_tokens", BigInteger, nullable=False),
    Column("cache_write_tokens", BigInteger, nullable=False),
    Column("cache_write_1h_tokens", BigInteger, nullable=False),
    Column("reasoning_tokens", BigInteger, nullable=False),
    Column("input_image_tokens", BigInteger, nullable=False),
    Column("input_audio_tokens", BigInteger, nullable=False),
    Column("output_audio_tokens", BigInteger, nullable=False),
    Column("images", BigInteger, nullable=False),
    Column("video_seconds", Double, nullable=False),
    Column("video_resolution", Text, nullable=False),
    Column("assets", BigInteger, nullable=False),
    # NULL: no price is known for what was used, or nothing was used that has one.
    Column("cost_nano", BigInteger),
    # The same before discounts.
    Column("list_nano", BigInteger),
    Column("currency", Text),
    Column("price_version", Text),
    Column("duration_ms", Double, nullable=False),
    Column("ttft_ms", Double),
    Column("bytes_in", BigInteger, nullable=False),
    Column("bytes_out", BigInteger, nullable=False),
    # JSON, sorted by name.
    Column("labels", Text, nullable=False),
    # JSON of core.record.AttemptRecord; ``[]``: the first served at once.
    Column("attempts", Text, nullable=False),
    Column("upstream_request_id", Text, nullable=False),
    Column("task_id", Text, nullable=False),
    Column("client_ip", Text, nullable=False),
    # JSON of the whole core.record.UsageRecord.
    Column("record", Text, nullable=False),
    PrimaryKeyConstraint("id", "at_s"),
    Index("usage_records_by_time", "at_s", "id"),
    Index("usage_records_by_tenant", "tenant", "at_s", "id"),
    Index("usage_records_by_key", "tenant", "key_id", "at_s", "id"),
    Index("usage_records_by_model", "tenant", "model", "at_s", "id"),
    *(
        Index(name, column, sqlite_where=text(f"{column} <> ''"), postgresql_where=text(f"{column} <> ''"))
        for name, column in (
            ("usage_records_by_upstream", "upstream_request_id"),
            ("usage_records_by_task", "task_id"),
        )
    ),
    postgresql_partition_by="RANGE (at_s)",
)
"""On PostgreSQL one partition for each month (UTC), named ``usage_records_2026_03``."""

TASK_SETTLEMENTS = Table(
    "task_settlements",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("at_s", Double, nullable=False),
    Index("task_settlements_by_time", "at_s"),
)
"""Ids of the records that settle tasks: imported once, whatever time a second one says."""


def _rollup(name: str, dimensions: tuple[str, ...], *indexes: Index) -> Table:
    return Table(
        name,
        METADATA,
        Column("tenant", Text, nullable=False),
        # Beginning of the hour, UTC.
        Column("hour_s", BigInteger, nullable=False),
        # SHA-256 of the other dimensions, cut to 16 bytes: together they may be longer than an index takes.
        Column("dimensions", LargeBinary, nullable=False),
        *(Column(each, Boolean if each == "is_byok" else Text, nullable=False) for each in dimensions),
        Column("requests", BigInteger, nullable=False),
        Column("input_tokens", BigInteger, nullable=False),
        Column("output_tokens", BigInteger, nullable=False),
        Column("cached_tokens", BigInteger, nullable=False),
        Column("cache_write_tokens", BigInteger, nullable=False),
        Column("reasoning_tokens", BigInteger, nullable=False),
        Column("images", BigInteger, nullable=False),
        # Billed milliseconds of video: whole, so that sums do not depend on their order.
        Column("video_ms", BigInteger, nullable=False),
        Column("assets", BigInteger, nullable=False),
        Column("cost_nano", BigInteger, nullable=False),
        Column("list_nano", BigInteger, nullable=False),
        # Requests that used something whose price is unknown.
        Column("unpriced", BigInteger, nullable=False),
        # Requests whose usage was estimated.
        Column("estimated", BigInteger, nullable=False),
        # Microseconds, whole for the same reason.
        Column("duration_us", BigInteger, nullable=False),
        Column("ttft_us", BigInteger, nullable=False),
        Column("ttft_count", BigInteger, nullable=False),
        PrimaryKeyConstraint("tenant", "hour_s", "dimensions"),
        Index(f"{name}_by_hour", "hour_s"),
        *indexes,
        # Rows lie in the order in which they are asked for.
        sqlite_with_rowid=False,
    )


# ``labels`` is JSON, sorted by name; an empty ``currency``: no cost is known.
USAGE_HOURLY = _rollup(
    "usage_hourly",
    (
        "key_id",
        "user_id",
        "model",
        "endpoint",
        "provider",
        "is_byok",
        "kind",
        "labels",
        "outcome",
        "currency",
    ),
    Index("usage_hourly_by_key", "key_id", "hour_s"),
    Index("usage_hourly_by_user", "user_id", "hour_s"),
)
USAGE_HOURLY_MODELS = _rollup(
    "usage_hourly_models", ("model", "provider", "is_byok", "kind", "outcome", "currency")
)
USAGE_HOURLY_KEYS = _rollup(
    "usage_hourly_keys",
    ("key_id", "user_id", "is_byok", "outcome", "currency"),
    Index("usage_hourly_keys_by_key", "key_id", "hour_s"),
    Index("usage_hourly_keys_by_user", "user_id", "hour_s"),
)
"""The last two are the first without some of its dimensions: whole tenants are added up from a tenth of the rows."""

USAGE_NAMES = Table(
    "usage_names",
    METADATA,
    # ``key`` or ``user``.
    Column("kind", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("name", Text, nullable=False),
    PrimaryKeyConstraint("kind", "id"),
)
"""What keys and users in the roll-ups were called last, for those that are gone."""

USAGE_POINTS = Table(
    "usage_points",
    METADATA,
    # ``m``: a minute, ``h``: an hour.
    Column("grain", Text, nullable=False),
    Column("start_s", BigInteger, nullable=False),
    Column("model", Text, nullable=False),
    Column("endpoint", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("error_code", Text, nullable=False),
    Column("requests", BigInteger, nullable=False),
    Column("output_tokens", BigInteger, nullable=False),
    Column("duration_us", BigInteger, nullable=False),
    Column("ttft_us", BigInteger, nullable=False),
    # JSON of a core.histogram.Counts: bucket to count.
    Column("duration_counts", Text, nullable=False),
    Column("ttft_counts", Text, nullable=False),
    PrimaryKeyConstraint("grain", "start_s", "model", "endpoint", "outcome", "error_code"),
    Index("usage_points_by_endpoint", "endpoint", "grain", "start_s"),
    Index("usage_points_by_model", "model", "grain", "start_s"),
)

JOURNAL_POSITIONS = Table(
    "journal_positions",
    METADATA,
    Column("node", Text, nullable=False),
    # File name.
    Column("segment", Text, nullable=False),
    Column("position", BigInteger, nullable=False),
    PrimaryKeyConstraint("node", "segment"),
)

IMPORT_STATE = Table(
    "import_state",
    METADATA,
    # ``node:<id>``: when that node last had nothing more to import. ``settler``: until when the worker leads that asks
    # about tasks.
    Column("name", Text, primary_key=True),
    Column("value", Double, nullable=False),
)

PRICE_VERSIONS = Table(
    "price_versions",
    METADATA,
    # As ``catalog.price.Price.version`` and usage records have it.
    Column("version", Text, primary_key=True),
    # One that had this price.
    Column("endpoint", Text, nullable=False),
    # JSON of a catalogue's price.
    Column("document", Text, nullable=False),
    Column("first_seen_s", Double, nullable=False),
)

DISCOUNTS = Table(
    "discounts",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("tenant", Text, nullable=False),
    # ``all``, ``provider`` or ``model``.
    Column("scope", Text, nullable=False),
    # Of the provider or the model; empty for all.
    Column("name", Text, nullable=False),
    # Decimal: 0.8 takes a fifth off.
    Column("factor", Text, nullable=False),
    Column("from_s", Double, nullable=False),
    # NULL: for good.
    Column("until_s", Double),
    Column("created_at_s", Double, nullable=False),
    Column("updated_at_s", Double, nullable=False),
    Column("version", Integer, nullable=False),
    Index("discounts_by_tenant", "tenant", "from_s"),
)

ALERT_CHANNELS = Table(
    "alert_channels",
    METADATA,
    Column("id", Text, primary_key=True),
    # Empty: the installation's.
    Column("tenant", Text, nullable=False),
    Column("name", Text, nullable=False),
    # JSON of store.alerts.ChannelTerms.
    Column("terms", Text, nullable=False),
    # Vault envelope of JSON of store.alerts.ChannelSecrets.
    Column("envelope", LargeBinary, nullable=False),
    Column("created_at_s", Double, nullable=False),
    Column("updated_at_s", Double, nullable=False),
    Column("version", Integer, nullable=False),
    UniqueConstraint("tenant", "name"),
)

ALERT_RULES = Table(
    "alert_rules",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    # JSON of store.alerts.RuleTerms.
    Column("terms", Text, nullable=False),
    Column("created_at_s", Double, nullable=False),
    Column("updated_at_s", Double, nullable=False),
    Column("version", Integer, nullable=False),
)

ALERT_STATES = Table(
    "alert_states",
    METADATA,
    Column("rule", Text, nullable=False),
    # What of the rule: an endpoint, a key's quota, ...
    Column("subject", Text, nullable=False),
    Column("value", Double, nullable=False),
    Column("message", Text, nullable=False),
    Column("since_s", Double, nullable=False),
    # NULL: it is on.
    Column("resolved_at_s", Double),
    # When somebody was last told that it is on; NULL: never.
    Column("told_at_s", Double),
    # Whether it was told since it is on.
    Column("is_told", Boolean, nullable=False),
    PrimaryKeyConstraint("rule", "subject"),
)

ALERT_DELIVERIES = Table(
    "alert_deliveries",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("channel", Text, nullable=False),
    # JSON of store.alerts.Notice.
    Column("notice", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at_s", Double, nullable=False),
    Index("alert_deliveries_due", "next_at_s"),
)
