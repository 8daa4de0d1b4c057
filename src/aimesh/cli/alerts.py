"""``aimesh alert``: what is wrong now, and the groups of channels and rules that say who is told of it."""

from enum import StrEnum
from typing import Annotated

import typer

from aimesh.cli import alert_channels, alert_rules
from aimesh.cli.connect import Session, command
from aimesh.cli.key_rows import time_text
from aimesh.cli.output import Answer, Document

app = typer.Typer(no_args_is_help=True)
app.add_typer(alert_channels.app, name="channel")
app.add_typer(alert_rules.app, name="rule")


class Status(StrEnum):
    FIRING = "firing"
    RESOLVED = "resolved"


@app.callback()
def alerts() -> None:
    """Alerts: what is wrong, who is told of it, and when. For who runs the installation (PLATFORM_ADMIN)."""


@command(app, "list")
def list_alerts(
    session: Session,
    *,
    status: Annotated[Status | None, typer.Option(help="Only those that are on, or that are over.")] = None,
) -> Answer:
    """List what is on, and what was on in the last month; the latest first.

    \b
    Examples:
      aimesh alert list
      aimesh alert list --status firing --json
    """
    rows = [row for row in session.client.get("/alerts").data["data"] if status in (None, row["status"])]
    return Answer(
        data=rows,
        people=[_row(row) for row in rows],
        columns=("status", "rule", "since", "until", "message"),
        title="Alerts",
    )


def _row(row: Document) -> Document:
    return {
        "status": row["status"],
        "rule": row["rule_name"],
        "since": time_text(row["since"]),
        "until": time_text(row["resolved_at"]),
        "message": row["message"],
    }
