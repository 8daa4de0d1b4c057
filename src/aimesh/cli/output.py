"""How the command talks: tables for people, JSON, JSON lines and CSV for programs, one clear line for an error.

1. A machine format prints one document on stdout, also when the command failed: ``{"error": {"code", "message"}}``.
2. For people, results go to stdout and everything else to stderr, so that ``$(aimesh key get x)`` is the key.
3. Whatever others wrote (names, messages) reaches a terminal without control characters and without markup.
"""

import csv
import io
import json
import sys
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, NoReturn

import typer
from msgspec import Struct
from rich.console import Console
from rich.table import Table
from rich.text import Text

from aimesh.catalog.problem import ConfigError
from aimesh.cli.faults import CommandFault, Misused

Document = dict[str, Any]
"""A JSON object of the admin API or of an answer."""


class Format(StrEnum):
    TABLE = "table"
    """For people; tab-separated on a pipe."""
    JSON = "json"
    """``{"data": ..., "count": n, "time_ms": n}``."""
    JSONL = "jsonl"
    """One object a line."""
    CSV = "csv"


class Style(Struct, frozen=True):
    """How one command prints."""

    format: Format = Format.TABLE
    fields: tuple[str, ...] = ()
    """Only these, in this order; ``a.b`` is the member b of a. Empty: all, or the usual columns of a table."""
    is_bare: bool = False
    """JSON without the envelope."""


class Answer(Struct, frozen=True):
    """What a command found or did."""

    data: Document | list[Document]
    people: Document | list[Document] | None = None
    """The same in the words of people: lines of a table, or one thing field by field. None: as it is."""
    columns: tuple[str, ...] = ()
    """Fields that a table shows; empty: all."""
    title: str = ""
    text: str = ""
    """What people read instead of a table."""
    note: str = ""
    """A further line for people, on stderr."""
    is_failure: bool = False
    """A part of it did not work: exit code 1."""
    total: int | None = None
    """How many there are, where ``data`` is one page of them."""


def show_answer(answer: Answer, style: Style, time_ms: int) -> None:
    """Prints it. Raises ``Misused`` for a field that the data does not have."""
    is_list = isinstance(answer.data, list)
    rows = answer.data if isinstance(answer.data, list) else [answer.data]
    if style.fields:
        _check_fields(rows, style.fields)
        rows = [{name: field_of(row, name) for name in style.fields} for row in rows]
    match style.format:
        case Format.JSON:
            data = rows if is_list else rows[0]
            envelope: Document = {"data": data}
            if is_list:
                envelope["count"] = len(rows)
                if answer.total is not None:
                    envelope["total"] = answer.total
            show_json(data if style.is_bare else envelope | {"time_ms": time_ms})
        case Format.JSONL:
            for row in rows:
                typer.echo(json.dumps(row, ensure_ascii=False))
        case Format.CSV:
            typer.echo(_csv(rows, style.fields or answer.columns), nl=False)
        case Format.TABLE if answer.text and not style.fields:
            typer.echo(answer.text)
        case Format.TABLE if isinstance(answer.people, dict) and not style.fields:
            _show_upright(answer.title, answer.people)
        case Format.TABLE if not is_list and (answer.people is None or style.fields):
            _show_upright(answer.title, rows[0])
        case Format.TABLE:
            if isinstance(answer.people, list) and not style.fields:
                rows = answer.people
            columns = style.fields or answer.columns or tuple(_all_fields(rows))
            show_table(
                answer.title, columns, [[cell(field_of(row, name)) for name in columns] for row in rows]
            )
    if answer.note and style.format is Format.TABLE:
        typer.echo(_safe(answer.note), err=True)


def show_fault(fault: CommandFault, style: Style) -> None:
    """Prints why it did not work."""
    if style.format is Format.TABLE:
        for line in (fault.message, *(f"  {detail}" for detail in fault.details)):
            typer.secho(_safe(line), err=True, fg=typer.colors.RED)
        return
    error: Document = {"code": fault.code, "message": fault.message}
    if fault.details:
        error["details"] = list(fault.details)
    if style.format is Format.JSON:
        show_json({"error": error})
    else:
        typer.echo(json.dumps({"error": error}, ensure_ascii=False))


def field_of(row: Document, name: str) -> Any:
    """The member of that name; ``a.b`` looks into a. None where there is none."""
    if name in row:
        return row[name]
    value: Any = row
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def cell(value: Any) -> str:
    """A value as a table or a CSV file shows it."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case list() if all(isinstance(one, str) for one in value):
            return _safe(", ".join(value))
        case list() | dict():
            return _safe(json.dumps(value, ensure_ascii=False)) if value else ""
        case _:
            return _safe(str(value))


def fail(message: str, *, code: int = 1) -> NoReturn:
    """Ends the command with a message on stderr."""
    typer.secho(message, err=True, fg=typer.colors.RED)
    raise typer.Exit(code)


def fail_config(error: ConfigError) -> NoReturn:
    for problem in error.problems:
        typer.secho(str(problem), err=True, fg=typer.colors.RED)
    count = len(error.problems)
    fail(f"{count} problem{'s' if count > 1 else ''}; nothing was started")


def show_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table; on a pipe it is plain tab-separated text, so that ``cut`` and ``awk`` work."""
    if not sys.stdout.isatty():
        typer.echo("\t".join(columns))
        for row in rows:
            typer.echo("\t".join(row))
        return
    table = Table(title=Text(title), title_justify="left", header_style="bold")
    for column in columns:
        table.add_column(Text(column), overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    Console().print(table)


def show_json(value: object) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def _show_upright(title: str, row: Document) -> None:
    show_table(title, ("field", "value"), [(name, cell(value)) for name, value in row.items()])


def _check_fields(rows: Sequence[Document], fields: Sequence[str]) -> None:
    if not rows:
        return
    known = _all_fields(rows)
    for name in fields:
        if name not in known and name.partition(".")[0] not in known:
            raise Misused(f"there is no field {name!r}; --field takes: {', '.join(known)}")


def _all_fields(rows: Sequence[Document]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


def _csv(rows: Sequence[Document], columns: Sequence[str]) -> str:
    names = list(columns) if not rows else _all_fields(rows)
    if not names:
        return ""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(names)
    for row in rows:
        writer.writerow([cell(row.get(name)) for name in names])
    return buffer.getvalue()


def _safe(text: str) -> str:
    return text if text.isprintable() else "".join(one if one.isprintable() else " " for one in text)
