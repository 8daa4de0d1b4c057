"""The admin API as the command line asks it: one client, over HTTP or in this process.

1. A ``Transport`` sends one request and gives one answer (``http.py``, ``local.py``); all else is the same for both.
2. Whatever goes wrong is a ``Refused`` with the API's code and message; no token is in any message.
3. A list is read page by page by its cursor, however long it is.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO, Protocol
from urllib.parse import quote

from msgspec import Struct

from aimesh.cli.faults import Misused, Refused
from aimesh.cli.output import Document

ROOT = "/api/admin/v1"
PAGE = 200
"""Rows asked for at once."""
UNREACHABLE = "CONTROL_UNREACHABLE"

Query = Mapping[str, str | int | bool | Sequence[str] | None]
"""None is left out; several texts are the same name several times."""


class Call(Struct, frozen=True):
    """One request."""

    method: str
    path: str
    query: dict[str, str | list[str]]
    headers: dict[str, str]
    body: bytes | None


class Reply(Struct, frozen=True):
    """What came back."""

    status: int
    body: bytes
    etag: str


class Transport(Protocol):
    """The seam to a gateway."""

    name: str
    """As messages show it."""

    def send(self, call: Call) -> Reply:
        """Raises ``Refused`` when nothing came back."""
        ...

    def download(self, call: Call, sink: BinaryIO) -> Reply:
        """A good answer's body goes into the sink as it comes, and is not in the reply. Raises ``Refused``."""
        ...

    def close(self) -> None: ...


class Item(Struct, frozen=True):
    """One thing, and its version for a change that must not overwrite another's."""

    data: Document
    etag: str = ""


class Page(Struct, frozen=True):
    rows: list[Document]
    total: int | None
    """How many there are on all pages, where the API says so."""


class AdminClient:
    def __init__(self, transport: Transport, *, tenant: str = "") -> None:
        self._transport = transport
        self._tenant = tenant

    def close(self) -> None:
        self._transport.close()

    def get(self, path: str, query: Query | None = None) -> Item:
        return self.send("GET", path, query=query)

    def send(
        self, method: str, path: str, body: Any = None, *, query: Query | None = None, etag: str = ""
    ) -> Item:
        """``path`` is below the root of the API; names in it went through ``segment``. Raises ``Refused``."""
        headers = {"accept": "application/json"}
        if body is not None:
            headers["content-type"] = "application/json"
        if etag:
            headers["if-match"] = etag
        reply = self._transport.send(
            Call(
                method=method,
                path=ROOT + path,
                query=_given(query or {}) | ({"tenant": self._tenant} if self._tenant else {}),
                headers=headers,
                body=json.dumps(body).encode() if body is not None else None,
            )
        )
        data = self._decoded(reply)
        if reply.status < 300:
            return Item(data=data, etag=reply.etag)
        raise _refusal(reply.status, data, self._transport.name)

    def download(self, path: str, query: Query, sink: BinaryIO) -> None:
        """A file, written as it comes. Raises ``Refused``; the sink may have the beginning of it then."""
        reply = self._transport.download(
            Call(
                method="GET",
                path=ROOT + path,
                query=_given(query) | ({"tenant": self._tenant} if self._tenant else {}),
                headers={"accept": "*/*"},
                body=None,
            ),
            sink,
        )
        if reply.status >= 300:
            raise _refusal(reply.status, self._decoded(reply), self._transport.name)

    def rows(self, path: str, query: Query | None = None) -> Iterator[Document]:
        """Every row of a list."""
        cursor: str | None = None
        while True:
            page = self.get(path, {**(query or {}), "limit": PAGE, "cursor": cursor}).data
            yield from page["data"]
            cursor = page.get("next_cursor")
            if not cursor:
                return

    def page(self, path: str, query: Query | None = None, *, number: int, size: int) -> Page:
        """One page of a list, counted from 1."""
        skipped, wanted = (number - 1) * size, size
        rows: list[Document] = []
        total: int | None = None
        cursor: str | None = None
        while wanted > len(rows):
            asked = min(PAGE, skipped + wanted - len(rows))
            answer = self.get(path, {**(query or {}), "limit": asked, "cursor": cursor}).data
            found = answer["data"]
            total = answer.get("total", total)
            rows += found[skipped:]
            skipped = max(0, skipped - len(found))
            cursor = answer.get("next_cursor")
            if not cursor:
                break
        return Page(rows=rows[:wanted], total=total)

    def _decoded(self, reply: Reply) -> Document:
        if not reply.body:
            return {}
        try:
            data = json.loads(reply.body)
        except (json.JSONDecodeError, UnicodeDecodeError):
            data = None
        if isinstance(data, dict):
            return data
        raise Refused(
            f"{self._transport.name} answered {reply.status}, and not as an admin API of aimesh does",
            code=UNREACHABLE,
            status=reply.status,
        )


def segment(text: str, *, safe: str = "") -> str:
    """A name as a part of a path. ``safe='/'`` for names of models, whose slashes stay."""
    if any(part in ("", ".", "..") for part in text.split("/" if safe else "\0")):
        raise Misused(f"{text!r} is no name")
    return quote(text, safe=safe)


def _given(query: Query) -> dict[str, str | list[str]]:
    return {name: _texts(value) for name, value in query.items() if value is not None}


def _texts(value: str | int | bool | Sequence[str]) -> str | list[str]:
    match value:
        case bool():
            return str(value).lower()
        case str() | int():
            return str(value)
        case _:
            return list(value)


def _refusal(status: int, data: Document, name: str) -> Refused:
    error = data.get("error")
    if not isinstance(error, dict):
        return Refused(f"{name} answered {status}", code=UNREACHABLE, status=status)
    message = str(error.get("message") or f"{name} answered {status}")
    if status == 401:
        message += "; aimesh token create makes a token: give it by --token-file or AIMESH_TOKEN"
    return Refused(
        message,
        code=str(error.get("code") or UNREACHABLE),
        status=status,
        details=_details(error.get("details") or (), message),
    )


def _details(found: Sequence[Any], message: str) -> list[str]:
    if len(found) == 1 and isinstance(found[0], dict) and found[0].get("message") == message:
        place, hint = found[0].get("path"), found[0].get("hint")
        return [f"at {place}" + (f" ({hint})" if hint else "")] if place or hint else []
    return [_detail(one) for one in found]


def _detail(one: Any) -> str:
    if not isinstance(one, dict):
        return str(one)
    place = one.get("path")
    before = f"{place}: " if place else ""
    behind = f" ({hint})" if (hint := one.get("hint")) else ""
    return f"{before}{one.get('message', '')}{behind}"
