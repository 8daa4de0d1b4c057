"""Malformed requests as data, by family: name, bytes, and the statuses that are a right answer.

Every request carries ``SMUGGLED`` where an attacker would hide a second one; it must never reach a handler.
"""

from typing import NamedTuple

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
HOST = b"Host: x\r\n"


class Case(NamedTuple):
    family: str
    name: str
    raw: bytes
    statuses: tuple[int, ...]


def _show(data: bytes) -> str:
    return data[:40].decode("latin-1").encode("unicode_escape").decode("ascii")


def _post(headers: bytes, body: bytes = b"", *, version: bytes = b"1.1") -> bytes:
    return b"POST /a HTTP/%b\r\n%b%b\r\n%b" % (version, HOST, headers, body)


def length_and_coding() -> list[Case]:
    """CL.TE and TE.CL: two lengths, one of which hides a request."""
    cases = []
    for length in (b"0", b"3", b"6", b"%d" % (5 + len(SMUGGLED))):
        for coding in (b"chunked", b"Chunked", b"identity", b"gzip, chunked"):
            for pair in (
                b"Content-Length: %b\r\nTransfer-Encoding: %b\r\n" % (length, coding),
                b"Transfer-Encoding: %b\r\nContent-Length: %b\r\n" % (coding, length),
            ):
                raw = _post(pair, b"0\r\n\r\n" + SMUGGLED)
                cases.append(Case("length and coding", _show(pair), raw, (400, 501)))
    return cases


def codings() -> list[Case]:
    """TE.TE: a coding that one parser takes for chunked and another does not."""
    lines = [
        b"Transfer-Encoding: xchunked",
        b"Transfer-Encoding: chunkedx",
        b"Transfer-Encoding: x-chunked",
        b"Transfer-Encoding: chunked, identity",
        b"Transfer-Encoding: identity, chunked",
        b"Transfer-Encoding: chunked, chunked",
        b"Transfer-Encoding: gzip",
        b"Transfer-Encoding: deflate, chunked",
        b"Transfer-Encoding: identity",
        b"Transfer-Encoding: ",
        b"Transfer-Encoding: ,",
        b"Transfer-Encoding: ,chunked",
        b"Transfer-Encoding: chunked,",
        b"Transfer-Encoding: chunked;q=1",
        b'Transfer-Encoding: "chunked"',
        b"Transfer-Encoding: 'chunked'",
        b"Transfer-Encoding: chunk",
        b"Transfer-Encoding: chun ked",
        b"Transfer-Encoding: \x0bchunked",
        b"Transfer-Encoding: chunked\x0b",
        b"Transfer-Encoding: chunked\x0c",
        b"Transfer-Encoding: \x00chunked",
        b"Transfer-Encoding: chunked\x00",
        b"Transfer-Encoding: \xa0chunked",
        b"Transfer-Encoding: chu\xffnked",
        b"Transfer-Encoding : chunked",
        b"Transfer-Encoding\t: chunked",
        b" Transfer-Encoding: chunked",
        b"\tTransfer-Encoding: chunked",
        b"Transfer-Encoding\x00: chunked",
        b"Transfer\x0bEncoding: chunked",
        b"Transfer Encoding: chunked",
        b"Transfer-Encoding",
        b"Transfer-Encoding:\r\n chunked",
        b"Transfer-Encoding: chunked\r\n , identity",
        b"X: a\nTransfer-Encoding: chunked",
        b"X: a\rTransfer-Encoding: chunked",
        b"Transfer-Encoding: chunked\nX: a",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: chunked\r\ntransfer-encoding: x",
        b"Transfer-Encoding: x\r\nTRANSFER-ENCODING: chunked",
    ]
    body = b"0\r\n\r\n" + SMUGGLED
    cases = [Case("coding", _show(line), _post(line + b"\r\n", body), (400, 501)) for line in lines]
    raw = _post(b"Transfer-Encoding: chunked\r\n", body, version=b"1.0")
    return [*cases, Case("coding", "chunked on 1.0", raw, (400,))]


