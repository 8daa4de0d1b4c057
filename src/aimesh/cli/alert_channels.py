"""``aimesh alert channel``: webhooks, robots and mailboxes that alerts go to.

1. An address holds a token, so it is as secret as what is signed with. Both are read from files, a pipe or the
   keyboard, are never on the command line and never printed.
2. A change sends the channel as it is with what was said; secrets of which nothing was said stay.
"""

from pathlib import Path
from typing import Annotated

import typer

from aimesh.cli.client import segment
from aimesh.cli.connect import Options, Session, command
from aimesh.cli.faults import Misused, Refused
from aimesh.cli.options import YesOption, etag_of
from aimesh.cli.output import Answer, Document
from aimesh.core.alert_kind import ChannelKind

app = typer.Typer(no_args_is_help=True)
PATH = "/alert-channels"

ChannelArgument = Annotated[str, typer.Argument(metavar="NAME", help="Name of the channel, or its id.")]
AddressFileOption = Annotated[
    Path | None,
    typer.Option(
        "--address-file",
        metavar="FILE",
        help="File with the URL of the webhook or robot; default: asked for, or the first line of a pipe.",
    ),
]
SecretFileOption = Annotated[
    Path | None,
    typer.Option(
        "--secret-file",
        metavar="FILE",
        help="File with what is signed with, or the mail server's password; default: asked for, or the next line"
        " of a pipe.",
    ),
]
NewAddressFileOption = Annotated[
    Path | None, typer.Option("--address-file", metavar="FILE", help="File with a new URL; - reads a pipe.")
]
NewSecretFileOption = Annotated[
    Path | None,
    typer.Option("--secret-file", metavar="FILE", help="File with a new secret or password; - reads a pipe."),
]
_FROM_PIPE = Path("-")


class MailOptions(Options, frozen=True, kw_only=True):
    """Of a mailbox."""

    host: Annotated[str, typer.Option(metavar="HOST", help="smtp: the mail server.")] = ""
    port: Annotated[int | None, typer.Option(min=1, max=65_535, help="smtp: its port; default: 587.")] = None
    security: Annotated[
        str, typer.Option(metavar="starttls|tls|none", help="smtp: how it is encrypted; default: starttls.")
    ] = ""
    username: Annotated[str, typer.Option(metavar="NAME", help="smtp: who signs in; empty: nobody.")] = ""
    sender: Annotated[str, typer.Option(metavar="ADDRESS", help="smtp: whom the mail is from.")] = ""
    to: Annotated[
        list[str] | None, typer.Option(metavar="ADDRESS", help="smtp: who gets it; repeatable.")
    ] = None

    def body(self) -> Document:
        """What was said."""
        given: Document = {
            "host": self.host,
            "port": self.port,
            "security": self.security,
            "username": self.username,
            "sender": self.sender,
            "recipients": self.to,
        }
        return {name: value for name, value in given.items() if value}


PrivateOption = Annotated[
    bool | None,
    typer.Option(
        "--allow-private/--no-private",
        help="Whether a webhook may lead to this machine or its network, and mail go unencrypted.",
    ),
]


@app.callback()
def channels() -> None:
    """Channels: where alerts go."""


@command(app, "list")
def list_channels(session: Session) -> Answer:
    """List the channels, without what they keep secret."""
    rows = session.client.get(PATH).data["data"]
    return Answer(
        data=rows,
        people=[_row(row) for row in rows],
        columns=("name", "kind", "to", "enabled", "id"),
        title="Channels",
    )


@command(app)
def add(
    session: Session,
    name: Annotated[str, typer.Argument(help="Name that rules call it by.")],
    kind: Annotated[
        ChannelKind, typer.Argument(help="webhook gets JSON; smtp is mail; the others are robots.")
    ],
    *,
    address_file: AddressFileOption = None,
    secret_file: SecretFileOption = None,
    mail: MailOptions,
    allow_private: PrivateOption = None,
    disabled: Annotated[
        bool, typer.Option("--disabled", help="Keep it, and tell nobody over it yet.")
    ] = False,
) -> Answer:
    """Add a webhook, a robot or a mailbox. What is secret is asked for, or read from a pipe or files.

    The address of a robot holds its token: it is a secret too. A robot of WeCom has no other one, and for the rest an
    empty line means none. A mailbox has a password where --username is given.

    \b
    Examples:
      aimesh alert channel add on-call dingtalk
      printf '%s\\n%s\\n' "$ROBOT_URL" "$ROBOT_SECRET" | aimesh alert channel add on-call feishu
      aimesh alert channel add hook webhook --address-file url.txt --secret-file secret.txt
      aimesh alert channel add mail smtp --host mx.example.com --sender bot@example.com --to ops@example.com
    """
    body: Document = {"name": name, "kind": kind.value, "enabled": not disabled, **_private(allow_private)}
    is_mail = kind is ChannelKind.SMTP
    if is_mail:
        if address_file is not None:
            raise Misused("a mailbox has no address of that kind: give --host, --sender and --to")
        body |= mail.body()
    elif mail.body():
        raise Misused(f"{_words(mail.body())}: only smtp has that")
    else:
        body["url"] = _read(address_file, "Address", is_needed=True)
    if secret_file is not None or (mail.username if is_mail else kind is not ChannelKind.WECOM):
        secret = _read(secret_file, "Password" if is_mail else "Secret (empty: none)", is_needed=is_mail)
        body |= {"secret": secret} if secret else {}
    made = session.client.send("POST", PATH, body).data
    return Answer(data=made, text=f"{made['name']} is kept: {made['id']}", note=_hint(made))


