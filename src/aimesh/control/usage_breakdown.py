"""Tables of usage: by model, tenant, key, user, or by everything together; for the whole time, by days or by hours.

1. The latest comes first. A day is asked for when its turn comes, so a page does not cost what the whole time would.
2. A cursor names a day or hour and how many of its rows were shown.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Literal

import msgspec
from msgspec import Struct, structs

from aimesh.control.http import bad_cursor
from aimesh.control.schemas_usage import BreakdownRow, shown_counts
from aimesh.control.texts import shown_time_or_none
from aimesh.control.usage_asked import Asked, Span, days_of
from aimesh.store.engine import Connection
from aimesh.store.usage_names import key_names, user_names
from aimesh.store.usage_queries import Dimension, Group, Rank, Totals, latest_hour, read_ranked

BreakdownBy = Literal["model", "tenant", "key", "user", "details"]
BreakdownGrain = Literal["whole", "day", "hour"]

DIMENSIONS: Mapping[BreakdownBy, tuple[Dimension, ...]] = {
    "model": (Dimension.MODEL,),
    "tenant": (Dimension.TENANT,),
    "key": (Dimension.TENANT, Dimension.KEY),
    "user": (Dimension.TENANT, Dimension.USER),
    "details": (
        Dimension.TENANT,
        Dimension.KIND,
        Dimension.ENDPOINT,
        Dimension.PROVIDER,
        Dimension.MODEL,
        Dimension.KEY,
        Dimension.USER,
        Dimension.BYOK,
        Dimension.LABELS,
    ),
}

Place = tuple[float, int]
"""Beginning of a day or hour, and how many of its rows were shown."""


class Row(Struct, frozen=True):
    start_s: float | None
    """None: the whole time."""
    group: Group
    totals: Totals


class Piece(Struct, frozen=True):
    """Some rows of one beginning, with where they end."""

    start_s: float
    offset: int
    """Rows of the same beginning that were before."""
    rows: Sequence[Row]
    is_last: bool
    """There are no more rows of this beginning."""


def usual_grain(by: BreakdownBy) -> BreakdownGrain:
    return "day" if by == "details" else "whole"


def pieces(
    asked: Asked, by: BreakdownBy, grain: BreakdownGrain, after: Place | None, most: int
) -> Iterator[Piece]:
    """Beginning by beginning, the latest first, up to ``most`` rows at a time; each is read when it is asked for."""
    span, offset = asked.span, 0
    if after is not None:
        start_s, offset = after
        if not (span.since_s <= start_s < span.until_s and offset >= 0):
            raise bad_cursor()
        until_s = _bounds(asked, grain, start_s).until_s
        span = Span(span.since_s, min(span.until_s, until_s))
    steps = days_of(asked.span, asked.zone) if grain == "day" else None
    while span.until_s > span.since_s:
        with asked.parts.store.read() as db:
            wanted = asked.filter(db, span)
            begin_s = span.since_s
            if grain != "whole":
                hour_s = latest_hour(db, wanted, steps)
                if hour_s is None:
                    return
                begin_s = _bounds(asked, grain, hour_s).since_s
                wanted = structs.replace(wanted, since_s=begin_s)
            if after is None or after[0] != begin_s:
                offset = 0
            groups = read_ranked(db, wanted, DIMENSIONS[by], Rank(offset=offset, limit=most + 1))
        shown_s = None if grain == "whole" else begin_s
        rows = [Row(shown_s, group, totals) for group, totals in groups[:most]]
        is_last = len(groups) <= most
        yield Piece(begin_s, offset, rows, is_last)
        if is_last:
            span, after, offset = Span(span.since_s, begin_s), None, 0
        else:
            after, offset = (begin_s, offset), offset + len(rows)


def page(
    asked: Asked, by: BreakdownBy, grain: BreakdownGrain, after: Place | None, limit: int
) -> tuple[list[BreakdownRow], Place | None]:
    """Rows, and where the next page begins."""
    rows: list[Row] = []
    for piece in pieces(asked, by, grain, after, limit):
        taken = piece.rows[: limit - len(rows)]
        if not taken and piece.rows:
            # Full; nothing of this beginning is on the page.
            return shown(asked, by, rows), (piece.start_s, piece.offset)
        rows += taken
        if len(taken) < len(piece.rows) or not piece.is_last:
            return shown(asked, by, rows), (piece.start_s, piece.offset + len(taken))
    return shown(asked, by, rows), None


def shown(asked: Asked, by: BreakdownBy, rows: Sequence[Row]) -> list[BreakdownRow]:
    dimensions = DIMENSIONS[by]
    with asked.parts.store.read() as db:
        names = _names(db, dimensions, rows)
    return [_row(dict(zip(dimensions, row.group, strict=True)), row, names) for row in rows]


class _Names(Struct, frozen=True):
    keys: Mapping[str, str]
    users: Mapping[str, str]


def _names(db: Connection, dimensions: Sequence[Dimension], rows: Sequence[Row]) -> _Names:
    def values(dimension: Dimension) -> set[str]:
        if dimension not in dimensions:
            return set()
        place = dimensions.index(dimension)
        return {str(row.group[place]) for row in rows}

    return _Names(key_names(db, values(Dimension.KEY)), user_names(db, values(Dimension.USER)))


def _row(values: Mapping[Dimension, str | int | bool], row: Row, names: _Names) -> BreakdownRow:
    def text(dimension: Dimension) -> str | None:
        value = values.get(dimension)
        return None if value is None else str(value)

    key, user, labels, is_byok = (
        text(Dimension.KEY),
        text(Dimension.USER),
        text(Dimension.LABELS),
        values.get(Dimension.BYOK),
    )
    return BreakdownRow(
        start=shown_time_or_none(row.start_s),
        tenant=text(Dimension.TENANT),
        model=text(Dimension.MODEL),
        endpoint=text(Dimension.ENDPOINT),
        provider=text(Dimension.PROVIDER),
        key=key,
        key_alias=None if key is None else names.keys.get(key, ""),
        user=user,
        username=None if user is None else names.users.get(user, ""),
        kind=text(Dimension.KIND),
        source=None if is_byok is None else ("byok" if is_byok else "system"),
        labels=None if labels is None else msgspec.json.decode(labels),
        **shown_counts(row.totals).model_dump(),
    )


def _bounds(asked: Asked, grain: BreakdownGrain, hour_s: float) -> Span:
    """The day or hour that an hour is in, cut to what was asked for."""
    span = asked.span
    match grain:
        case "whole":
            return span
        case "hour":
            return Span(max(span.since_s, hour_s), hour_s + 3600)
        case "day":
            day = datetime.fromtimestamp(hour_s, asked.zone).date()
            begin, end = (
                datetime.combine(one, time(), asked.zone).timestamp()
                for one in (day, day + timedelta(days=1))
            )
            return Span(max(span.since_s, begin), end)
