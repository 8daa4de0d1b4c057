"""``aimesh member``: the people of a tenant, and what they may do."""

from typing import Annotated

import typer

from aimesh.cli.client import segment
from aimesh.cli.connect import Session, command
from aimesh.cli.faults import Refused
from aimesh.cli.key_rows import time_text
from aimesh.cli.options import YesOption, etag_of
from aimesh.cli.output import Answer, Document
from aimesh.store.people import Role

app = typer.Typer(no_args_is_help=True)

UserArgument = Annotated[
    str, typer.Argument(metavar="USER", help="Username or id; aimesh member list shows all.")
]
RoleArgument = Annotated[
    Role,
    typer.Argument(
        case_sensitive=False,
        help="MEMBER: own keys; AI_GATEWAY_ADMIN: a tenant; PLATFORM_ADMIN: the installation.",
    ),
]


@app.callback()
def members() -> None:
    """People: who they are and what they may do."""


@command(app, "list")
def list_members(
    session: Session,
    *,
    search: Annotated[str, typer.Option(help="Only those with this in a name or address.")] = "",
    role: Annotated[
        Role | None, typer.Option(case_sensitive=False, help="Only those with this role.")
    ] = None,
) -> Answer:
    """List the members of a tenant.

    \b
    Examples:
      aimesh member list --role AI_GATEWAY_ADMIN
    """
    rows = list(session.client.rows("/members", {"search": search or None, "role": role}))
    return Answer(
        data=rows,
        people=[
            {
                "username": row["username"],
                "role": row["role"],
                "enabled": row["enabled"],
                "name": row["display_name"],
                "email": row["email"],
                "last sign-in": time_text(row["last_login_at"]),
                "updated": time_text(row["updated_at"]),
            }
            for row in rows
        ],
        columns=("username", "role", "enabled", "name", "email", "last sign-in", "updated"),
        title="Members",
    )


@command(app)
def add(
    session: Session,
    username: Annotated[str, typer.Argument(help="What they sign in with.")],
    *,
    role: Annotated[
        Role, typer.Option(case_sensitive=False, help="What they may do; aimesh member role changes it.")
    ] = Role.MEMBER,
    name: Annotated[str, typer.Option(help="As people read it.")] = "",
    email: Annotated[str, typer.Option(help="For single sign-on.")] = "",
    no_link: Annotated[
        bool, typer.Option("--no-link", help="No link: they sign in by single sign-on.")
    ] = False,
) -> Answer:
    """Add a member, and print the one-time link with which they set their password.

    \b
    Examples:
      aimesh member add lin --name 'Lin Yue' --email lin@example.com
      aimesh member add ops --role AI_GATEWAY_ADMIN
    """
    body = {"username": username, "role": role.value, "display_name": name, "email": email}
    made = session.client.send("POST", "/members", body).data
    if no_link:
        return Answer(data=made, text=f"{made['username']} is added")
    return _link_answer(made, session.client.send("POST", f"{_path(made)}/password-link").data)


@command(app)
def role(session: Session, user: UserArgument, role: RoleArgument) -> Answer:
    """Give a member another role.

    \b
    Examples:
      aimesh member role lin AI_GATEWAY_ADMIN
    """
    member = find_member(session, user)
    changed = session.client.send("PATCH", _path(member), {"role": role.value}, etag=etag_of(member)).data
    return Answer(data=changed, text=f"{changed['username']} is {changed['role']}")


@command(app)
def remove(session: Session, user: UserArgument, *, yes: YesOption = False) -> Answer:
    """Remove a member: sessions and tokens end, the keys stay."""
    member = find_member(session, user)
    session.confirm(f"Remove {member['username']!r} and their permissions?", yes=yes)
    gone = session.client.send("DELETE", _path(member), etag=etag_of(member)).data
    data = {"id": member["id"], "username": member["username"], "removed": True}
    keys = [one["alias"] for one in gone["keys"]]
    note = f"Their keys stay: {', '.join(keys)}." if keys else ""
    return Answer(data=data | {"keys": keys}, text=f"{member['username']} is removed", note=note)


@command(app, "password-link")
def password_link(session: Session, user: UserArgument) -> Answer:
    """Print a one-time link with which a member sets a new password."""
    member = find_member(session, user)
    link = session.client.send("POST", f"{_path(member)}/password-link").data
    return _link_answer(member, link)


def find_member(session: Session, name: str) -> Document:
    """By username or id. Raises ``Refused``."""
    for row in session.client.rows("/members"):
        if name.casefold() == row["username"] or name == row["id"]:
            return row
    raise Refused(f"there is no member {name!r}; aimesh member list shows all", code="MEMBER_NOT_FOUND")


def _link_answer(member: Document, link: Document) -> Answer:
    data = {name: member[name] for name in ("id", "username", "role")}
    return Answer(
        data=data | {"link": link["url"], "expires_at": link["expires_at"]},
        text=link["url"],
        note=f"{member['username']} sets a password with this link: once, until {time_text(link['expires_at'])} UTC.",
    )


def _path(member: Document) -> str:
    return f"/members/{segment(member['id'])}"
