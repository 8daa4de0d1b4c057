"""Usage as a file: any view, with the filters that it has on the page.

1. A file is sent while it is read; what is asked for may be larger than memory.
2. XLSX is only begun where it can be finished in time: many calls are for CSV.
"""

from datetime import datetime, timedelta
from typing import Annotated, Literal, get_args

from fastapi import Depends, Query
from fastapi.responses import Response, StreamingResponse
from msgspec import Struct

from aimesh.control.errors import Detail, Invalid
from aimesh.control.noun import Noun
from aimesh.control.schemas_usage import Grain, Metric
from aimesh.control.usage_asked import Asked, AskedUsage, check_hours
from aimesh.control.usage_breakdown import BreakdownBy, BreakdownGrain, usual_grain
from aimesh.control.usage_calls import AskedCalls, CallsAsked
from aimesh.control.usage_files import CSV, XLSX, Table, csv_pieces, xlsx_pieces
from aimesh.control.usage_sums import TopBy, TopWanted, TrendBy, TrendWanted
from aimesh.control.usage_tables import breakdown_table, calls_table, summary_table, top_table, trend_table
from aimesh.core.money import Currency
from aimesh.store.usage_queries import added_up, read_totals

NOUN = Noun("usage export", "Usage as files, CSV and XLSX.")

MOST_XLSX_CALLS = 200_000
MOST_TOP = 10_000

View = Literal["summary", "trend", "top", "breakdown", "calls"]
FileFormat = Literal["csv", "xlsx"]
By = Literal["source", "model", "provider", "tenant", "key", "user", "details"]


class _Wanted(Struct, frozen=True):
    view: View
    by: By | None
    grain: BreakdownGrain | None
    metric: Metric
    currency: Currency | None


def _wanted(
    view: Annotated[View, Query(description="What the file is of.")] = "breakdown",
    by: Annotated[
        By | None,
        Query(description="As in the view: source or model of a trend, what is ranked, what is told apart."),
    ] = None,
    *,
    grain: Annotated[BreakdownGrain | None, Query(description="Of a trend or a breakdown.")] = None,
    metric: Annotated[Metric, Query(description="Of a trend or a ranking.")] = "tokens",
    currency: Annotated[Currency | None, Query(description="Of a ranking by cost.")] = None,
) -> _Wanted:
    return _Wanted(view, by, grain, metric, currency)


@NOUN.get_file("/usage/export", "export_usage", media=(CSV, XLSX), errors=(404,))
def export_usage(
    asked: AskedUsage,
    calls: AskedCalls,
    wanted: Annotated[_Wanted, Depends(_wanted)],
    *,
    file_format: Annotated[FileFormat, Query(alias="format")] = "csv",
) -> Response:
    """One view as a file; amounts stand in a column for each currency."""
    table = _table(asked, calls, wanted)
    if file_format == "xlsx" and wanted.view == "calls":
        _check_few(asked)
    pieces = xlsx_pieces(table) if file_format == "xlsx" else csv_pieces(table)
    return StreamingResponse(
        pieces,
        media_type=XLSX if file_format == "xlsx" else CSV,
        headers={"content-disposition": f'attachment; filename="{_name(asked, wanted.view)}.{file_format}"'},
    )


def _table(asked: Asked, calls: CallsAsked, wanted: _Wanted) -> Table:
    match wanted.view:
        case "summary":
            return summary_table(asked)
        case "calls":
            return calls_table(asked, calls)
        case "trend":
            trend = TrendWanted(wanted.metric, _trend_grain(wanted.grain), _trend_by(wanted.by))
            if trend.grain == "hour":
                check_hours(asked.span)
            return trend_table(asked, trend)
        case "top":
            return top_table(asked, TopWanted(_top_by(wanted.by), wanted.metric, wanted.currency, MOST_TOP))
        case "breakdown":
            by = _breakdown_by(wanted.by)
            return breakdown_table(asked, by, wanted.grain or usual_grain(by))


def _trend_by(by: By | None) -> TrendBy:
    match by:
        case None:
            return "source"
        case "source" | "model":
            return by
        case _:
            raise _other("by", "a trend is by", TrendBy)


def _trend_grain(grain: BreakdownGrain | None) -> Grain:
    match grain:
        case None:
            return "day"
        case "day" | "hour":
            return grain
        case _:
            raise _other("grain", "a trend is by", Grain)


def _top_by(by: By | None) -> TopBy:
    match by:
        case None:
            return "model"
        case "source" | "details":
            raise _other("by", "what is ranked is", TopBy)
        case _:
            return by


def _breakdown_by(by: By | None) -> BreakdownBy:
    match by:
        case None:
            return "model"
        case "source" | "provider":
            raise _other("by", "what is told apart is", BreakdownBy)
        case _:
            return by


def _check_few(asked: Asked) -> None:
    with asked.parts.store.read() as db:
        count = added_up(read_totals(db, asked.filter(db), []).values()).requests
    if count > MOST_XLSX_CALLS:
        message = f"these are {count} calls, and XLSX holds {MOST_XLSX_CALLS}: take CSV, or a shorter time"
        raise Invalid("TOO_MANY_ROWS", message, details=[Detail(path="format", message=message, hint="csv")])


def _name(asked: Asked, view: View) -> str:
    def day(at_s: float) -> str:
        return datetime.fromtimestamp(at_s, asked.zone).strftime("%Y%m%d")

    last_s = asked.span.until_s - timedelta(seconds=1).total_seconds()
    return f"aimesh-usage-{view}-{day(asked.span.since_s)}-{day(last_s)}"


def _other(path: str, what: str, known: object) -> Invalid:
    message = f"{what} one of: {', '.join(get_args(known))}"
    return Invalid("INVALID_REQUEST", message, details=[Detail(path=path, message=message)])
