"""The operator's file: where it is, its text as located nodes, and a desk that collects what is wrong with it."""

from collections.abc import Mapping as Table
from pathlib import Path

from msgspec import Struct

from aimesh.catalog.document import EMPTY, Document, Mapping, Node, Scalar, interpolated, read_document
from aimesh.catalog.document import Path as Place
from aimesh.catalog.problem import ConfigError, Problem
from aimesh.core.secret import Secret

FILE_NAME = "aimesh.yaml"


class Source(Struct, frozen=True):
    """The operator's file as it was read once: several processes can begin from the same words."""

    file: Path | None
    """None: there is none, and ``text`` is empty."""
    text: Secret[str]
    """May hold secrets in clear."""


class Desk:
    """Problems of a document, as they are found."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self.problems: list[Problem] = []

    def fault(self, place: Place, message: str, hint: str = "", *, at_key: bool = False) -> None:
        self.problems.append(self._document.problem(place, message, hint, at_key=at_key))

    def shown(self, place: Place, text: str) -> str:
        return self._document.shown(place, text)


def home_directory(environ: Table[str, str]) -> Path:
    """``AIMESH_HOME``, else the place the XDG rules give."""
    if given := environ.get("AIMESH_HOME"):
        return Path(given).expanduser()
    data = environ.get("XDG_DATA_HOME", "")
    # The XDG rules say that a relative path is to be ignored.
    if not data.startswith("/"):
        data = f"{environ.get('HOME') or Path.home()}/.local/share"
    return Path(data) / "aimesh"


def find_file(path: Path | None, home: Path, environ: Table[str, str]) -> Path | None:
    if path is None and (named := environ.get("AIMESH_CONFIG")):
        path = Path(named).expanduser()
    if path is None:
        usual = home / FILE_NAME
        return usual if usual.is_file() else None
    return path


def read_source(path: Path | None, environ: Table[str, str]) -> Source:
    """Without a path: ``AIMESH_CONFIG``, else ``aimesh.yaml`` in the home directory if there is one. Raises
    ``ConfigError``."""
    file = find_file(path, home_directory(environ), environ)
    if file is None:
        return Source(file=None, text=Secret(""))
    try:
        return Source(file=file, text=Secret(file.read_text(encoding="utf-8")))
    except OSError as error:
        why = (error.strerror or "unreadable").lower()
        raise ConfigError(
            [Problem(file=str(file), line=1, column=1, message=f"cannot be read: {why}")]
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError([Problem(file=str(file), line=1, column=1, message="is not UTF-8 text")]) from error


def read_nodes(source: Source, environ: Table[str, str]) -> Document:
    """Raises ``ConfigError``."""
    if source.file is None:
        return Document(file=FILE_NAME, root=EMPTY)
    document, problems = read_document(source.text.reveal(), str(source.file))
    if not problems:
        document, problems = interpolated(document, environ.get)
    if problems:
        raise ConfigError(problems)
    return _with_named_credentials(document)


def _with_named_credentials(document: Document) -> Document:
    """``provider: secret`` is short for ``provider: {default: secret}``."""
    root = document.root
    if not isinstance(root, Mapping) or "credentials" not in root.entries:
        return document
    key, section = root.entries["credentials"]
    if not isinstance(section, Mapping):
        return document
    named = {provider: (name, _named(value)) for provider, (name, value) in section.entries.items()}
    section = Mapping(entries=named, line=section.line, column=section.column)
    entries = root.entries | {"credentials": (key, section)}
    return Document(file=document.file, root=Mapping(entries=entries, line=root.line, column=root.column))


def _named(value: Node) -> Node:
    if not isinstance(value, Scalar) or value.is_null:
        return value
    # The secret stands in the value only: a key is shown in problems and records.
    key = Scalar(text="default", line=value.line, column=value.column)
    return Mapping(entries={"default": (key, value)}, line=value.line, column=value.column)
