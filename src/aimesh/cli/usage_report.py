"""``aimesh usage report``, ``calls``, ``show`` and ``export``: usage as the database has it.

1. The numbers are those of the admin API. Currencies stand beside one another and are never added.
2. A day without more is a day of the gateway's time zone.
"""

import re
import sys
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.cells import cell_len
from rich.console import Console

from aimesh.cli import parse
from aimesh.cli.client import Query, segment
from aimesh.cli.connect import Options, Session
from aimesh.cli.faults import Misused, Refused
from aimesh.cli.key_rows import time_text
from aimesh.cli.options import PageOption, PageSizeOption
from aimesh.cli.output import Answer, Document, cell
from aimesh.core.clock import SystemClock
from aimesh.core.money import plain
from aimesh.core.outcome import Outcome

_AGO = re.compile(r"\d+(?:\.\d+)?[smhd]")


class By(StrEnum):
    MODEL = "model"
    KEY = "key"
    USER = "user"
    PROVIDER = "provider"
    TENANT = "tenant"
    DAY = "day"
    HOUR = "hour"


class Metric(StrEnum):
    TOKENS = "tokens"
    COST = "cost"
    REQUESTS = "requests"


class View(StrEnum):
    SUMMARY = "summary"
    TREND = "trend"
    TOP = "top"
    BREAKDOWN = "breakdown"
    CALLS = "calls"


class Source(StrEnum):
    SYSTEM = "system"
    BYOK = "byok"


class Wanted(Options, frozen=True, kw_only=True):
    since: Annotated[
        str,
        typer.Option(metavar="TIME", help="A day, ISO 8601, or how long ago: 24h, 7d. Default: seven days."),
    ] = ""
    until: Annotated[
        str, typer.Option(metavar="TIME", help="As --since; a day is in it. Default: today.")
    ] = ""
    key: Annotated[str, typer.Option(metavar="REF", help="Only of this key: alias or id.")] = ""
    model: Annotated[str, typer.Option(metavar="NAME", help="Only of this model.")] = ""
    user: Annotated[str, typer.Option(metavar="NAME", help="Only of this user's keys.")] = ""
    provider: Annotated[str, typer.Option(metavar="NAME", help="Only of this provider.")] = ""
    label: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="Only of keys with this label; repeatable.")
    ] = None
    source: Annotated[
        Source | None, typer.Option(help="Only over the gateway's credentials, or over a tenant's own.")
    ] = None

    def query(self) -> dict[str, Any]:
        now_s = SystemClock().wall_s()
        return {
            "since": _time(self.since, now_s) or None,
            "until": _time(self.until, now_s) or None,
            "key": self.key or None,
            "model": self.model or None,
            "user": self.user or None,
            "provider": self.provider or None,
            "label": self.label or None,
            "source": None if self.source is None else self.source.value,
        }


def _time(text: str, now_s: float) -> str:
    return parse.read_moment(text, now_s) if _AGO.fullmatch(text) else text


_COLUMNS = ("name", "requests", "failed", "tokens", "input", "output", "cached", "cost", "unpriced", "share")


def report(
    session: Session,
    wanted: Wanted,
    *,
    by: Annotated[By | None, typer.Option(help="One line for each; default: model, with --plot day.")] = None,
    metric: Annotated[Metric, typer.Option(help="What is ranked and drawn.")] = Metric.TOKENS,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=100, help="Most lines.")] = 20,
    plot: Annotated[bool, typer.Option("--plot", help="Draw bars.")] = False,
) -> Answer:
    """Show what was used and what it cost.

    \b
    Examples:
      aimesh usage report
      aimesh usage report --since 30d --by key --metric cost
      aimesh usage report --since 2026-11-01 --until 2026-11-30 --plot
    """
    query = wanted.query()
    told = session.client.get("/usage/summary", query).data
    kind = by or (By.DAY if plot else By.MODEL)
    if kind in (By.DAY, By.HOUR):
        rows = _times(session, query, kind)
        columns: tuple[str, ...] = ("when", "requests", "tokens", "cost")
        people = [{**row, "cost": money_text(row["cost"])} for row in rows]
    else:
        asked = {**query, "by": kind.value, "metric": metric.value, "limit": limit}
        rows = session.client.get("/usage/top", asked).data["data"]
        columns, people = _COLUMNS, [_row(row) for row in rows]
    return Answer(
        data=rows,
        people=people,
        columns=columns,
        title=_title(told),
        text=_plot(rows, metric) if plot and rows else "",
        note=_sentence(told),
    )


