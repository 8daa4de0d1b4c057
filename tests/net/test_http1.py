"""The rules and encodings of HTTP/1.1, without sockets."""

import json
import re

import httptools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimesh.net import http1
from aimesh.net.http1 import RefusedError

TOKENS = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_", min_size=1, max_size=20)
VALUES = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=40)
PATHS = st.text("abcXYZ019/%.-_~!$&'()*+,;=:@", max_size=40).map(lambda text: b"/" + text.encode())
QUERIES = st.text("abcXYZ019/%.-_~!$&'()*+,;=:@?", max_size=40).map(lambda text: text.encode())


class Reader:
    """What llhttp makes of a message."""

    def __init__(self) -> None:
        self.url = b""
        self.headers: dict[bytes, bytes] = {}
        self.body = b""
        self.is_complete = False

    def on_url(self, part: bytes) -> None:
        self.url += part

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.lower()] = value

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_message_complete(self) -> None:
        self.is_complete = True


def parse_answer(data: bytes) -> tuple[int, Reader]:
    reader = Reader()
    parser = httptools.HttpResponseParser(reader)
    parser.feed_data(data)
    return parser.get_status_code(), reader


@pytest.mark.parametrize("status", [100, 200, 404, 429, 503, 529, 599, 999])
def test_a_status_line_is_read_back(status: int) -> None:
    code, _ = parse_answer(http1.STATUS_LINES[status] + b"content-length: 0\r\n\r\n")
    assert code == status


def test_known_statuses_have_their_phrase() -> None:
    assert http1.STATUS_LINES[429] == b"HTTP/1.1 429 Too Many Requests\r\n"
    assert http1.STATUS_LINES[529] == b"HTTP/1.1 529 \r\n"


def test_the_tail_of_a_head() -> None:
    assert http1.encode_tail(0) == b"date: Thu, 01 Jan 1970 00:00:00 GMT\r\n\r\n"
    assert (
        http1.encode_tail(0, b"close") == b"date: Thu, 01 Jan 1970 00:00:00 GMT\r\nconnection: close\r\n\r\n"
    )


@given(st.lists(st.binary(min_size=1, max_size=5000), max_size=5))
def test_chunks_are_read_back(pieces: list[bytes]) -> None:
    framed = b"".join(http1.encode_chunk(piece) for piece in pieces) + http1.LAST_CHUNK
    _, reader = parse_answer(http1.STATUS_LINES[200] + b"transfer-encoding: chunked\r\n\r\n" + framed)
    assert reader.is_complete
    assert reader.body == b"".join(pieces)


@pytest.mark.parametrize(
    ("status", "expected"), [(100, True), (200, False), (204, True), (304, True), (404, False)]
)
def test_statuses_without_a_body(status: int, *, expected: bool) -> None:
    assert http1.has_no_body(status) is expected


def test_a_refusal_is_json_with_a_code() -> None:
    error = json.loads(http1.encode_refusal(400, 'a "quoted" word', "id-1"))["error"]
    assert error == {
        "code": "GATEWAY_BAD_REQUEST",
        "message": 'a "quoted" word',
        "source": "gateway",
        "type": "invalid_request_error",
        "param": None,
        "retry_history": None,
        "request_id": "id-1",
    }
    assert json.loads(http1.encode_refusal(413, "", ""))["error"]["code"] == "GATEWAY_REQUEST_TOO_LARGE"


@given(PATHS, QUERIES)
def test_a_path_target_splits_at_the_first_question_mark(path: bytes, query: bytes) -> None:
    assert http1.read_target(b"GET", path + b"?" + query, b"h") == (path, query)
    assert http1.read_target(b"GET", path, b"h") == (path, b"")


@given(PATHS, QUERIES)
def test_an_absolute_target_is_its_path(path: bytes, query: bytes) -> None:
    assert http1.read_target(b"GET", b"http://Host:80" + path + b"?" + query, b"host:80") == (path, query)
    assert http1.read_target(b"GET", b"https://h" + path, b"h") == (path, b"")


