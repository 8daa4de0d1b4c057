import json
from io import BytesIO
from typing import Any, BinaryIO

import pytest

from aimesh.cli.client import AdminClient, Call, Reply, segment
from aimesh.cli.faults import Misused, Refused


class Scripted:
    """A transport with answers in their order; remembers what it was asked."""

    name = "the test"

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.calls: list[Call] = []

    def send(self, call: Call) -> Reply:
        self.calls.append(call)
        return self.replies.pop(0)

    def download(self, call: Call, sink: BinaryIO) -> Reply:
        found = self.send(call)
        if found.status >= 300:
            return found
        sink.write(found.body)
        return Reply(status=found.status, body=b"", etag="")

    def close(self) -> None:
        self.calls.clear()


def reply(status: int, data: Any = None, etag: str = "") -> Reply:
    return Reply(status=status, body=b"" if data is None else json.dumps(data).encode(), etag=etag)


def page(names: str, cursor: str | None, total: int = 5) -> Reply:
    return reply(200, {"data": [{"name": name} for name in names], "next_cursor": cursor, "total": total})


def test_a_change_carries_what_it_was_made_to() -> None:
    transport = Scripted(reply(200, {"id": "k"}, etag='"4"'))
    item = AdminClient(transport, tenant="research").send(
        "PATCH", "/keys/k", {"alias": "ü"}, query={"force": True, "none": None}, etag='"3"'
    )
    assert item.data == {"id": "k"}
    assert item.etag == '"4"'
    (call,) = transport.calls
    assert (call.method, call.path) == ("PATCH", "/api/admin/v1/keys/k")
    assert call.query == {"force": "true", "tenant": "research"}
    assert call.headers["if-match"] == '"3"'
    assert json.loads(call.body or b"") == {"alias": "ü"}


def test_every_row_of_a_list_is_read() -> None:
    transport = Scripted(page("ab", "1"), page("cd", "2"), page("e", None))
    rows = AdminClient(transport).rows("/things", {"search": "x"})
    assert [row["name"] for row in rows] == list("abcde")
    assert [call.query.get("cursor") for call in transport.calls] == [None, "1", "2"]
    assert all(call.query["search"] == "x" for call in transport.calls)


@pytest.mark.parametrize(
    ("number", "size", "replies", "names", "asked"),
    [
        (1, 2, [page("ab", "1")], "ab", ["2"]),
        (2, 2, [page("abcd", "1")], "cd", ["4"]),
        (2, 2, [page("abc", "1"), page("d", None)], "cd", ["4", "1"]),
        (3, 2, [page("abcde", None)], "e", ["6"]),
        (9, 2, [page("abcde", None)], "", ["18"]),
        (1, 300, [page("a" * 200, "1"), page("b" * 100, "2")], "a" * 200 + "b" * 100, ["200", "100"]),
    ],
)
def test_a_page_is_cut_out_of_the_list(
    number: int, size: int, replies: list[Reply], names: str, asked: list[str]
) -> None:
    transport = Scripted(*replies)
    found = AdminClient(transport).page("/things", number=number, size=size)
    assert "".join(row["name"] for row in found.rows) == names
    assert found.total == 5
    assert [call.query["limit"] for call in transport.calls] == asked


def test_a_refusal_has_code_message_and_details() -> None:
    details = [
        {"path": "limits.quotas.0", "message": "is odd", "hint": "make it even"},
        {"path": "", "message": "alone", "hint": ""},
    ]
    error = {"code": "INVALID", "message": "2 things are wrong", "details": details}
    with pytest.raises(Refused, match="2 things are wrong") as caught:
        AdminClient(Scripted(reply(422, {"error": error}))).get("/x")
    assert (caught.value.code, caught.value.status, caught.value.exit_code) == ("INVALID", 422, 1)
    assert caught.value.details == ("limits.quotas.0: is odd (make it even)", "alone")


def test_without_a_good_token_it_says_how_to_get_one() -> None:
    error = {"code": "UNAUTHENTICATED", "message": "sign in"}
    with pytest.raises(Refused, match="aimesh token create"):
        AdminClient(Scripted(reply(401, {"error": error}))).get("/x")


@pytest.mark.parametrize(
    "odd",
    [
        Reply(status=200, body=b"<html>", etag=""),
        Reply(status=502, body=b"\xff", etag=""),
        reply(500, ["not", "an", "object"]),
        reply(404, {"detail": "somebody else's"}),
        reply(302, None),
    ],
)
def test_what_is_no_admin_api_is_named_so(odd: Reply) -> None:
    with pytest.raises(Refused, match="the test answered") as caught:
        AdminClient(Scripted(odd)).get("/x")
    assert caught.value.code == "CONTROL_UNREACHABLE"


def test_names_cannot_lead_elsewhere_in_a_path() -> None:
    assert segment("a/b ?#%ü") == "a%2Fb%20%3F%23%25%C3%BC"
    assert segment("qwen/qwen3.7-max", safe="/") == "qwen/qwen3.7-max"
    assert segment("v1.2") == "v1.2"
    for odd in ("..", ".", ""):
        with pytest.raises(Misused):
            segment(odd)
    for odd in ("a/../b", "/a", "a//b", "a/"):
        with pytest.raises(Misused):
            segment(odd, safe="/")


def test_a_file_goes_into_the_sink_and_a_refusal_does_not() -> None:
    transport = Scripted(
        Reply(status=200, body=b"a,b\n", etag=""),
        reply(422, {"error": {"code": "TOO_MANY_ROWS", "message": "take CSV"}}),
    )
    client, sink = AdminClient(transport), BytesIO()
    client.download("/usage/export", {"label": ["a=1", "b=2"], "format": "csv", "until": None}, sink)
    assert transport.calls[0].query == {"label": ["a=1", "b=2"], "format": "csv"}
    with pytest.raises(Refused, match="take CSV") as caught:
        client.download("/usage/export", {}, sink)
    assert caught.value.code == "TOO_MANY_ROWS"
    assert sink.getvalue() == b"a,b\n"
