"""``aimesh usage reprice``: price again what was priced.

The API prices some thousands of records an answer; this asks until all are done. Breaking off loses nothing: what was
done stays, and the same command does the rest.
"""

from decimal import Decimal
from typing import Annotated

import typer

from aimesh.cli import parse
from aimesh.cli.connect import Session
from aimesh.cli.output import Answer, Document
from aimesh.core.clock import SystemClock
from aimesh.core.money import plain

_COLUMNS = ("endpoint", "records", "cost before", "cost after", "list before", "list after", "unpriced")


def reprice(
    session: Session,
    *,
    since: Annotated[
        str, typer.Option(metavar="TIME", help="Calls from then on: ISO 8601, or how long ago: 24h, 7d.")
    ],
    until: Annotated[str, typer.Option(metavar="TIME", help="Calls before then; default: now.")] = "",
    endpoint: Annotated[str, typer.Option(metavar="NAME", help="Only of this endpoint.")] = "",
    version: Annotated[
        str,
        typer.Option(
            metavar="ID",
            help="By this version of a price, see aimesh price list, instead of today's; needs --endpoint.",
        ),
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change.")] = False,
) -> Answer:
    """Price usage again, by the prices and discounts that are known now; without --tenant, every tenant's.

    \b
    Examples:
      aimesh usage reprice --since 2026-11-01 --dry-run
      aimesh usage reprice --since 7d --tenant research
    """
    now_s = SystemClock().wall_s()
    body: Document = {
        "since": parse.read_moment(since, now_s),
        "until": parse.read_moment(until, now_s) if until else None,
        "endpoint": endpoint,
        "version": version,
        "dry_run": dry_run,
    }
    total: Document = {"examined": 0, "changed": 0, "kept": 0, "endpoints": []}
    while True:
        answer = session.client.send("POST", "/usage/reprice", body).data
        total = _added(total, answer)
        body["cursor"] = answer["next_cursor"]
        if body["cursor"] is None:
            break
    verb = "would change" if dry_run else "changed"
    said = f"{total['changed']} of {total['examined']} records {verb}"
    if total["kept"]:
        said += f"; {total['kept']} are of endpoints that are gone, and keep their price"
    if not total["endpoints"]:
        return Answer(data=total, text=said)
    return Answer(
        data=total,
        people=[_row(one) for one in total["endpoints"]],
        columns=_COLUMNS,
        title="Usage priced again" + (" (dry run)" if dry_run else ""),
        note=said,
    )


def _added(one: Document, other: Document) -> Document:
    known: dict[str, Document] = {row["endpoint"]: row for row in one["endpoints"]}
    for row in other["endpoints"]:
        before = known.get(row["endpoint"])
        known[row["endpoint"]] = row if before is None else _added_row(before, row)
    counts = {name: one[name] + other[name] for name in ("examined", "changed", "kept")}
    return {**counts, "endpoints": [known[name] for name in sorted(known)]}


def _added_row(one: Document, other: Document) -> Document:
    return {
        "endpoint": one["endpoint"],
        "records": one["records"] + other["records"],
        **{
            when: {
                "cost": _added_amounts(one[when]["cost"], other[when]["cost"]),
                "list": _added_amounts(one[when]["list"], other[when]["list"]),
                "unpriced": one[when]["unpriced"] + other[when]["unpriced"],
            }
            for when in ("before", "after")
        },
    }


def _added_amounts(one: dict[str, str], other: dict[str, str]) -> dict[str, str]:
    return {
        currency: plain(Decimal(one.get(currency, "0")) + Decimal(other.get(currency, "0")))
        for currency in sorted(one.keys() | other.keys())
    }


def _row(one: Document) -> Document:
    before, after = one["before"], one["after"]
    return {
        "endpoint": one["endpoint"],
        "records": one["records"],
        "cost before": _amounts(before["cost"]),
        "cost after": _amounts(after["cost"]),
        "list before": _amounts(before["list"]),
        "list after": _amounts(after["list"]),
        "unpriced": f"{before['unpriced']} to {after['unpriced']}",
    }


def _amounts(amounts: dict[str, str]) -> str:
    return ", ".join(f"{amount} {currency}" for currency, amount in amounts.items())
