"""Usage records with their prices, roll-ups and points; how far each node's journal was imported; discounts."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    _create_records()
    _create_hourly()
    _create_points()
    _create_import()
    _create_prices()


def _create_records() -> None:
    op.create_table(
        "usage_records",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("at_s", sa.Double, nullable=False),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("key_alias", sa.Text, nullable=False),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("model_asked", sa.Text, nullable=False),
        sa.Column("endpoint", sa.Text, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("credential", sa.Text, nullable=False),
        sa.Column("is_byok", sa.Boolean, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("interface", sa.Text, nullable=False),
        sa.Column("operation", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("error_code", sa.Text, nullable=False),
        sa.Column("stream", sa.Boolean, nullable=False),
        sa.Column("reported", sa.Boolean, nullable=False),
        sa.Column("input_tokens", sa.BigInteger, nullable=False),
        sa.Column("output_tokens", sa.BigInteger, nullable=False),
        sa.Column("cached_tokens", sa.BigInteger, nullable=False),
        sa.Column("cache_write_tokens", sa.BigInteger, nullable=False),
        sa.Column("cache_write_1h_tokens", sa.BigInteger, nullable=False),
        sa.Column("reasoning_tokens", sa.BigInteger, nullable=False),
        sa.Column("input_image_tokens", sa.BigInteger, nullable=False),
        sa.Column("input_audio_tokens", sa.BigInteger, nullable=False),
        sa.Column("output_audio_tokens", sa.BigInteger, nullable=False),
        sa.Column("images", sa.BigInteger, nullable=False),
        sa.Column("video_seconds", sa.Double, nullable=False),
        sa.Column("video_resolution", sa.Text, nullable=False),
        sa.Column("assets", sa.BigInteger, nullable=False),
        sa.Column("cost_nano", sa.BigInteger),
        sa.Column("list_nano", sa.BigInteger),
        sa.Column("currency", sa.Text),
        sa.Column("price_version", sa.Text),
        sa.Column("duration_ms", sa.Double, nullable=False),
        sa.Column("ttft_ms", sa.Double),
        sa.Column("bytes_in", sa.BigInteger, nullable=False),
        sa.Column("bytes_out", sa.BigInteger, nullable=False),
        sa.Column("labels", sa.Text, nullable=False),
        sa.Column("attempts", sa.Text, nullable=False),
        sa.Column("upstream_request_id", sa.Text, nullable=False),
        sa.Column("task_id", sa.Text, nullable=False),
        sa.Column("client_ip", sa.Text, nullable=False),
        sa.Column("record", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", "at_s"),
        postgresql_partition_by="RANGE (at_s)",
    )
    op.create_index("usage_records_by_time", "usage_records", ["at_s", "id"])
    op.create_index("usage_records_by_tenant", "usage_records", ["tenant", "at_s", "id"])
    op.create_index("usage_records_by_key", "usage_records", ["tenant", "key_id", "at_s", "id"])
    op.create_index("usage_records_by_model", "usage_records", ["tenant", "model", "at_s", "id"])
    op.create_table(
        "task_settlements",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("at_s", sa.Double, nullable=False),
    )
    op.create_index("task_settlements_by_time", "task_settlements", ["at_s"])


def _create_hourly() -> None:
    _create_rollup(
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
    )
    _create_rollup("usage_hourly_models", ("model", "provider", "is_byok", "kind", "outcome", "currency"))
    _create_rollup("usage_hourly_keys", ("key_id", "user_id", "is_byok", "outcome", "currency"))
    op.create_table(
        "usage_names",
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("kind", "id"),
    )


def _create_rollup(name: str, dimensions: tuple[str, ...]) -> None:
    sums = (
        "requests", "input_tokens", "output_tokens", "cached_tokens", "cache_write_tokens", "reasoning_tokens",
        "images", "video_ms", "assets", "cost_nano", "list_nano", "unpriced", "estimated", "duration_us", "ttft_us",
        "ttft_count",
    )  # fmt: skip
    op.create_table(
        name,
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("hour_s", sa.BigInteger, nullable=False),
        sa.Column("dimensions", sa.LargeBinary, nullable=False),
        *(
            sa.Column(each, sa.Boolean if each == "is_byok" else sa.Text, nullable=False)
            for each in dimensions
        ),
        *(sa.Column(each, sa.BigInteger, nullable=False) for each in sums),
        sa.PrimaryKeyConstraint("tenant", "hour_s", "dimensions"),
        sqlite_with_rowid=False,
    )
    op.create_index(f"{name}_by_hour", name, ["hour_s"])


def _create_points() -> None:
    op.create_table(
        "usage_points",
        sa.Column("grain", sa.Text, nullable=False),
        sa.Column("start_s", sa.BigInteger, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("endpoint", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("error_code", sa.Text, nullable=False),
        sa.Column("requests", sa.BigInteger, nullable=False),
        sa.Column("output_tokens", sa.BigInteger, nullable=False),
        sa.Column("duration_us", sa.BigInteger, nullable=False),
        sa.Column("ttft_us", sa.BigInteger, nullable=False),
        sa.Column("duration_counts", sa.Text, nullable=False),
        sa.Column("ttft_counts", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("grain", "start_s", "model", "endpoint", "outcome", "error_code"),
    )
    op.create_index("usage_points_by_endpoint", "usage_points", ["endpoint", "grain", "start_s"])
    op.create_index("usage_points_by_model", "usage_points", ["model", "grain", "start_s"])


def _create_import() -> None:
    op.create_table(
        "journal_positions",
        sa.Column("node", sa.Text, nullable=False),
        sa.Column("segment", sa.Text, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("node", "segment"),
    )
    op.create_table(
        "import_state",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.Double, nullable=False),
    )


def _create_prices() -> None:
    op.create_table(
        "price_versions",
        sa.Column("version", sa.Text, primary_key=True),
        sa.Column("endpoint", sa.Text, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("first_seen_s", sa.Double, nullable=False),
    )
    op.create_table(
        "discounts",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("factor", sa.Text, nullable=False),
        sa.Column("from_s", sa.Double, nullable=False),
        sa.Column("until_s", sa.Double),
        sa.Column("created_at_s", sa.Double, nullable=False),
        sa.Column("updated_at_s", sa.Double, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.create_index("discounts_by_tenant", "discounts", ["tenant", "from_s"])