@command(app, "set")
def set_channel(
    session: Session,
    channel: ChannelArgument,
    *,
    rename: Annotated[str, typer.Option(metavar="NAME", help="A new name.")] = "",
    enabled: Annotated[
        bool | None, typer.Option("--enable/--disable", help="Whether anybody is told over it.")
    ] = None,
    address_file: NewAddressFileOption = None,
    secret_file: NewSecretFileOption = None,
    mail: MailOptions,
    allow_private: PrivateOption = None,
) -> Answer:
    """Change a channel. What is not said stays, secrets too.

    \b
    Examples:
      aimesh alert channel set on-call --disable
      aimesh alert channel set on-call --secret-file new-secret.txt
      aimesh alert channel set mail --to ops@example.com --to lead@example.com
    """
    known = find_channel(session, channel)
    is_mail = known["kind"] == ChannelKind.SMTP.value
    changes: Document = {**_private(allow_private), **mail.body()}
    if rename:
        changes["name"] = rename
    if enabled is not None:
        changes["enabled"] = enabled
    if is_mail and address_file is not None:
        raise Misused(f"{known['name']} is a mailbox, which has no address of that kind")
    if not is_mail and mail.body():
        raise Misused(f"{_words(mail.body())}: only a mailbox has that, and {known['name']} is none")
    if is_mail and mail.host and known["username"] and secret_file is None:
        raise Misused("the password is for the server that it was given for: give --secret-file as well")
    for field, file in (("url", address_file), ("secret", secret_file)):
        if file is not None:
            changes[field] = _read(None if file == _FROM_PIPE else file, "", is_needed=True)
    if not changes:
        raise Misused("what is to change? For example --disable, or --secret-file")
    body = {field: known[field] for field in ("name", "kind", "enabled", "allow_private")}
    if is_mail:
        body |= {
            field: known[field] for field in ("host", "port", "security", "username", "sender", "recipients")
        }
    changed = session.client.send("PUT", _item(known), body | changes, etag=etag_of(known)).data
    return Answer(data=changed, text=f"{changed['name']} is changed")


@command(app)
def test(session: Session, channel: ChannelArgument) -> Answer:
    """Send a test notice, and say whether it was taken. Exit code 1: it was not."""
    known = find_channel(session, channel)
    result = session.client.send("POST", f"{_item(known)}/test").data
    text = (
        f"{known['name']} took it"
        if result["ok"]
        else f"{known['name']} did not take it: {result['message']}"
    )
    return Answer(data=result, text=text, is_failure=not result["ok"])


@command(app)
def delete(session: Session, channel: ChannelArgument, *, yes: YesOption = False) -> Answer:
    """Delete a channel that no rule names."""
    known = find_channel(session, channel)
    session.confirm(f"Delete the channel {known['name']!r}?", yes=yes)
    session.client.send("DELETE", _item(known))
    return Answer(
        data={"id": known["id"], "name": known["name"], "deleted": True}, text=f"{known['name']} is deleted"
    )


def find_channel(session: Session, name: str) -> Document:
    rows: list[Document] = session.client.get(PATH).data["data"]
    for row in rows:
        if name in (row["name"], row["id"]):
            return row
    raise Refused(
        f"there is no channel {name!r}; aimesh alert channel list shows all", code="ALERT_CHANNEL_NOT_FOUND"
    )


def _read(file: Path | None, prompt: str, *, is_needed: bool) -> str:
    """From a file, else from the keyboard, else the next line of the pipe."""
    stdin = typer.get_text_stream("stdin")
    if file is not None:
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise Misused(f"{file} cannot be read: {error}") from error
    elif stdin.isatty():
        text = str(typer.prompt(prompt, hide_input=True, err=True, default="", show_default=False))
    else:
        text = stdin.readline()
    text = text.strip()
    if is_needed and not text:
        raise Misused(f"nothing was given for: {prompt or 'a new secret'}. Pipe it in, or give a file")
    return text


def _private(allowed: bool | None) -> Document:
    return {} if allowed is None else {"allow_private": allowed}


def _words(given: Document) -> str:
    names = {"recipients": "to"}
    return ", ".join(f"--{names.get(name, name)}" for name in given)


def _hint(made: Document) -> str:
    return f"aimesh alert channel test {made['name']} sends a test notice."


def _item(row: Document) -> str:
    return f"{PATH}/{segment(row['id'])}"


def _row(row: Document) -> Document:
    recipients = ", ".join(row["recipients"])
    return {
        "name": row["name"],
        "kind": row["kind"],
        "to": f"{recipients} by {row['host']}" if recipients else row["host"],
        "enabled": row["enabled"],
        "id": row["id"],
    }
