"""``aimesh audit``: who changed what."""

import json
from typing import Annotated

import typer

from aimesh.cli import parse
from aimesh.cli.connect import Session, command
from aimesh.cli.key_rows import time_text
from aimesh.cli.options import PageOption, PageSizeOption, page_note
from aimesh.cli.output import Answer
from aimesh.core.clock import SystemClock

app = typer.Typer(no_args_is_help=True)


@app.callback()
def audit() -> None:
    """The audit log: who changed what."""


@command(app, "list")
def list_audit(
    session: Session,
    *,
    actor: Annotated[str, typer.Option(help="Only what this person or token did.")] = "",
    action: Annotated[str, typer.Option(help="Only this: key.create, or key for all about keys.")] = "",
    target: Annotated[str, typer.Option(help="Only what was done to the thing of this name or id.")] = "",
    since: Annotated[str, typer.Option(metavar="TIME", help="ISO 8601, or how long ago: 24h, 7d.")] = "",
    until: Annotated[str, typer.Option(metavar="TIME", help="As --since.")] = "",
    page: PageOption = 1,
    page_size: PageSizeOption = 50,
) -> Answer:
    """List changes, newest first.

    \b
    Examples:
      aimesh audit list --action key --since 7d
      aimesh audit list --target search-production --format jsonl
    """
    now_s = SystemClock().wall_s()
    query = {
        "actor": actor or None,
        "action": action or None,
        "target": target or None,
        "since": parse.read_moment(since, now_s) if since else None,
        "until": parse.read_moment(until, now_s) if until else None,
    }
    found = session.client.page("/audit", query, number=page, size=page_size)
    return Answer(
        data=found.rows,
        people=[
            {
                "at": time_text(row["at"]),
                "who": row["actor"]["name"],
                "action": row["action"],
                "target": row["target"]["name"],
                "changes": json.dumps(row["changes"], ensure_ascii=False) if row["changes"] else "",
                "from": row["ip"],
            }
            for row in found.rows
        ],
        columns=("at", "who", "action", "target", "changes", "from"),
        title="Audit log",
        note=page_note(page, len(found.rows), found.total, "changes"),
        total=found.total,
    )
