"""Cursors and versions."""

import base64

import pytest
from starlette.responses import Response

from aimesh.control.errors import Invalid, PreconditionRequired, Stale
from aimesh.control.http import Paging, Versioned, check_version


def test_a_page_ends_where_the_next_one_begins() -> None:
    rows, cursor = Paging(limit=2, cursor=None).cut([1, 2, 3], lambda row: (float(row), f"id-{row}"))
    assert rows == [1, 2]
    assert cursor is not None
    assert "=" not in cursor
    assert Paging(limit=2, cursor=cursor).after(tuple[float, str]) == (2.0, "id-2")
    assert Paging(limit=2, cursor=None).after(str) is None


def test_the_last_page_has_no_cursor() -> None:
    assert Paging(limit=2, cursor=None).cut([1, 2], str) == ([1, 2], None)
    assert Paging(limit=2, cursor=None).cut([], str) == ([], None)


def cursor_of(text: bytes) -> str:
    return base64.urlsafe_b64encode(text).decode()


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "!!!",
        "a" * 999,
        cursor_of(b"[1,2]"),
        cursor_of(b'"\\u0000"'),
        cursor_of(b"null"),
        cursor_of(b"\xff"),
    ],
)
def test_a_cursor_of_somebody_elses_making(cursor: str) -> None:
    with pytest.raises(Invalid) as caught:
        Paging(limit=2, cursor=cursor).after(str)
    assert caught.value.details[0].path == "cursor"


@pytest.mark.parametrize("given", ['"3"', 'W/"3"', "3", "*", ' "3" ', '"1", "3"'])
def test_versions_that_match(given: str) -> None:
    check_version(given, 3)


@pytest.mark.parametrize(
    "given", ['"4"', "", '"', '"three"', '"03x"', '"33"', "**", '"1","2"', '"-3"', "\u0663"]
)
def test_versions_that_do_not(given: str) -> None:
    with pytest.raises(Stale):
        check_version(given, 3)


def test_an_edit_without_a_version() -> None:
    with pytest.raises(PreconditionRequired):
        check_version(None, 3)


def test_an_edit_shows_the_new_version() -> None:
    response = Response()
    edit = Versioned(response=response, if_match='"3"')
    edit.check(3)
    edit.tag(4)
    assert response.headers["etag"] == '"4"'