def _row(row: Document) -> Document:
    return {
        "name": row["name"] or "-",
        "requests": row["requests"],
        "failed": row["failed"],
        "tokens": row["tokens"],
        "input": row["input_tokens"],
        "output": row["output_tokens"],
        "cached": row["cached_tokens"],
        "cost": money_text(row["cost"]),
        "unpriced": row["unpriced"] or "",
        "share": "" if row["share"] is None else f"{row['share']} %",
    }


def _times(session: Session, query: Query, grain: By) -> list[Document]:
    found: dict[str, Document] = {}
    for metric in Metric:
        asked = {**query, "grain": grain.value, "metric": metric.value, "by": "source"}
        told = session.client.get("/usage/trend", asked).data
        for place, start in enumerate(told["starts"]):
            row = found.setdefault(start, {"start": start, "when": _when(start, told["timezone"], grain)})
            if metric is not Metric.COST:
                row[metric.value] = sum(one["values"][place] for one in told["series"])
            else:
                row["cost"] = _costs(told["series"], place)
    return list(found.values())


def _when(start: str, timezone: str, grain: By) -> str:
    moment = datetime.fromisoformat(start).astimezone(ZoneInfo(timezone))
    return moment.strftime("%Y-%m-%d" if grain is By.DAY else "%Y-%m-%d %H:%M")


def _costs(series: Sequence[Document], place: int) -> dict[str, str]:
    # Decimals of the API, added exactly.
    total: dict[str, Decimal] = {}
    for one in series:
        for currency, amounts in one["costs"].items():
            total[currency] = total.get(currency, Decimal()) + Decimal(amounts[place])
    return {currency: plain(amount) for currency, amount in total.items() if amount}


def _title(told: Document) -> str:
    since, until = (_when(told[name], told["timezone"], By.HOUR) for name in ("since", "until"))
    return f"Usage from {since} to {until}, {told['timezone']}"


def _sentence(told: Document) -> str:
    requests, cost = told["requests"], told["cost"]
    parts = [
        f"{requests['total']} requests"
        + ("" if requests["success_rate"] is None else f" ({requests['success_rate']} % succeeded)"),
        f"{told['tokens']['total']} tokens{_against(told['tokens']['change'])}",
        f"cost {money_text(cost['total']) or 'none'}",
    ]
    if cost["unpriced"]:
        parts.append(f"{cost['unpriced']} requests without a known price")
    return "; ".join(parts) + "."


def _against(change: float | None) -> str:
    return "" if change is None else f" ({change:+} % against the time before)"


def money_text(amounts: dict[str, str]) -> str:
    return ", ".join(f"{amount} {currency}" for currency, amount in amounts.items())


def _plot(rows: Sequence[Document], metric: Metric) -> str:
    """A bar a line; for cost one drawing for each currency."""
    if metric is not Metric.COST:
        return _bars([(_label(row), float(row[metric.value]), str(row[metric.value])) for row in rows])
    currencies = sorted({currency for row in rows for currency in row["cost"]})
    drawn = []
    for currency in currencies:
        amounts = [row["cost"].get(currency, "0") for row in rows]
        bars = [(_label(row), float(amount), amount) for row, amount in zip(rows, amounts, strict=True)]
        drawn.append(f"{currency}\n{_bars(bars)}")
    return "\n\n".join(drawn) or "nothing cost anything"


def _label(row: Document) -> str:
    return row["when"] if "when" in row else cell(row["name"] or "-")


def _bars(several: Sequence[tuple[str, float, str]]) -> str:
    widest = max(cell_len(label) for label, _, _ in several)
    longest = max(len(text) for _, _, text in several)
    greatest = max(value for _, value, _ in several) or 1.0
    width = max(10, min(100, Console().width) - widest - longest - 3)
    return "\n".join(
        f"{label}{' ' * (widest - cell_len(label))} {_bar(value / greatest * width)} {text}"
        for label, value, text in several
    )


