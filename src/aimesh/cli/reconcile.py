"""``aimesh usage reconcile``: a provider's bill against our own records."""

from pathlib import Path
from typing import Annotated

import typer

from aimesh.catalog.problem import ConfigError
from aimesh.catalog.reconcile import (
    BillError,
    BillMapping,
    Compared,
    compare,
    read_bill,
    read_mapping,
    shown,
)
from aimesh.cli.connect import Session
from aimesh.cli.faults import Misused, Refused
from aimesh.cli.inspect import read_settings
from aimesh.cli.output import Answer, Document

_COLUMNS = ("day", "model", "kind", "what", "bill", "ours", "difference")


def reconcile(
    session: Session,
    *,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The bill: CSV in UTF-8 or GBK.")],
    mapping: Annotated[
        Path, typer.Option(metavar="FILE", help="What its columns and words mean: YAML.", show_default=False)
    ],
    tenant: Annotated[str, typer.Option(metavar="ID", help="Only calls of this tenant.")] = "",
    byok: Annotated[
        bool, typer.Option("--byok", help="Calls with tenants' own credentials, instead of the platform's.")
    ] = False,
    show_all: Annotated[bool, typer.Option("--all", help="Also what agrees.")] = False,
) -> Answer:
    """Compare what a provider charges with what was recorded, and list the differences.

    It reads the database of this machine's configuration. Exit code 1: there are differences.

    \b
    Examples:
      aimesh usage reconcile bill.csv --mapping bailian.yaml
      aimesh usage reconcile bill.csv --mapping ark.yaml --all --format csv
    """
    # Here, because a database takes longer to load than --help takes to run.
    from aimesh.cli import local_reconcile  # noqa: PLC0415

    wanted = _mapping(mapping)
    try:
        bill = read_bill(_content(file), wanted)
    except BillError as error:
        raise Refused(f"{file}: {error}", code="BILL_UNREADABLE") from error
    ours = local_reconcile.our_lines(
        read_settings(session.given.config), bill, wanted, tenant=tenant, is_byok=byok
    )
    compared = compare(bill.lines, ours.lines, wanted)
    different = [one for one in compared if one.is_different]
    notes = [
        f"{len(compared)} sums compared from {bill.first_day} to {ours.last_day}, {len(different)} differ; "
        f"{bill.rows - bill.left_out} of {bill.rows} rows of the bill count"
    ]
    if bill.unmapped:
        notes.append(f"items of the bill that the mapping does not count: {', '.join(bill.unmapped)}")
    if ours.unpriced:
        notes.append(f"{ours.unpriced} of our calls have no known price")
    return Answer(
        data=[_row(one) for one in (compared if show_all else different)],
        columns=_COLUMNS,
        title="Bill and records",
        note="\n".join(notes),
        is_failure=bool(different),
    )


def _mapping(path: Path) -> BillMapping:
    try:
        return read_mapping(_content(path).decode(), str(path))
    except UnicodeDecodeError:
        raise Misused(f"{path} is not UTF-8") from None
    except ConfigError as error:
        problems = [str(problem) for problem in error.problems]
        raise Refused(f"the mapping {path} is wrong", code="MAPPING_WRONG", details=problems) from error


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Misused(f"{path} cannot be read: {error.strerror}") from error


def _row(one: Compared) -> Document:
    return {
        "day": one.day,
        "model": one.model,
        "kind": one.kind,
        "what": one.what,
        "bill": shown(one.bill),
        "ours": shown(one.ours),
        "difference": shown(one.difference),
        "is_different": one.is_different,
    }
