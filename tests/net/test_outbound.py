"""Answers as upstreams really send them: framings, truncation, nonsense, reuse."""

import asyncio
from contextlib import suppress

import pytest
from tests.support.loopback import (
    QUICK,
    Collector,
    Peer,
    Upstream,
    calling,
    eventually,
    request,
    run,
    scripted,
)

from aimesh.net.message import BadAnswer, ConnectionLost, ExchangeError

GET = b"GET /a HTTP/1.1\r\nhost: up\r\n"
HEAD = b"HEAD /a HTTP/1.1\r\nhost: up\r\n"
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


class Says:
    """Answers every request of a connection with the same bytes; then closes it, if told so."""

    def __init__(self, answer: bytes, *, closes: bool = False, is_dripping: bool = False) -> None:
        self._answer = answer
        self._closes = closes
        self._is_dripping = is_dripping

    async def __call__(self, peer: Peer, upstream: Upstream) -> None:
        while True:
            await request(peer, upstream)
            if self._is_dripping:
                for byte in self._answer:
                    await peer.send(bytes((byte,)))
                    await asyncio.sleep(0)
            else:
                await peer.send(self._answer)
            if self._closes:
                return


WHOLE = [
    (OK, 200, b"ok"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, b""),
    (b"HTTP/1.1 429 \r\nContent-Length: 1\r\n\r\nx", 429, b"x"),
    (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n",
        200,
        b"abc0123456789",
    ),
    (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n1;x=y\r\na\r\n0\r\nTrailer: v\r\n\r\n",
        200,
        b"a",
    ),
    (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
    (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n", 304, b""),
    (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + OK, 200, b"ok"),
    (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", 200, b"ok"),
    (b"HTTP/1.1 302 Found\r\nLocation: http://elsewhere/\r\nContent-Length: 0\r\n\r\n", 302, b""),
]


@pytest.mark.parametrize(("answer", "status", "body"), WHOLE)
@pytest.mark.parametrize("is_dripping", [False, True])
def test_complete_answers_leave_the_connection_reusable(
    answer: bytes, status: int, body: bytes, *, is_dripping: bool
) -> None:
    async def main() -> None:
        async with scripted(Says(answer, is_dripping=is_dripping)) as upstream, calling() as client:
            for _ in range(3):
                exchange = client.send(upstream.origin, GET, b"", timeouts=QUICK)
                assert (await exchange.head()).status == status
                assert await exchange.body(100) == body
            assert upstream.connections == 1

    run(main)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\n\r\nup to the end",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 13\r\n\r\nup to the end",
        b"HTTP/1.0 200 OK\r\n\r\nup to the end",
        b"HTTP/1.0 200 OK\r\nContent-Length: 13\r\n\r\nup to the end",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\nd\r\nup to the end\r\n0\r\n\r\n",
    ],
)
def test_answers_that_end_the_connection(answer: bytes) -> None:
    async def main() -> None:
        async with scripted(Says(answer, closes=True)) as upstream, calling() as client:
            for number in range(1, 3):
                assert (
                    await client.send(upstream.origin, GET, b"", timeouts=QUICK).body(100) == b"up to the end"
                )
                assert client.stats().idle == 0
                assert upstream.connections == number

    run(main)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcd",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
    ],
)
def test_a_truncated_answer_is_a_loss(answer: bytes) -> None:
    async def main() -> None:
        async with scripted(Says(answer, closes=True)) as upstream, calling() as client:
            with pytest.raises(ConnectionLost) as caught:
                await client.send(upstream.origin, GET, b"", timeouts=QUICK).body(100)
            assert caught.value.was_sent
            exchange = client.send(upstream.origin, GET, b"", timeouts=QUICK)
            sink = Collector()
            with pytest.raises(ConnectionLost):
                await exchange.pipe(sink)
            assert bytes(sink.got) in (b"", b"abc", b"abcd"), "what came before the loss is not withheld"
            await eventually(lambda: client.stats().open == 0)

    run(main)


def test_a_reset_does_not_end_an_answer_delimited_by_close() -> None:
    async def reset(peer: Peer, upstream: Upstream) -> None:
        await request(peer, upstream)
        await peer.send(b"HTTP/1.1 200 OK\r\n\r\nabc")
        await peer.reader.readexactly(1)
        peer.reset()

    async def main() -> None:
        async with scripted(reset) as upstream, calling() as client:
            exchange = client.send(upstream.origin, GET, b"", timeouts=QUICK)
            assert await exchange.piece() == b"abc"
            assert exchange.connection is not None
            exchange.connection.transport.write(b"x")
            with pytest.raises(ConnectionLost):
                await exchange.piece()

    run(main)


@pytest.mark.parametrize(
    "answer",
    [
        b"not HTTP at all\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 000 X\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcde",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nabcde",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\nY: b\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\x00b\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000,
        b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * 300 + b"\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 20,
    ],
)
def test_nonsense_is_a_bad_answer(answer: bytes) -> None:
    async def stays(peer: Peer, upstream: Upstream) -> None:
        await request(peer, upstream)
        await peer.send(answer)
        await peer.rest()

    async def main() -> None:
        async with scripted(stays) as upstream, calling() as client:
            with pytest.raises(BadAnswer):
                await client.send(upstream.origin, GET, b"", timeouts=QUICK).body(100)
            await eventually(lambda: upstream.open == 0)

    run(main)