def test_targets_that_are_no_plain_path() -> None:
    assert http1.read_target(b"OPTIONS", b"*", b"h") == (b"*", b"")
    assert http1.read_target(b"GET", b"http://h", b"h") == (b"/", b"")
    assert http1.read_target(b"GET", b"http://h?q", b"h") == (b"/", b"q")


@pytest.mark.parametrize(
    "target",
    [
        b"",
        b"*",
        b"a/b",
        b"/a#b",
        b"/#",
        b"http://",
        b"http:///a",
        b"http://other/a",
        b"http://h@h/a",
        b"http://user:pass@h/a",
        b"http://h/a#b",
        b"ftp://h/a",
        b"h:443",
        b"//",
        b"javascript:x",
    ],
)
def test_other_targets_are_refused(target: bytes) -> None:
    if target == b"//":
        # Odd, but a path; it is for the router to not know it.
        assert http1.read_target(b"GET", target, b"h") == (b"//", b"")
        return
    with pytest.raises(RefusedError) as caught:
        http1.read_target(b"GET", target, b"h")
    assert caught.value.status == 400


@pytest.mark.parametrize(
    "host", [b"a", b"a.b-c_d:80", b"127.0.0.1:1", b"[::1]", b"[fe80::1]:8080", b"xn--nxasmq6b:", b"a%20b"]
)
def test_hosts(host: bytes) -> None:
    http1.check_host(host, "1.1")
    http1.check_host(host, "1.0")


@pytest.mark.parametrize(
    "host",
    [
        b"a b",
        b"a/b",
        b"a@b",
        b"a:b",
        b"a:123456",
        b"a, b",
        b"[::1",
        b"[x]",
        b"a?b",
        b"a#b",
        b"\xff",
        b":80",
        b"a" * 256,
    ],
)
def test_malformed_hosts(host: bytes) -> None:
    for version in ("1.0", "1.1"):
        with pytest.raises(RefusedError, match="malformed"):
            http1.check_host(host, version)


def test_a_host_is_needed_since_1_1() -> None:
    http1.check_host(None, "1.0")
    http1.check_host(b"", "1.0")
    with pytest.raises(RefusedError, match="missing"):
        http1.check_host(None, "1.1")
    with pytest.raises(RefusedError, match="malformed"):
        http1.check_host(b"", "1.1")


def test_methods_and_versions() -> None:
    for method in http1.METHODS:
        http1.check_method(method)
    for method in (b"CONNECT", b"TRACE", b"PROPFIND", b"PRI", b""):
        with pytest.raises(RefusedError) as caught:
            http1.check_method(method)
        assert caught.value.status == 501
    http1.check_version("1.1")
    http1.check_version("1.0")
    for version in ("0.9", "2.0", "1.2", "3.0"):
        with pytest.raises(RefusedError) as caught:
            http1.check_version(version)
        assert caught.value.status == 505


def test_transfer_codings() -> None:
    http1.check_framing({b"transfer-encoding": b"CHUNKED"}, "1.1")
    for coding in (
        b"gzip",
        b"gzip, chunked",
        b"chunked, chunked",
        b"",
        b"identity",
        b"chunked;q=1",
        b"\x0bchunked",
    ):
        with pytest.raises(RefusedError) as caught:
            http1.check_framing({b"transfer-encoding": coding}, "1.1")
        assert caught.value.status == 501
    for headers, version in (
        ({b"transfer-encoding": b"chunked", b"content-length": b"1"}, "1.1"),
        ({b"transfer-encoding": b"chunked"}, "1.0"),
    ):
        with pytest.raises(RefusedError) as caught:
            http1.check_framing(headers, version)
        assert caught.value.status == 400


