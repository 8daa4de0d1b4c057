"""How the command talks: tables for people, JSON for programs, one clear line for an error."""

import json
import sys
from collections.abc import Sequence
from typing import NoReturn

import typer
from rich.console import Console
from rich.table import Table

from aimesh.catalog.problem import ConfigError


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
    table = Table(title=title, title_justify="left", header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*row)
    Console().print(table)


def show_json(value: object) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))