def _bar(length: float) -> str:
    """Blocks, to an eighth of one."""
    whole, rest = divmod(round(length * 8), 8)
    return "█" * whole + (" ▏▎▍▌▋▊▉"[rest] if rest else "")


def calls(
    session: Session,
    wanted: Wanted,
    *,
    outcome: Annotated[
        list[Outcome] | None, typer.Option(help="Only calls that ended so; repeatable.")
    ] = None,
    page: PageOption = 1,
    page_size: PageSizeOption = 50,
) -> Answer:
    """List single calls, newest first.

    \b
    Examples:
      aimesh usage calls --key search-production --since 24h
      aimesh usage calls --outcome upstream_failed --json
    """
    query = {**wanted.query(), "outcome": [one.value for one in outcome] if outcome else None}
    found = session.client.page("/usage/calls", query, number=page, size=page_size)
    return Answer(
        data=found.rows,
        people=[_call_row(row) for row in found.rows],
        columns=("at", "outcome", "key", "model", "tokens", "cost", "first byte", "took", "id"),
        title="Calls",
        note="" if found.rows else "No call in this time.",
    )


def _call_row(row: Document) -> Document:
    return {
        "at": time_text(row["at"]),
        "outcome": row["outcome"],
        "key": row["key_alias"],
        "model": row["model"] or row["model_asked"],
        "tokens": f"{row['tokens']}{' (estimated)' if row['estimated'] else ''}",
        "cost": "" if row["cost"] is None else f"{row['cost']} {row['currency']}",
        "first byte": "" if row["ttft_ms"] is None else f"{row['ttft_ms']:.0f} ms",
        "took": f"{row['duration_ms']:.0f} ms",
        "id": row["id"],
    }


def show(
    session: Session,
    request_id: Annotated[str, typer.Argument(metavar="ID", help="x-request-id of the call.")],
) -> Answer:
    """Show everything that is known of one call.

    \b
    Examples:
      aimesh usage show 0190f2a4c1de5f3b00000001
    """
    row = session.client.get(f"/usage/calls/{segment(request_id)}").data
    return Answer(data=row, title=request_id)


def export(
    session: Session,
    wanted: Wanted,
    *,
    file: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="FILE", help="usage.csv or usage.xlsx; - for CSV on stdout."),
    ],
    view: Annotated[View, typer.Option(help="What the file is of.")] = View.BREAKDOWN,
    by: Annotated[
        str,
        typer.Option(
            metavar="WHAT",
            help="Of a breakdown: model, tenant, key, user, details; of a trend: source, model.",
        ),
    ] = "",
    grain: Annotated[str, typer.Option(metavar="GRAIN", help="whole, day or hour.")] = "",
    metric: Annotated[Metric, typer.Option(help="Of a trend or a ranking.")] = Metric.TOKENS,
) -> Answer:
    """Write usage to a file: CSV or XLSX, as its name ends.

    \b
    Examples:
      aimesh usage export -o november.xlsx --since 2026-11-01 --until 2026-11-30 --by details
      aimesh usage export -o - --view calls --since 24h
    """
    is_stdout = str(file) == "-"
    ending = ".csv" if is_stdout else file.suffix.lower()
    if ending not in (".csv", ".xlsx"):
        raise Misused("the file's name ends in .csv or .xlsx")
    query = {
        **wanted.query(),
        "view": view.value,
        "by": by or None,
        "grain": grain or None,
        "metric": metric.value,
        "format": ending[1:],
    }
    if is_stdout:
        session.client.download("/usage/export", query, sys.stdout.buffer)
        raise typer.Exit
    size = _download(session, query, file)
    return Answer(data={"file": str(file), "bytes": size}, text=f"{file}: {size} bytes")


def _download(session: Session, query: Query, output: Path) -> int:
    """Appears whole or not at all."""
    fresh = output.with_name(f".{output.name}.part")
    try:
        with fresh.open("wb") as sink:
            session.client.download("/usage/export", query, sink)
            size = sink.tell()
        fresh.replace(output)
    except OSError as error:
        raise Refused(f"{output} cannot be written: {(error.strerror or 'unknown').lower()}") from error
    finally:
        fresh.unlink(missing_ok=True)
    return size
