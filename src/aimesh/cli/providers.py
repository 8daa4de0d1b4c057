"""``aimesh provider``: who runs models, and what the installation changes about them."""

from pathlib import Path
from typing import Annotated, TypeVar

import msgspec
import typer
from msgspec import Struct

from aimesh.catalog.decode import decode
from aimesh.catalog.document import Document as Yaml
from aimesh.catalog.document import Mapping, Scalar, read_document
from aimesh.catalog.schema import ProviderEntry
from aimesh.cli.client import segment
from aimesh.cli.connect import Session, command
from aimesh.cli.faults import Misused, Refused
from aimesh.cli.options import YesOption
from aimesh.cli.output import Answer, Document

app = typer.Typer(no_args_is_help=True)

EntryT = TypeVar("EntryT", bound=Struct)

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="Id of the provider.")]
FileOption = Annotated[
    Path,
    typer.Option("--file", "-f", help="YAML with the fields of aimesh.yaml; -: from stdin.", allow_dash=True),
]


@app.callback()
def providers() -> None:
    """Providers: accounts and regions that run models."""


@command(app, "list")
def list_providers(
    session: Session,
    search: Annotated[str, typer.Argument(help="Only those with this in their id or name.")] = "",
) -> Answer:
    """List providers."""
    rows = list(session.client.rows("/providers", {"search": search or None}))
    return Answer(data=rows, columns=("id", "name", "status", "models", "source"), title="Providers")


@command(app)
def get(session: Session, provider: IdArgument) -> Answer:
    """Show everything about a provider."""
    return Answer(data=session.client.get(_path(provider)).data)


@command(app, "set")
def set_provider(session: Session, provider: IdArgument, *, file: FileOption) -> Answer:
    """Add a provider, or change a built-in one, from a YAML file.

    \b
    Examples:
      aimesh provider set our_cluster -f our_cluster.yaml
      printf 'base_url: http://10.0.0.5:8000/v1\\nspeaks: {open_ai: {}}\\n' |
        aimesh provider set our_cluster -f -
    """
    entry = read_entry(file, ProviderEntry)
    etag = present_etag(session, _path(provider))
    kept = session.client.send("PUT", _path(provider), entry, etag=etag).data
    return Answer(data=kept, text=f"{provider} is set")


@command(app)
def reset(session: Session, provider: IdArgument, *, yes: YesOption = False) -> Answer:
    """Forget what was set: a built-in provider is as it came, another is gone."""
    session.confirm(f"Forget what was set for {provider!r}?", yes=yes)
    session.client.send("DELETE", _path(provider), etag=present_etag(session, _path(provider)))
    return Answer(data={"id": provider, "reset": True}, text=f"{provider} is reset")


def read_entry(file: Path, schema: type[EntryT], *, name: str = "") -> Document:
    """An entry of the catalogue, as JSON; ``name``: of an entry that need not name itself. Raises ``Refused`` with
    file, line and what to write instead."""
    try:
        text = typer.get_text_stream("stdin").read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Misused(f"{file} cannot be read: {error}") from error
    document, problems = read_document(text, str(file))
    if name:
        document = _named(document, name)
    entry, more = decode(document, schema) if not problems else (None, [])
    if entry is None:
        raise Refused(
            f"{file} is not as it should be",
            code="INVALID_FILE",
            details=[str(one) for one in problems + more],
        )
    data: Document = msgspec.to_builtins(entry, str_keys=True)
    return data


def _named(document: Yaml, name: str) -> Yaml:
    root = document.root
    if not isinstance(root, Mapping) or "name" in root.entries:
        return document
    said = Scalar(text=name, line=root.line, column=root.column, is_plain=False)
    entries = {"name": (said, said)} | root.entries
    return Yaml(file=document.file, root=Mapping(entries=entries, line=root.line, column=root.column))


def present_etag(session: Session, path: str) -> str:
    """Of what is there now; empty: nothing is."""
    try:
        return session.client.get(path).etag
    except Refused as error:
        if error.status != 404:
            raise
        return ""


def _path(provider: str) -> str:
    return f"/providers/{segment(provider)}"
