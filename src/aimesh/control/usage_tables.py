"""Each view of usage as a table with plain cells, for files.

1. A column per currency: amounts of several are never in one column.
2. Rows are read as they are asked for, some at a time, and no transaction lasts between them.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

import msgspec

from aimesh.control.schemas_usage import averages
from aimesh.control.usage_asked import Asked
from aimesh.control.usage_breakdown import DIMENSIONS, BreakdownBy, BreakdownGrain, Row, pieces, shown
from aimesh.control.usage_calls import CallsAsked
from aimesh.control.usage_files import Cell, Table
from aimesh.control.usage_sums import TopWanted, TrendWanted, ranked, trend
from aimesh.core.money import Currency
from aimesh.store.usage_calls import CallRow, Place, list_calls
from aimesh.store.usage_names import user_names
from aimesh.store.usage_queries import Dimension, Totals, added_up, read_totals

_ROWS_AT_ONCE = 20_000
_CALLS_AT_ONCE = 1_000
_CURRENCIES = sorted(Currency)
_COUNTS = (
    "requests", "succeeded", "failed", "abandoned", "tokens", "input_tokens", "output_tokens", "cached_tokens",
    "cache_write_tokens", "reasoning_tokens", "images", "video_seconds", "assets", "estimated", "unpriced",
)  # fmt: skip


def _per_currency(name: str) -> list[str]:
    return [f"{name}_{currency.lower()}" for currency in _CURRENCIES]


COUNT_COLUMNS = (*_COUNTS, *_per_currency("cost"), *_per_currency("list"))


def summary_table(asked: Asked) -> Table:
    def rows() -> Iterator[Sequence[Cell]]:
        with asked.parts.store.read() as db:
            found = read_totals(db, asked.filter(db), [Dimension.BYOK])
        system, byok = found.get((False,), Totals()), found.get((True,), Totals())
        for name, totals in (("system", system), ("byok", byok), ("total", added_up((system, byok)))):
            yield (name, *_counts(totals), *_amounts(averages(totals)))

    columns = ("source", *COUNT_COLUMNS, *_per_currency("cost_per_million_tokens"))
    return Table("summary", columns, rows())


def trend_table(asked: Asked, wanted: TrendWanted) -> Table:
    def rows() -> Iterator[Sequence[Cell]]:
        found = trend(asked, wanted)
        for place, start in enumerate(found.starts):
            for one in found.series:
                values: Sequence[Cell] = (
                    [one.values[place]]
                    if wanted.metric != "cost"
                    else [
                        Decimal(one.costs[currency][place]) if currency in one.costs else None
                        for currency in _CURRENCIES
                    ]
                )
                yield (start.astimezone(asked.zone), one.name, *values)

    values = _per_currency("cost") if wanted.metric == "cost" else [wanted.metric]
    return Table("trend", ("start", wanted.by, *values), rows())


def top_table(asked: Asked, wanted: TopWanted) -> Table:
    def rows() -> Iterator[Sequence[Cell]]:
        for place, (one, name, totals) in enumerate(ranked(asked, wanted).rows, 1):
            yield (place, one, name, *_counts(totals))

    return Table("top", ("rank", "id", "name", *COUNT_COLUMNS), rows())


_SHOWN: Mapping[Dimension, tuple[str, ...]] = {
    Dimension.TENANT: ("tenant",),
    Dimension.KIND: ("kind",),
    Dimension.ENDPOINT: ("endpoint",),
    Dimension.PROVIDER: ("provider",),
    Dimension.MODEL: ("model",),
    Dimension.KEY: ("key", "key_alias"),
    Dimension.USER: ("user", "username"),
    Dimension.BYOK: ("source",),
    Dimension.LABELS: ("labels",),
}


def breakdown_table(asked: Asked, by: BreakdownBy, grain: BreakdownGrain) -> Table:
    fields = [name for one in DIMENSIONS[by] for name in _SHOWN[one]]

    def rows() -> Iterator[Sequence[Cell]]:
        for piece in pieces(asked, by, grain, None, _ROWS_AT_ONCE):
            for row, told in zip(piece.rows, shown(asked, by, piece.rows), strict=True):
                names = [_plain(getattr(told, name)) for name in fields]
                yield (*_start(asked, row), *names, *_counts(row.totals))

    start = () if grain == "whole" else ("start",)
    return Table("breakdown", (*start, *fields, *COUNT_COLUMNS), rows())


CALL_COLUMNS = (
    "at", "id", "tenant", "key", "key_alias", "user", "username", "labels", "operation", "interface", "kind",
    "model_asked", "model", "endpoint", "provider", "source", "stream", "outcome", "status", "error_code",
    "estimated", "tokens", "input_tokens", "output_tokens", "cached_tokens", "cache_write_tokens",
    "reasoning_tokens", "images", "video_seconds", "assets", "cost", "list", "currency", "price_version",
    "duration_ms", "ttft_ms", "attempts", "upstream_request_id", "task_id", "client_ip",
)  # fmt: skip


def calls_table(asked: Asked, calls: CallsAsked) -> Table:
    def rows() -> Iterator[Sequence[Cell]]:
        before: Place | None = None
        while True:
            with asked.parts.store.read() as db:
                page = list_calls(db, calls.filter(db, asked), before=before, limit=_CALLS_AT_ONCE)
                names = user_names(db, {call.user for call in page.rows})
            for call in page.rows:
                yield _call(asked, call, names)
            if page.next is None:
                return
            before = page.next

    return Table("calls", CALL_COLUMNS, rows())


def _call(asked: Asked, call: CallRow, names: Mapping[str, str]) -> Sequence[Cell]:
    record, usage = call.record, call.record.usage
    attempts = msgspec.json.encode(record.attempts).decode() if record.attempts else ""
    return (
        _time(asked, record.at), record.id, record.tenant, record.key_id, record.key_alias, call.user,
        names.get(call.user, ""), _plain(record.labels), record.operation, record.interface, call.kind,
        record.model_asked, record.model, record.endpoint, record.provider,
        "byok" if call.is_byok else "system", _yes(record.stream), record.outcome.value, record.status,
        record.error_code, _yes(call.is_estimated), usage.input_tokens + usage.output_tokens,
        usage.input_tokens, usage.output_tokens, usage.cached_tokens, usage.cache_write_tokens,
        usage.reasoning_tokens, usage.images, usage.video_seconds, usage.assets, _nano(call.cost_nano),
        _nano(call.list_nano), call.currency or "", call.price_version or "", record.duration_ms,
        record.ttft_ms, attempts, record.upstream_request_id, record.task_id, record.client_ip,
    )  # fmt: skip


def _counts(totals: Totals) -> list[Cell]:
    seconds = Decimal(totals.video_ms).scaleb(-3)
    counts = [seconds if name == "video_seconds" else getattr(totals, name) for name in _COUNTS]
    return [*counts, *_amounts(totals.cost_nano), *_amounts(totals.list_nano)]


def _amounts(nano: Mapping[Currency, int] | Mapping[Currency, Fraction]) -> list[Cell]:
    return [_nano(round(nano[one])) if one in nano else None for one in _CURRENCIES]


def _nano(amount: int | None) -> Decimal | None:
    return None if amount is None else Decimal(amount).scaleb(-9)


def _start(asked: Asked, row: Row) -> Sequence[Cell]:
    return () if row.start_s is None else (_time(asked, row.start_s),)


def _time(asked: Asked, at_s: float) -> datetime:
    return datetime.fromtimestamp(at_s, asked.zone)


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _plain(value: object) -> Cell:
    if isinstance(value, dict):
        return "; ".join(f"{name}={text}" for name, text in value.items())
    return None if value is None else str(value)
