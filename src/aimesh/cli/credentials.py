"""``aimesh byok`` and ``aimesh credential``: secrets towards providers, of a tenant and of the platform.

1. The two are the same commands on two paths of the API.
2. A secret is read from a file, a pipe or the keyboard. It is never on the command line and never printed.
"""

from collections.abc import Callable
from typing import Annotated

import typer

from aimesh.cli.client import segment
from aimesh.cli.connect import Session, command
from aimesh.cli.faults import Refused
from aimesh.cli.key_rows import time_text
from aimesh.cli.options import SecretFileOption, YesOption, etag_of, read_secret
from aimesh.cli.output import Answer, Document

ProviderArgument = Annotated[str, typer.Argument(help="Id of the provider.")]
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Name of the credential, or its id.")]
ModelOption = Annotated[str, typer.Option(metavar="MODEL", help="Model to test with; default: a cheap one.")]
COLUMNS = ("name", "provider", "key", "enabled", "test", "created")


class Noun:
    """The commands of one kind of credential."""

    def __init__(self, path: str, word: str) -> None:
        self._path = path
        self._word = word
        self.app = typer.Typer(no_args_is_help=True)
        for name, work in self._commands().items():
            command(self.app, name)(work)

    def _commands(self) -> dict[str, Callable[..., Answer]]:
        return {
            "list": self.show,
            "add": self.add,
            "test": self.test,
            "enable": self.enable,
            "disable": self.disable,
            "rotate": self.rotate,
            "delete": self.delete,
        }

    def show(
        self,
        session: Session,
        *,
        provider: Annotated[str, typer.Option(metavar="ID", help="Only of this provider.")] = "",
    ) -> Answer:
        """List credentials, masked."""
        rows = list(session.client.rows(self._path, {"provider": provider or None}))
        return Answer(data=rows, people=[_row(row) for row in rows], columns=COLUMNS, title="Credentials")

    def add(
        self,
        session: Session,
        provider: ProviderArgument,
        name: Annotated[str, typer.Argument(help="Name that routes and records show.")],
        *,
        secret_file: SecretFileOption = None,
        disabled: Annotated[bool, typer.Option("--disabled", help="Keep it, and do not use it yet.")] = False,
        test: Annotated[
            bool, typer.Option("--test", help="Make a small real call first; keep it only if that works.")
        ] = False,
        model: ModelOption = "",
    ) -> Answer:
        """Keep a secret towards a provider. It is asked for, or read from a pipe or a file.

        \b
        Examples:
          aimesh byok add our_provider team-key --secret-file key.txt --test
          pass show provider/key | aimesh byok add our_provider team-key
        """
        secret = read_secret(secret_file, f"Secret of {provider}")
        if test:
            asked: Document = {"provider": provider, "secret": secret.reveal()}
            _require_good(session.client.send("POST", f"{self._path}/test", asked | _model(model)).data)
        body = {"provider": provider, "name": name, "secret": secret.reveal(), "enabled": not disabled}
        made = session.client.send("POST", self._path, body).data
        return Answer(data=made, text=f"{made['name']} is kept: {made['id']}")

    def test(self, session: Session, name: NameArgument, *, model: ModelOption = "") -> Answer:
        """Make a small real call with a credential, and say how it went."""
        row = self._find(session, name)
        result = session.client.send("POST", f"{self._item(row)}/test", _model(model)).data
        return Answer(data=result, text=_verdict(result), is_failure=not result["ok"])

    def enable(self, session: Session, name: NameArgument) -> Answer:
        """Use a credential."""
        return self._switch(session, name, enabled=True)

    def disable(self, session: Session, name: NameArgument) -> Answer:
        """Stop using a credential; keys whose routes name it go on without it."""
        return self._switch(session, name, enabled=False)

    def rotate(self, session: Session, name: NameArgument, *, secret_file: SecretFileOption = None) -> Answer:
        """Put a new secret in the place of the old one; name and id stay."""
        row = self._find(session, name)
        secret = read_secret(secret_file, f"New secret of {row['provider']}")
        changed = session.client.send(
            "PATCH", self._item(row), {"secret": secret.reveal()}, etag=etag_of(row)
        ).data
        return Answer(data=changed, text=f"{changed['name']} has a new secret")

    def delete(
        self,
        session: Session,
        name: NameArgument,
        *,
        force: Annotated[bool, typer.Option("--force", help="Although routes of keys name it.")] = False,
        yes: YesOption = False,
    ) -> Answer:
        """Delete a credential for good."""
        row = self._find(session, name)
        session.confirm(f"Delete the credential {row['name']!r}?", yes=yes)
        session.client.send(
            "DELETE", self._item(row), query={"force": True} if force else None, etag=etag_of(row)
        )
        return Answer(
            data={"id": row["id"], "name": row["name"], "deleted": True}, text=f"{row['name']} is deleted"
        )

    def _switch(self, session: Session, name: str, *, enabled: bool) -> Answer:
        found = session.client.get(self._item(self._find(session, name)))
        changed = session.client.send(
            "PATCH", self._item(found.data), {"enabled": enabled}, etag=found.etag
        ).data
        word = "enabled" if enabled else "disabled"
        used_by = [one["alias"] for one in found.data.get("used_by") or ()]
        note = f"Routes that name it: {', '.join(used_by)}." if used_by and not enabled else ""
        return Answer(data=changed, text=f"{changed['name']} is {word}", note=note)

    def _find(self, session: Session, name: str) -> Document:
        for row in session.client.rows(self._path):
            if name in (row["name"], row["id"]):
                return row
        raise Refused(
            f"there is no credential {name!r}; aimesh {self._word} list shows all",
            code="CREDENTIAL_NOT_FOUND",
        )

    def _item(self, row: Document) -> str:
        return f"{self._path}/{segment(row['id'], safe='/')}"


def list_providers(
    session: Session,
    search: Annotated[str, typer.Argument(help="Only those with this in their id or name.")] = "",
) -> Answer:
    """List the providers that can have keys of your own, and how many they have."""
    rows = list(session.client.rows("/byok/providers", {"search": search or None}))
    return Answer(
        data=rows,
        people=[
            {
                "id": row["id"],
                "name": row["title"],
                "own keys": f"{row['enabled']} of {row['configured']} enabled"
                if row["configured"]
                else "none",
                "built in": row["built_in"],
                "site": row["site"],
            }
            for row in rows
        ],
        columns=("id", "name", "own keys", "built in", "site"),
        title="Providers",
    )


_BYOK = Noun("/byok", "byok")
_PLATFORM = Noun("/credentials", "credential")
byok = _BYOK.app
credential = _PLATFORM.app
command(byok, "providers")(list_providers)


@byok.callback()
def byok_help() -> None:
    """Bring your own key: secrets of this tenant towards providers."""


@credential.callback()
def credential_help() -> None:
    """The platform's secrets towards providers."""


def _row(row: Document) -> Document:
    test = row.get("test")
    shown = "" if test is None else f"{'good' if test['ok'] else 'bad'}, {time_text(test['at'])}"
    return {
        "name": row["name"],
        "provider": row["provider"],
        "key": row["masked"],
        "enabled": row["enabled"],
        "test": shown,
        "created": time_text(row["created_at"]),
    }


def _model(name: str) -> Document:
    return {"model": name} if name else {}


def _verdict(result: Document) -> str:
    if result["ok"]:
        return f"good: {result['model']} answered in {result['latency_ms']} ms"
    return f"bad: {result['message']}"


def _require_good(result: Document) -> None:
    if not result["ok"]:
        raise Refused(f"the secret was not kept: {result['message']}", code="CREDENTIAL_TEST_FAILED")
