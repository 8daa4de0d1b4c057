"""``aimesh token``: tokens with which programs use the admin API."""

from typing import Annotated

import typer

from aimesh.cli import parse
from aimesh.cli.client import segment
from aimesh.cli.connect import Session, command
from aimesh.cli.faults import Refused
from aimesh.cli.key_rows import time_text
from aimesh.cli.options import YesOption
from aimesh.cli.output import Answer
from aimesh.core.clock import SystemClock
from aimesh.store.people import Role

app = typer.Typer(no_args_is_help=True)


@app.callback()
def tokens() -> None:
    """Tokens of the admin API, for programs."""


@command(app, "list")
def list_tokens(session: Session) -> Answer:
    """List tokens, masked."""
    rows = list(session.client.rows("/tokens"))
    return Answer(
        data=rows,
        people=[
            {
                "name": row["name"],
                "token": row["masked"],
                "role": row["role"],
                "expires": time_text(row["expires_at"]) or "never",
                "last used": time_text(row["last_used_at"]),
                "created": time_text(row["created_at"]),
            }
            for row in rows
        ],
        columns=("name", "token", "role", "expires", "last used", "created"),
        title="Tokens of the admin API",
    )


@command(app)
def create(
    session: Session,
    name: Annotated[str, typer.Argument(help="Unique name, for example ci.")],
    *,
    role: Annotated[
        Role | None,
        typer.Option(
            case_sensitive=False,
            help="What it may do, at most what you may; default: AI_GATEWAY_ADMIN, or yours where that is less.",
        ),
    ] = None,
    expires: Annotated[
        str, typer.Option(metavar="TIME", help="Day or time it ends, ISO 8601; default: never.")
    ] = "",
    days: Annotated[int | None, typer.Option(min=1, help="Or the days until then.")] = None,
) -> Answer:
    """Make a token and print it. It is shown only here.

    \b
    Examples:
      aimesh token create ci --days 90 > token
      aimesh key list --url https://ai.example.com --token-file token
    """
    if role is None:
        role = Role.AI_GATEWAY_ADMIN.at_most(Role(session.client.get("/session").data["role"]))
    body = {"name": name, "role": role.value}
    expires_at = parse.read_expiry(expires, days, SystemClock().wall_s())
    made = session.client.send(
        "POST", "/tokens", body | ({"expires_at": expires_at} if expires_at else {})
    ).data
    return Answer(data=made, text=made["text"])


@command(app)
def delete(
    session: Session,
    name: Annotated[str, typer.Argument(help="Name or id of the token.")],
    *,
    yes: YesOption = False,
) -> Answer:
    """Delete a token; what it was used for is refused from then on."""
    token = next((row for row in session.client.rows("/tokens") if name in (row["name"], row["id"])), None)
    if token is None:
        raise Refused(f"there is no token {name!r}; aimesh token list shows all", code="TOKEN_NOT_FOUND")
    session.confirm(f"Delete the token {token['name']!r}?", yes=yes)
    session.client.send("DELETE", f"/tokens/{segment(token['id'])}")
    return Answer(
        data={"id": token["id"], "name": token["name"], "deleted": True}, text=f"{token['name']} is deleted"
    )