def test_a_head_just_below_the_limit_is_read() -> None:
    async def main() -> None:
        answer = (
            b"HTTP/1.1 200 OK\r\nX: " + b"a" * 60_000 + b"\r\nContent-Length: 90000\r\n\r\n" + b"b" * 90_000
        )
        async with scripted(Says(answer)) as upstream, calling() as client:
            exchange = client.send(upstream.origin, GET, b"", timeouts=QUICK)
            assert len((await exchange.head()).headers[b"x"]) == 60_000
            assert len(await exchange.body(100_000)) == 90_000

    run(main)


def test_repeated_headers_are_joined() -> None:
    async def main() -> None:
        answer = b"HTTP/1.1 200 OK\r\nX-A: 1\r\nx-a:  2 \r\nContent-Length: 0\r\n\r\n"
        async with scripted(Says(answer)) as upstream, calling() as client:
            head = await client.send(upstream.origin, GET, b"", timeouts=QUICK).head()
            assert head.headers == {b"x-a": b"1, 2", b"content-length": b"0"}
            assert head.more_cookies == ()

    run(main)


def test_repeated_cookies_stay_apart() -> None:
    cookies = (
        b"Set-Cookie: a=1; Expires=Wed, 01 Jan 2031 00:00:00 GMT\r\nSet-Cookie: b=2 \r\nset-cookie: c=3\r\n"
    )

    async def main() -> None:
        answer = b"HTTP/1.1 200 OK\r\n" + cookies + b"Content-Length: 0\r\n\r\n"
        async with scripted(Says(answer)) as upstream, calling() as client:
            for _ in range(2):
                exchange = client.send(upstream.origin, GET, b"", timeouts=QUICK)
                head = await exchange.head()
                assert head.headers[b"set-cookie"] == b"a=1; Expires=Wed, 01 Jan 2031 00:00:00 GMT"
                assert head.more_cookies == (b"b=2", b"c=3")
                await exchange.body(9)
            assert upstream.connections == 1

    run(main)


@pytest.mark.parametrize(
    "extra", [b"x", b"HTTP/1.1", OK, b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n", b"\r\n", b"\x00\x00"]
)
def test_bytes_after_an_answer_end_the_connection(extra: bytes) -> None:
    async def main() -> None:
        async with scripted(Says(OK + extra)) as upstream, calling() as client:
            for number in range(1, 4):
                assert await client.send(upstream.origin, GET, b"", timeouts=QUICK).body(9) == b"ok"
                if extra != b"\r\n":
                    assert client.stats().idle == 0
                    assert upstream.connections == number

    run(main)


def test_bytes_on_an_idle_connection_end_it() -> None:
    async def talkative(peer: Peer, upstream: Upstream) -> None:
        await request(peer, upstream)
        await peer.send(OK)
        await asyncio.sleep(0.02)
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil")
        await peer.rest()

    async def main() -> None:
        async with scripted(talkative) as upstream, calling() as client:
            for number in range(1, 3):
                assert await client.send(upstream.origin, GET, b"", timeouts=QUICK).body(9) == b"ok"
                assert upstream.connections == number
                await eventually(lambda: client.stats().open == 0)

    run(main)


def test_an_upstream_that_speaks_first_is_not_listened_to() -> None:
    async def eager(peer: Peer, upstream: Upstream) -> None:
        await peer.send(OK)
        await peer.rest()

    async def main() -> None:
        async with scripted(eager) as upstream, calling() as client:
            exchange = client.send(upstream.origin, GET, b"", timeouts=QUICK)
            # Whether its words arrive before or after ours is a race; either way the exchange ends.
            with suppress(ExchangeError):
                assert await exchange.body(9) == b"ok"
            assert exchange.is_over
            assert client.stats().in_use == 0

    run(main)


def test_answers_to_head_have_no_body() -> None:
    async def main() -> None:
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
        async with scripted(Says(answer)) as upstream, calling() as client:
            for _ in range(3):
                exchange = client.send(upstream.origin, HEAD, b"", timeouts=QUICK)
                assert (await exchange.head()).headers[b"content-length"] == b"1000000"
                assert await exchange.body(10) == b""
            assert upstream.connections == 1

    run(main)


def test_a_body_in_an_answer_to_head_is_dropped_with_its_connection() -> None:
    async def main() -> None:
        async with scripted(Says(OK)) as upstream, calling() as client:
            for number in range(1, 3):
                assert await client.send(upstream.origin, HEAD, b"", timeouts=QUICK).body(10) == b""
                assert upstream.connections == number

    run(main)


def test_an_answer_before_the_request_was_taken_ends_the_connection() -> None:
    async def early(peer: Peer, upstream: Upstream) -> None:
        await peer.reader.readuntil(b"\r\n\r\n")
        peer.pause()
        await peer.send(b"HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno")
        await eventually(lambda: upstream.connections > 5, within_s=0.3)

    async def main() -> None:
        async with scripted(early) as upstream, calling() as client:
            exchange = client.send(
                upstream.origin, b"POST / HTTP/1.1\r\nhost: x\r\n", b"x" * 30_000_000, timeouts=QUICK
            )
            assert (await exchange.head()).status == 413
            assert await exchange.body(10) == b"no"
            assert client.stats().idle == 0

    run(main)