def test_expectations() -> None:
    assert http1.expects_continue({b"expect": b"100-Continue"}, "1.1")
    assert not http1.expects_continue({b"expect": b"anything"}, "1.0")
    with pytest.raises(RefusedError) as caught:
        http1.expects_continue({b"expect": b"anything"}, "1.1")
    assert caught.value.status == 417


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"FOO / HTTP/1.1\r\n", 400),
        (b"GET \x01 HTTP/1.1\r\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        (b"GET / HTTP/1.7\r\n", 505),
        (b"GET / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n", 413),
        (b"GET / HTTP/1.1\r\nA B\r\n\r\n", 400),
    ],
)
def test_parse_errors_as_answers(raw: bytes, status: int) -> None:
    """The texts come from the parser itself, so that a new version of it cannot change them unseen."""
    with pytest.raises(httptools.HttpParserError) as caught:
        httptools.HttpRequestParser(Reader()).feed_data(raw)
    refused = http1.describe_parse_error(type(caught.value).__name__, str(caught.value))
    assert refused.status == status
    assert re.fullmatch(r"[A-Z].*[.]", refused.message)


@given(
    st.dictionaries(
        TOKENS.map(lambda text: b"x-" + text.lower().encode()), VALUES.map(str.encode), max_size=5
    )
)
def test_a_declined_upgrade_keeps_everything_else(others: dict[bytes, bytes]) -> None:
    offered = {b"connection": b"Upgrade, keep-alive", b"upgrade": b"h2c", **others}
    head = http1.without_upgrade(b"GET", b"/a", "1.1", offered)
    reader = Reader()
    parser = httptools.HttpRequestParser(reader)
    parser.feed_data(head)
    assert reader.is_complete
    assert not parser.should_upgrade()
    assert reader.url == b"/a"
    assert reader.headers == {b"connection": b"keep-alive", **others}


def test_a_declined_upgrade_alone_in_connection() -> None:
    head = http1.without_upgrade(
        b"GET", b"/", "1.0", {b"connection": b"upgrade", b"upgrade": b"x", b"host": b"h"}
    )
    assert head == b"GET / HTTP/1.0\r\nhost: h\r\n\r\n"


@given(st.sampled_from([b"GET", b"POST", b"DELETE", b"PUT", b"HEAD"]), st.binary(max_size=50))
def test_a_request_head_announces_its_body(method: bytes, body: bytes) -> None:
    data = http1.complete_head(method + b" /a HTTP/1.1\r\nhost: h\r\n", body) + body
    reader = Reader()
    parser = httptools.HttpRequestParser(reader)
    parser.feed_data(data)
    assert reader.is_complete
    assert reader.body == body
    is_silent = not body and method in (b"GET", b"DELETE", b"HEAD")
    assert (b"content-length" in reader.headers) is not is_silent


def test_a_head_for_a_proxy() -> None:
    head = http1.absolute_head(
        b"GET /a?b HTTP/1.1\r\nhost: h\r\n", b"h:80", b"proxy-authorization: Basic x\r\n"
    )
    assert head == b"GET http://h:80/a?b HTTP/1.1\r\nproxy-authorization: Basic x\r\nhost: h\r\n"


def test_a_tunnel_is_asked_for() -> None:
    assert http1.encode_connect(b"h:443", b"") == b"CONNECT h:443 HTTP/1.1\r\nhost: h:443\r\n\r\n"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", None),
        (b"HTTP/1.1 200 OK\r\n", None),
        (b"HTTP/1.1 200 Connection established\r\n\r\n", 200),
        (b"HTTP/1.0 200\r\nvia: x\r\n\r\n", 200),
        (b"HTTP/1.1 407 Auth\r\ncontent-length: 3\r\n\r\nwho", 407),
        (b"HTTP/1.1 200 OK\r\n\r\nsmuggled", 0),
        (b"SSH-2.0-x\r\n\r\n", 0),
        (b"HTTP/2 200\r\n\r\n", 0),
        (b"x" * 65_537, 0),
    ],
)
def test_answers_to_connect(data: bytes, expected: int | None) -> None:
    assert http1.read_connect_answer(data) == expected


def test_answers_delimited_by_close() -> None:
    assert http1.is_delimited_by_close(200, {})
    assert not http1.is_delimited_by_close(204, {})
    assert not http1.is_delimited_by_close(200, {b"content-length": b"0"})
    assert not http1.is_delimited_by_close(200, {b"transfer-encoding": b"chunked"})
