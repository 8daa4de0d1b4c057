"""``aimesh price``: what the price versions in usage records mean."""

import json
from typing import Annotated

import typer

from aimesh.cli.client import segment
from aimesh.cli.connect import Session, command
from aimesh.cli.key_rows import time_text
from aimesh.cli.options import PageOption, PageSizeOption, page_note
from aimesh.cli.output import Answer

app = typer.Typer(no_args_is_help=True)


@app.callback()
def price() -> None:
    """Prices that usage was priced with, version by version."""


@command(app, "list")
def list_prices(
    session: Session,
    *,
    endpoint: Annotated[str, typer.Option(metavar="NAME", help="Only what this endpoint had first.")] = "",
    page: PageOption = 1,
    page_size: PageSizeOption = 50,
) -> Answer:
    """List versions of prices, newest first."""
    query = {"endpoint": endpoint or None}
    found = session.client.page("/price-versions", query, number=page, size=page_size)
    return Answer(
        data=found.rows,
        people=[
            {
                "version": row["version"],
                "endpoint": row["endpoint"],
                "currency": row["price"]["currency"],
                "first used": time_text(row["first_seen_at"]),
            }
            for row in found.rows
        ],
        columns=("version", "endpoint", "currency", "first used"),
        title="Versions of prices",
        note=page_note(page, len(found.rows), found.total, "versions"),
        total=found.total,
    )


@command(app)
def show(
    session: Session,
    version: Annotated[str, typer.Argument(metavar="VERSION", help="As usage records have it.")],
) -> Answer:
    """Show one version as it was written."""
    found = session.client.get(f"/price-versions/{segment(version)}").data
    return Answer(
        data=found,
        people={
            "version": found["version"],
            "endpoint": found["endpoint"],
            "first used": time_text(found["first_seen_at"]),
            "price": json.dumps(found["price"], ensure_ascii=False),
        },
        title=f"Price {version}",
    )
