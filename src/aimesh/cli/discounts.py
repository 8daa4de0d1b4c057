"""``aimesh discount``: what tenants pay of the list prices."""

from typing import Annotated

import typer

from aimesh.catalog.price_discount import Scope
from aimesh.cli import parse
from aimesh.cli.client import segment
from aimesh.cli.connect import Session, command
from aimesh.cli.faults import Misused
from aimesh.cli.key_rows import time_text
from aimesh.cli.options import YesOption, etag_of
from aimesh.cli.output import Answer, Document
from aimesh.core.clock import SystemClock

app = typer.Typer(no_args_is_help=True)

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="Id of the discount.")]
SinceOption = Annotated[
    str, typer.Option(metavar="TIME", help="Holds for calls from then on: ISO 8601; default: now.")
]
UntilOption = Annotated[str, typer.Option(metavar="TIME", help="Holds for calls before then.")]


@app.callback()
def discounts() -> None:
    """Discounts: what a tenant (--tenant) pays of the list prices."""


@command(app, "list")
def list_discounts(session: Session) -> Answer:
    """List the discounts of a tenant. The narrowest that holds counts, alone: model, provider, all."""
    rows = list(session.client.rows("/discounts"))
    return Answer(
        data=rows,
        people=[
            {
                "id": row["id"],
                "on": f"{row['scope']} {row['name']}".strip(),
                "factor": row["factor"],
                "since": time_text(row["since"]),
                "until": time_text(row["until"]) or "for good",
            }
            for row in rows
        ],
        columns=("id", "on", "factor", "since", "until"),
        title="Discounts",
    )


@command(app)
def add(
    session: Session,
    factor: Annotated[str, typer.Argument(help="What is left of the list price: 0.8 takes a fifth off.")],
    *,
    model: Annotated[str, typer.Option(metavar="NAME", help="Only on this model.")] = "",
    provider: Annotated[str, typer.Option(metavar="ID", help="Only on this provider.")] = "",
    since: SinceOption = "",
    until: UntilOption = "",
) -> Answer:
    """Give a tenant a discount. For calls that were imported already there is aimesh usage reprice.

    \b
    Examples:
      aimesh discount add 0.8 --tenant research
      aimesh discount add 0.9 --model qwen/qwen3-max --until 2027-01-01
    """
    if model and provider:
        raise Misused("a discount is on a model or on a provider: give one of --model and --provider")
    scope = Scope.MODEL if model else Scope.PROVIDER if provider else Scope.ALL
    body: Document = {"factor": factor, "scope": scope.value, "name": model or provider}
    made = session.client.send("POST", "/discounts", body | _times(since, until)).data
    return Answer(data=made, text=f"{made['id']} holds since {time_text(made['since'])}")


@command(app, "set")
def set_discount(
    session: Session,
    discount: IdArgument,
    *,
    factor: Annotated[str, typer.Option(help="What is left of the list price.")] = "",
    since: SinceOption = "",
    until: UntilOption = "",
) -> Answer:
    """Change a discount. What was priced with it keeps its price."""
    body = _times(since, until)
    if factor:
        body["factor"] = factor
    if not body:
        raise Misused("what is to change? --factor, --since or --until")
    path = f"/discounts/{segment(discount)}"
    known = session.client.get(path).data
    changed = session.client.send("PATCH", path, body, etag=etag_of(known)).data
    return Answer(data=changed, text=f"{discount} is changed")


@command(app)
def delete(session: Session, discount: IdArgument, *, yes: YesOption = False) -> Answer:
    """Delete a discount, as if it had never held for what is imported from now on. To end it, set --until."""
    session.confirm(f"Delete the discount {discount}?", yes=yes)
    session.client.send("DELETE", f"/discounts/{segment(discount)}")
    return Answer(data={"id": discount, "deleted": True}, text=f"{discount} is deleted")


def _times(since: str, until: str) -> Document:
    now_s = SystemClock().wall_s()
    given = {"since": since, "until": until}
    return {name: parse.read_moment(text, now_s) for name, text in given.items() if text}
