"""``aimesh usage``: what was called, read from the journal of this machine."""

import time
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from aimesh.cli.inspect import ConfigOption, load_settings
from aimesh.core.record import UsageRecord, encode_record
from aimesh.store.reader import JournalReader

app = typer.Typer(no_args_is_help=True)

POLL_S = 0.3


@app.callback()
def usage() -> None:
    """Usage records: what was called, by whom, with what result."""


@app.command()
def tail(
    config: ConfigOption = None,
    *,
    home: Annotated[Path | None, typer.Option(help="Home directory, when no configuration names it.")] = None,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="How many of the last records.")] = 20,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with new records.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a line, with every field.")
    ] = False,
) -> None:
    """Show the last usage records, and new ones as they come."""
    directory = home / "journal" if home is not None else load_settings(config).journal_directory
    reader = JournalReader(directory)
    records: list[UsageRecord] = []
    while chunk := reader.read():
        records = (records + chunk)[-lines:]
    for record in records:
        _show(record, as_json=as_json)
    if not records and not follow:
        typer.echo(f"no record yet in {directory}", err=True)
    while follow:
        chunk = reader.read()
        for record in chunk:
            _show(record, as_json=as_json)
        if not chunk:
            time.sleep(POLL_S)


def _show(record: UsageRecord, *, as_json: bool) -> None:
    if as_json:
        typer.echo(encode_record(record))
        return
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.at))
    used = msgspec.to_builtins(record.usage)
    units = " ".join(f"{name}={value}" for name, value in used.items() if name != "reported" and value)
    mark = "" if record.usage.reported or not units else " (estimated)"
    ttft = f" ttft={record.ttft_ms:.0f}ms" if record.ttft_ms is not None else ""
    tries = f" attempts={len(record.attempts)}" if len(record.attempts) > 1 else ""
    typer.echo(
        f"{at} {record.outcome:<16} {record.key_alias} {record.endpoint or record.model} "
        f"{units}{mark}{ttft} {record.duration_ms:.0f}ms{tries} {record.id}"
    )