def lengths() -> list[Case]:
    values = [
        b"+3", b"-3", b"-0", b"0x3", b"0b1", b"3,3", b"3, 3", b"3, 4", b"3 3", b"3\t3", b"3;", b"3.0", b"1e1", b"abc",
        b"", b" ", b"\x003", b"3\x00", b"\x0b3", b"3\x0b", b"\xef\xbc\x93", b"\xd9\xa3", b"3_0", b"'3'", b'"3"',
        b"3\r\n ,4",
        b"18446744073709551616", b"99999999999999999999999999999999", b"67108865", b"9223372036854775808",
    ]  # fmt: skip
    cases = [
        Case("length", _show(value), _post(b"Content-Length: %b\r\n" % value, b"abc" + SMUGGLED), (400, 413))
        for value in values
    ]
    pairs = [(b"3", b"3"), (b"3", b"4"), (b"4", b"3"), (b"0", b"3"), (b"3", b""), (b"3", b"x")]
    for first, second in pairs:
        lines = b"Content-Length: %b\r\ncontent-length: %b\r\n" % (first, second)
        cases.append(Case("length", _show(lines), _post(lines, b"abc" + SMUGGLED), (400,)))
    for line in (
        b"Content-Length : 3",
        b" Content-Length: 3",
        b"Content-Length\x00: 3",
        b"X: a\nContent-Length: 3",
    ):
        cases += [Case("length", _show(line), _post(line + b"\r\n", b"abc" + SMUGGLED), (400,))]
    return cases


def chunks() -> list[Case]:
    bodies = [
        b"\r\nabc\r\n0\r\n\r\n",
        b" 3\r\nabc\r\n0\r\n\r\n",
        b"3 \r\nabc\r\n0\r\n\r\n",
        b"+3\r\nabc\r\n0\r\n\r\n",
        b"-3\r\nabc\r\n0\r\n\r\n",
        b"0x3\r\nabc\r\n0\r\n\r\n",
        b"g\r\nabc\r\n0\r\n\r\n",
        b"3g\r\nabc\r\n0\r\n\r\n",
        b"3\nabc\r\n0\r\n\r\n",
        b"3\rabc\r\n0\r\n\r\n",
        b"3\r\rabc\r\n0\r\n\r\n",
        b"3\n\rabc\r\n0\r\n\r\n",
        b"3\r\nabc\n0\r\n\r\n",
        b"3\r\nabc0\r\n\r\n",
        b"3\r\nabcd\r\n0\r\n\r\n",
        b"3\r\nab\r\n0\r\n\r\n",
        b"4\r\nabc\r\n0\r\n\r\n",
        b"3;\nabc\r\n0\r\n\r\n",
        b"3;a\nabc\r\n0\r\n\r\n",
        b"3;a=\nabc\r\n0\r\n\r\n",
        b"3;a=b\nabc\r\n0\r\n\r\n",
        b'3;a="b\nabc\r\n0\r\n\r\n',
        b"3;a\x00\r\nabc\r\n0\r\n\r\n",
        b"3;a=\x01\r\nabc\r\n0\r\n\r\n",
        b"3;a=b\rc\r\nabc\r\n0\r\n\r\n",
        b"3\x00\r\nabc\r\n0\r\n\r\n",
        b"3,\r\nabc\r\n0\r\n\r\n",
        b"3:\r\nabc\r\n0\r\n\r\n",
        b"\xef\xbc\x93\r\nabc\r\n0\r\n\r\n",
        b"FFFFFFFFFFFFFFFFF\r\nabc\r\n0\r\n\r\n",
        b"10000000000000003\r\nabc\r\n0\r\n\r\n",
        b"3\r\nabc\r\n0\r\nX : y\r\n\r\n",
        b"3\r\nabc\r\n0\r\nX\r\n\r\n",
        b"3\r\nabc\r\n0\r\nX: a\n\r\n",
        b"3\r\nabc\r\n0\r\nX: a\x00\r\n\r\n",
        b"3\r\nabc\r\n0\r\n X: a\r\n\r\n",
        b"3\r\nabc\r\n0\r\nX: a\r\n b\r\n\r\n",
        b"3\r\nabc\r\n0\r\nHost: y\r\nHost: z\r\n\r\n",
        b"3\r\nabc\r\n0\n\n",
        b"3\r\nabc\r\n0\r\n\n",
        b"3\r\nabc\r\n0\r\r\n",
    ]
    head = b"Transfer-Encoding: chunked\r\n"
    return [Case("chunk", _show(body), _post(head, body + SMUGGLED), (400, 413)) for body in bodies]


