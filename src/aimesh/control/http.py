"""Pages and versions: how lists are cut, and how an edit says what it was made to.

1. A cursor is opaque and holds the place of the last thing shown, so a page stays right while things come and go.
2. A version is shown as ``ETag`` and asked back as ``If-Match``; ``*`` stands for any. A proxy that compresses
   makes a tag weak (``W/"3"``); it still names the version.
"""

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from typing import Annotated, Generic, TypeVar

import msgspec
from fastapi import Depends, Header, Query, Response
from msgspec import Struct
from pydantic import BaseModel, Field

from aimesh.control.errors import Detail, Invalid, PreconditionRequired, Stale

Item = TypeVar("Item")
Place = TypeVar("Place")

MOST_PER_PAGE = 200
_TAG = re.compile(r'(?:W/)?"([0-9]{1,18})"|([0-9]{1,18})')


class Page(BaseModel, Generic[Item]):
    """A list gives at most ``limit`` things."""

    data: list[Item]
    next_cursor: str | None = Field(
        default=None, description="For the next page: `?cursor=`. Null on the last page."
    )
    total: int = Field(description="How many there are on all pages.")


class Paging(Struct, frozen=True):
    limit: int
    cursor: str | None

    def after(self, place: type[Place]) -> Place | None:
        """Where the page before ended: a tuple of what the list is ordered by, or a single text."""
        return None if self.cursor is None else _decoded(self.cursor, place)

    def cut(
        self, rows: Sequence[Item], place_of: Callable[[Item], object]
    ) -> tuple[Sequence[Item], str | None]:
        """Rows of the page and the cursor of the next one, from ``limit`` + 1 rows that were asked for."""
        if len(rows) <= self.limit:
            return rows, None
        shown = rows[: self.limit]
        return shown, cursor_of(place_of(shown[-1]))


def paging(
    limit: Annotated[int, Query(ge=1, le=MOST_PER_PAGE, description="Most things of one page.")] = 50,
    cursor: Annotated[
        str | None, Query(max_length=1000, description="`next_cursor` of the page before.")
    ] = None,
) -> Paging:
    return Paging(limit=limit, cursor=cursor)


Pages = Annotated[Paging, Depends(paging)]
"""Type of a handler's parameter for a list."""

IfMatch = Annotated[
    str | None,
    Header(alias="if-match", description='Version that the edit was made to, as in `ETag`: `"3"`, or `*`.'),
]


class Versioned(Struct, frozen=True):
    """An edit: what it was made to, and where the new version is shown."""

    response: Response
    if_match: str | None

    def check(self, version: int) -> None:
        check_version(self.if_match, version)

    def tag(self, version: int) -> None:
        tag(self.response, version)


def versioned(response: Response, if_match: IfMatch = None) -> Versioned:
    return Versioned(response=response, if_match=if_match)


Edit = Annotated[Versioned, Depends(versioned)]
"""Type of a handler's parameter for an edit."""


def tag(response: Response, version: int) -> None:
    """Shows the version of the thing in the answer."""
    response.headers["etag"] = f'"{version}"'


def check_version(if_match: str | None, version: int) -> None:
    """Raises 428 where an edit does not say what it was made to, 412 where that is not the present version."""
    if if_match is None:
        raise PreconditionRequired
    if if_match.strip() == "*":
        return
    given = [_TAG.fullmatch(one.strip()) for one in if_match.split(",")]
    if not any(one is not None and int(one[1] or one[2]) == version for one in given):
        raise Stale


def cursor_of(place: object) -> str:
    """Opaque text that ``Paging.after`` reads."""
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).rstrip(b"=").decode()


def _decoded(cursor: str, place: type[Place]) -> Place:
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        # What we wrote has no escapes; others could smuggle in what a database refuses.
        if b"\\" in text:
            raise bad_cursor()
        return msgspec.json.decode(text, type=place)
    except (binascii.Error, ValueError) as error:
        raise bad_cursor() from error


def bad_cursor() -> Invalid:
    message = "this cursor is not from this list"
    return Invalid("INVALID_REQUEST", message, details=[Detail(path="cursor", message=message)])
