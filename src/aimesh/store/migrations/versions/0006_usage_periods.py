"""Sums of days and weeks beside those of hours; indexes for whoever looks for one call or for one key's hours."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_SUMS = (
    "requests", "input_tokens", "output_tokens", "cached_tokens", "cache_write_tokens", "reasoning_tokens", "images",
    "video_ms", "assets", "unpriced", "estimated", "cost_nano", "list_nano", "succeeded", "abandoned",
)  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "usage_periods",
        sa.Column("grain", sa.Text, nullable=False),
        sa.Column("start_s", sa.BigInteger, nullable=False),
        sa.Column("until_s", sa.BigInteger, nullable=False),
        sa.Column("zone", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("grain", "start_s"),
    )
    _create_sums(
        "usage_sums", ("key_id", "user_id", "model", "endpoint", "provider", "is_byok", "kind", "labels")
    )
    op.create_index("usage_sums_by_key", "usage_sums", ["key_id", "grain", "start_s"])
    op.create_index("usage_sums_by_user", "usage_sums", ["user_id", "grain", "start_s"])
    _create_sums("usage_sums_models", ("model", "provider", "is_byok", "kind"))
    _create_sums("usage_sums_keys", ("key_id", "user_id", "is_byok", "labels"))
    _create_sums("usage_sums_labels", ("labels", "model", "provider", "is_byok", "kind"))
    op.create_table(
        "usage_trends",
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("hour_s", sa.BigInteger, nullable=False),
        sa.Column("is_byok", sa.Boolean, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("requests", sa.BigInteger, nullable=False),
        sa.Column("tokens", sa.BigInteger, nullable=False),
        sa.Column("cost_nano", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "model", "hour_s", "is_byok", "currency"),
        sqlite_with_rowid=False,
    )
    op.create_index("usage_trends_by_hour", "usage_trends", ["hour_s"])
    for table in ("usage_hourly", "usage_hourly_keys"):
        op.create_index(f"{table}_by_key", table, ["key_id", "hour_s"])
        op.create_index(f"{table}_by_user", table, ["user_id", "hour_s"])
    for name, column in (("upstream", "upstream_request_id"), ("task", "task_id")):
        given = sa.text(f"{column} <> ''")
        op.create_index(
            f"usage_records_by_{name}",
            "usage_records",
            [column],
            sqlite_where=given,
            postgresql_where=given,
        )


def _create_sums(name: str, dimensions: tuple[str, ...]) -> None:
    op.create_table(
        name,
        sa.Column("grain", sa.Text, nullable=False),
        sa.Column("start_s", sa.BigInteger, nullable=False),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("place", sa.BigInteger, nullable=False),
        *(
            sa.Column(each, sa.Boolean if each == "is_byok" else sa.Text, nullable=False)
            for each in dimensions
        ),
        sa.Column("currency", sa.Text, nullable=False),
        *(sa.Column(each, sa.BigInteger, nullable=False) for each in _SUMS),
        sa.PrimaryKeyConstraint("grain", "start_s", "tenant", "place"),
        sqlite_with_rowid=False,
    )