def header_lines() -> list[Case]:
    lines = [
        b"X : a", b"X\t: a", b" X: a", b"\tX: a", b": a", b"X", b"X y: a", b"X\x00: a", b"X\x7f: a", b"X\xff: a",
        b"\xe4: a",
        b"X: a\r\n b", b"X: a\r\n\tb", b"X:\r\n a", b"X: a\nY: b", b"X: a\n\r\nY: b", b"X: a\rY: b",
        b"X: a\r\rY: b", b"X: a\n",
        b"X: a\x00b", b"X: \x01", b"X: \x08", b"X: \x0b", b"X: \x0c", b"X: \x1b[0m", b"X: \x1f", b"X: \x7f",
        b"\x00", b"\r",
        *(b"X%cy: a" % mark for mark in b'()<>@,;\\"/[]?={}'),
        b"Authorization: a\r\nAuthorization: b",
        b"Expect: 100-continue, other\r\nContent-Length: 3",
        b"Expect: 200-ok\r\nContent-Length: 3",
    ]  # fmt: skip
    return [Case("header", _show(line), _post(line + b"\r\n", SMUGGLED), (400, 417)) for line in lines]


def request_lines() -> list[Case]:
    lines = [
        b"get /a HTTP/1.1", b"Get /a HTTP/1.1", b"FOO /a HTTP/1.1", b"GETT /a HTTP/1.1", b"GE /a HTTP/1.1",
        b" GET /a HTTP/1.1",
        b"G\x00T /a HTTP/1.1", b"G\xe4T /a HTTP/1.1", b"GET\x00 /a HTTP/1.1", b"GET\t/a HTTP/1.1",
        b"GET/a HTTP/1.1", b"/a HTTP/1.1",
        b"TRACE /a HTTP/1.1", b"PROPFIND /a HTTP/1.1", b"CONNECT x:443 HTTP/1.1", b"LINK /a HTTP/1.1",
        b"PURGE /a HTTP/1.1",
        b"M-SEARCH * HTTP/1.1", b"SOURCE /a HTTP/1.1", b"DESCRIBE /a RTSP/1.0", b"PRI * HTTP/2.0",
        b"GET /a HTTP/1.2", b"GET /a HTTP/1.9", b"GET /a HTTP/0.9", b"GET /a HTTP/2.0", b"GET /a HTTP/2",
        b"GET /a HTTP/3.0",
        b"GET /a HTTP/1", b"GET /a HTTP/1.", b"GET /a HTTP/.1", b"GET /a HTTP/11", b"GET /a HTTP/1.10",
        b"GET /a HTTP/01.1",
        b"GET /a HTTP/1.1.1", b"GET /a HTTP/1,1", b"GET /a http/1.1", b"GET /a HTTP 1.1", b"GET /a HTTP/ 1.1",
        b"GET /a HTTPS/1.1",
        b"GET /a XTTP/1.1", b"GET /a HTTP/1.1 ", b"GET /a HTTP/1.1x", b"GET /a HTTP/1.1\t",
        b"GET /a HTTP/1.1 HTTP/1.1", b"GET /a",
        b"GET", b"GET /a b HTTP/1.1", b"GET /a\x00 HTTP/1.1", b"GET /\x01 HTTP/1.1", b"GET /\x7f HTTP/1.1",
        b"GET /\xff HTTP/1.1",
        b"GET /\xc3\xa4 HTTP/1.1", b"GET /a\tb HTTP/1.1", b"GET /a\x0bb HTTP/1.1", b"GET a HTTP/1.1",
        b"GET ?a HTTP/1.1", b"GET # HTTP/1.1",
        b"GET /a#b HTTP/1.1", b"GET \\a HTTP/1.1", b"GET * HTTP/1.1", b"POST * HTTP/1.1", b"GET x:80 HTTP/1.1",
        b"GET http:// HTTP/1.1",
        b"GET http:///a HTTP/1.1", b"GET http://other/a HTTP/1.1", b"GET http://u@x/a HTTP/1.1",
        b"GET http://x:y/a HTTP/1.1",
        b"GET http://x#f HTTP/1.1", b"GET file:///etc/passwd HTTP/1.1", b"GET ftp://x/a HTTP/1.1",
        b"GET http:x HTTP/1.1",
        b"GET /a\r HTTP/1.1", b"GET /a HTTP/1.1\r", b"GET /a\n HTTP/1.1",
    ]  # fmt: skip
    cases = [
        Case("request line", _show(line), line + b"\r\n" + HOST + b"\r\n" + SMUGGLED, (400, 501, 505))
        for line in lines
    ]
    raw = b"GET /a HTTP/1.1\nHost: x\n\n" + SMUGGLED
    return [*cases, Case("request line", "line feeds alone", raw, (400,))]


