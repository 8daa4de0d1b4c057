"""The tables of sums of whole days and weeks: what ``usage_periods`` makes of the hourly roll-ups."""

from sqlalchemy import BigInteger, Boolean, Column, Index, PrimaryKeyConstraint, Table, Text

from aimesh.store.metadata import METADATA

PERIOD_SUMS = (
    "requests",
    "input_tokens",
    "output_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "images",
    "video_ms",
    "assets",
    "unpriced",
    "estimated",
    "cost_nano",
    "list_nano",
    # Requests by how they ended.
    "succeeded",
    "abandoned",
)

USAGE_PERIODS = Table(
    "usage_periods",
    METADATA,
    # ``d``: a day, ``w``: a week from Monday.
    Column("grain", Text, nullable=False),
    Column("start_s", BigInteger, nullable=False),
    Column("until_s", BigInteger, nullable=False),
    # Whose days they are.
    Column("zone", Text, nullable=False),
    PrimaryKeyConstraint("grain", "start_s"),
)
"""Days and weeks whose sums are complete and right. Rows of sums without a row here are not to be read."""


def _sums(name: str, dimensions: tuple[str, ...], *indexes: Index) -> Table:
    return Table(
        name,
        METADATA,
        Column("grain", Text, nullable=False),
        Column("start_s", BigInteger, nullable=False),
        Column("tenant", Text, nullable=False),
        # A number within the period.
        Column("place", BigInteger, nullable=False),
        *(Column(each, Boolean if each == "is_byok" else Text, nullable=False) for each in dimensions),
        Column("currency", Text, nullable=False),
        *(Column(each, BigInteger, nullable=False) for each in PERIOD_SUMS),
        PrimaryKeyConstraint("grain", "start_s", "tenant", "place"),
        *indexes,
        # Rows lie in the order in which they are asked for.
        sqlite_with_rowid=False,
    )


USAGE_SUMS = _sums(
    "usage_sums",
    ("key_id", "user_id", "model", "endpoint", "provider", "is_byok", "kind", "labels"),
    Index("usage_sums_by_key", "key_id", "grain", "start_s"),
    Index("usage_sums_by_user", "user_id", "grain", "start_s"),
)
USAGE_SUMS_MODELS = _sums("usage_sums_models", ("model", "provider", "is_byok", "kind"))
USAGE_SUMS_KEYS = _sums("usage_sums_keys", ("key_id", "user_id", "is_byok", "labels"))
USAGE_SUMS_LABELS = _sums("usage_sums_labels", ("labels", "model", "provider", "is_byok", "kind"))
"""The last three are the first without some of its dimensions."""

USAGE_TRENDS = Table(
    "usage_trends",
    METADATA,
    # ``*``: all of them together.
    Column("tenant", Text, nullable=False),
    # The same.
    Column("model", Text, nullable=False),
    Column("hour_s", BigInteger, nullable=False),
    Column("is_byok", Boolean, nullable=False),
    Column("currency", Text, nullable=False),
    Column("requests", BigInteger, nullable=False),
    Column("tokens", BigInteger, nullable=False),
    Column("cost_nano", BigInteger, nullable=False),
    PrimaryKeyConstraint("tenant", "model", "hour_s", "is_byok", "currency"),
    Index("usage_trends_by_hour", "hour_s"),
    sqlite_with_rowid=False,
)
"""Hours of the days in ``usage_periods``, as curves show them."""