def hosts() -> list[Case]:
    blocks = [
        b"", b"Host:\r\n", b"Host: \r\n", b"Host: x\r\nHost: x\r\n", b"Host: x\r\nhost: y\r\n", b"Host: x, y\r\n",
        b"Host: x y\r\n",
        b"Host: x/y\r\n", b"Host: x?y\r\n", b"Host: x#y\r\n", b"Host: u@x\r\n", b"Host: x:port\r\n",
        b"Host: x:1:2\r\n", b"Host: [::1\r\n",
        b"Host: [zz]\r\n", b"Host: x\\y\r\n", b"Host: \xff\r\n", b"Host : x\r\n", b"Host: x:999999\r\n",
        b"Host: <x>\r\n", b"Host: \"x\"\r\n",
    ]  # fmt: skip
    return [
        Case("host", _show(block), b"GET /a HTTP/1.1\r\n" + block + b"\r\n" + SMUGGLED, (400,))
        for block in blocks
    ]


def oversize() -> list[Case]:
    get = b"GET /a HTTP/1.1\r\n" + HOST
    long_chunked = b"Transfer-Encoding: chunked\r\n"
    return [
        Case("oversize", "target", b"GET /%b HTTP/1.1\r\n%b\r\n" % (b"a" * 9000, HOST), (414,)),
        Case("oversize", "query", b"GET /a?%b HTTP/1.1\r\n%b\r\n" % (b"a" * 9000, HOST), (414,)),
        Case("oversize", "endless target", b"GET /%b" % (b"a" * 20_000), (414,)),
        Case("oversize", "value", get + b"X: %b\r\n\r\n" % (b"a" * 40_000), (431,)),
        Case("oversize", "endless value", get + b"X: %b" % (b"a" * 40_000), (431,)),
        Case("oversize", "name", get + b"%b: a\r\n\r\n" % (b"X" * 40_000), (431,)),
        Case("oversize", "endless name", get + b"X" * 40_000, (431,)),
        Case(
            "oversize",
            "many headers",
            get + b"".join(b"X-%d: a\r\n" % n for n in range(150)) + b"\r\n",
            (431,),
        ),
        Case("oversize", "one header often", get + b"X: a\r\n" * 150 + b"\r\n", (431,)),
        Case("oversize", "endless headers", get + b"".join(b"X-%d: a\r\n" % n for n in range(5000)), (431,)),
        Case("oversize", "body", _post(b"Content-Length: 70000000\r\n"), (413,)),
        Case("oversize", "chunk extension", _post(long_chunked, b"3;" + b"a" * 200_000), (400,)),
        Case("oversize", "trailers", _post(long_chunked, b"0\r\n" + b"X: a\r\n" * 20_000), (400, 431)),
        Case("oversize", "one trailer", _post(long_chunked, b"0\r\nX: " + b"a" * 200_000), (400, 431)),
        Case("oversize", "empty lines", b"\r\n" * 40_000, (400, 431)),
    ]


def other_protocols() -> list[Case]:
    openings = {
        "TLS": bytes.fromhex("16030100c8010000c40303") + b"\x5a" * 200,
        "SSL 2": bytes.fromhex("802e0100020015000000"),
        "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9),
        "SSH": b"SSH-2.0-OpenSSH_9.6\r\n",
        "SMTP": b"EHLO x\r\n",
        "Redis": b"*1\r\n$4\r\nPING\r\n",
        "Redis inline": b"PING\r\n",
        "Postgres": bytes.fromhex("0000000804d2162f"),
        "SOCKS 5": b"\x05\x01\x00",
        "SOCKS 4": b"\x04\x01\x00\x50\x7f\x00\x00\x01\x00",
        "PROXY 1": b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n" + SMUGGLED,
        "PROXY 2": b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c" + bytes(12) + SMUGGLED,
        "an answer": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        "FastCGI": b"\x01\x01\x00\x01\x00\x08\x00\x00" + bytes(8),
        "memcached": b"stats\r\n",
        "nothing but zeros": bytes(64),
        "nothing but 0xff": b"\xff" * 64,
        "JSON": b'{"model":"x"}',
        "UTF-8 mark": b"\xef\xbb\xbfGET / HTTP/1.1\r\nHost: x\r\n\r\n",
        "UTF-16": "GET / HTTP/1.1\r\n".encode("utf-16"),
    }
    return [Case("other protocol", name, raw, (400, 501, 505)) for name, raw in openings.items()]


CASES = [
    *length_and_coding(),
    *codings(),
    *lengths(),
    *chunks(),
    *header_lines(),
    *request_lines(),
    *hosts(),
    *oversize(),
    *other_protocols(),
]

TRUNCATED = [
    whole[:end]
    for whole in (
        b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabcd",
        b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r",
    )
    for end in range(0, len(whole) + 1, 3)
]
"""Requests that end in the middle of nowhere."""
