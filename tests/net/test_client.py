"""The pooled client as a whole: requests, reuse, stale connections, limits, closing."""

import asyncio

import pytest
from tests.support.loopback import (
    QUICK,
    Peer,
    Upstream,
    calling,
    eventually,
    free_port,
    request,
    run,
    scripted,
    serving,
)

from aimesh.net.client import ClientSettings
from aimesh.net.message import (
    ConnectFailed,
    ConnectionLost,
    Origin,
    Reply,
    Request,
    TimedOut,
    Timeouts,
)

GET = b"GET /a HTTP/1.1\r\nhost: up\r\n"
POST = b"POST /a HTTP/1.1\r\nhost: up\r\n"
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


def echo(request: Request, reply: Reply) -> None:
    reply.send(200, b"x-method: %b\r\n" % request.method, request.path + b" " + request.body)


async def answers(peer: Peer, upstream: Upstream) -> None:
    while True:
        await request(peer, upstream)
        await peer.send(OK)


def test_a_request_and_its_answer() -> None:
    async def main() -> None:
        async with serving(echo) as live, calling() as client:
            exchange = client.send(live.origin, POST, b"abc", timeouts=QUICK)
            head = await exchange.head()
            assert head.status == 200
            assert head.headers[b"x-method"] == b"POST"
            assert await exchange.body(100) == b"/a abc"

    run(main)


def test_what_is_written_to_the_upstream() -> None:
    async def main() -> None:
        async with scripted(answers) as upstream, calling() as client:
            for head, body in (
                (GET, b""),
                (POST, b""),
                (POST, b"abc"),
                (b"DELETE /a HTTP/1.1\r\nhost: up\r\n", b""),
            ):
                assert await client.send(upstream.origin, head, body, timeouts=QUICK).body(9) == b"ok"
            assert upstream.requests == [
                GET + b"\r\n",
                POST + b"content-length: 0\r\n\r\n",
                POST + b"content-length: 3\r\n\r\n",
                b"DELETE /a HTTP/1.1\r\nhost: up\r\n\r\n",
            ]

    run(main)


def test_a_large_body_arrives_whole() -> None:
    body = b"0123456789abcdef" * 300_000

    def handler(request: Request, reply: Reply) -> None:
        reply.send(200, b"", request.body)

    async def main() -> None:
        async with serving(handler) as live, calling() as client:
            for _ in range(2):
                assert await client.send(live.origin, POST, body, timeouts=QUICK).body(len(body)) == body
            assert client.stats().opened == 1

    run(main)


def test_connections_are_reused_and_counted() -> None:
    async def main() -> None:
        async with serving(echo) as live, calling() as client:
            for _ in range(10):
                await client.send(live.origin, GET, b"", timeouts=QUICK).body(100)
            stats = client.stats()
            assert (stats.open, stats.idle, stats.in_use, stats.opened, stats.reused) == (1, 1, 0, 1, 9)
            many = [client.send(live.origin, GET, b"", timeouts=QUICK) for _ in range(5)]
            assert client.stats().in_use == 1
            assert client.stats().dialling == 4
            for exchange in many:
                await exchange.body(100)
            assert client.stats().idle == client.stats().open == 5
            await client.send(live.origin, GET, b"", timeouts=QUICK, fresh=True).body(100)
            assert client.stats().opened == 6

    run(main)


def test_an_idle_connection_sends_at_once() -> None:
    async def main() -> None:
        async with serving(echo) as live, calling() as client:
            await client.send(live.origin, GET, b"", timeouts=QUICK).body(100)
            exchange = client.send(live.origin, GET, b"", timeouts=QUICK)
            assert exchange.was_sent
            await exchange.body(100)

    run(main)


def test_idle_connections_expire() -> None:
    async def main() -> None:
        async with serving(echo) as live, calling(ClientSettings(idle_s=0.05)) as client:
            await client.send(live.origin, GET, b"", timeouts=QUICK).body(100)
            assert client.stats().idle == 1
            await eventually(lambda: client.stats().open == 0)
            await eventually(lambda: live.server.stats.open == 0)

    run(main)


def test_only_so_many_idle_connections_are_kept() -> None:
    async def main() -> None:
        async with serving(echo) as live, calling(ClientSettings(max_idle_per_origin=2)) as client:
            for exchange in [client.send(live.origin, GET, b"", timeouts=QUICK) for _ in range(6)]:
                await exchange.body(100)
            assert client.stats().idle == 2
            await eventually(lambda: client.stats().open == 2)

    run(main)


def test_a_stale_connection_is_replaced_without_a_word() -> None:
    async def once(peer: Peer, upstream: Upstream) -> None:
        await request(peer, upstream)
        await peer.send(OK)
        await request(peer, upstream)

    async def main() -> None:
        async with scripted(once) as upstream, calling() as client:
            assert await client.send(upstream.origin, POST, b"1", timeouts=QUICK).body(9) == b"ok"
            assert await client.send(upstream.origin, POST, b"2", timeouts=QUICK).body(9) == b"ok"
            assert upstream.connections == 2
            assert len(upstream.requests) == 3

    run(main)


def test_a_stale_connection_closed_while_idle_is_not_used() -> None:
    async def once(peer: Peer, upstream: Upstream) -> None:
        await request(peer, upstream)
        await peer.send(OK)

    async def main() -> None:
        async with scripted(once) as upstream, calling() as client:
            for _ in range(3):
                assert await client.send(upstream.origin, POST, b"1", timeouts=QUICK).body(9) == b"ok"
                await eventually(lambda: client.stats().open == 0)
            assert len(upstream.requests) == 3

    run(main)


def test_a_lost_answer_is_not_retried() -> None:
    async def partly(peer: Peer, upstream: Upstream) -> None:
        await request(peer, upstream)
        await peer.send(OK)
        await request(peer, upstream)
        await peer.send(b"HTTP/1.1 2")

    async def main() -> None:
        async with scripted(partly) as upstream, calling() as client:
            await client.send(upstream.origin, POST, b"1", timeouts=QUICK).body(9)
            with pytest.raises(ConnectionLost) as caught:
                await client.send(upstream.origin, POST, b"2", timeouts=QUICK).head()
            assert caught.value.was_sent
            assert upstream.connections == 1

    run(main)


def test_a_new_connection_that_dies_is_not_retried() -> None:
    async def nothing(peer: Peer, upstream: Upstream) -> None:
        await request(peer, upstream)

    async def main() -> None:
        async with scripted(nothing) as upstream, calling() as client:
            for fresh in (False, True):
                with pytest.raises(ConnectionLost) as caught:
                    await client.send(upstream.origin, POST, b"1", timeouts=QUICK, fresh=fresh).head()
                assert caught.value.was_sent
            assert upstream.connections == 2

    run(main)


def test_a_retry_happens_once() -> None:
    async def once(peer: Peer, upstream: Upstream) -> None:
        await request(peer, upstream)
        if upstream.connections == 1:
            await peer.send(OK)
            await request(peer, upstream)

    async def main() -> None:
        async with scripted(once) as upstream, calling() as client:
            await client.send(upstream.origin, POST, b"1", timeouts=QUICK).body(9)
            with pytest.raises(ConnectionLost):
                await client.send(upstream.origin, POST, b"2", timeouts=QUICK).head()
            assert upstream.connections == 2

    run(main)


def test_nobody_listens() -> None:
    async def main() -> None:
        async with calling() as client:
            with pytest.raises(ConnectFailed, match="connect refused") as caught:
                await client.send(
                    Origin("127.0.0.1", free_port(), tls=False), GET, b"", timeouts=QUICK
                ).head()
            assert not caught.value.was_sent

    run(main)


def test_a_retry_that_cannot_connect_says_that_the_request_was_sent() -> None:
    async def once(peer: Peer, upstream: Upstream) -> None:
        await request(peer, upstream)
        await peer.send(OK)
        await request(peer, upstream)
        upstream.stop()

    async def main() -> None:
        async with scripted(once) as upstream, calling() as client:
            await client.send(upstream.origin, POST, b"1", timeouts=QUICK).body(9)
            with pytest.raises(ConnectFailed) as caught:
                await client.send(upstream.origin, POST, b"2", timeouts=QUICK).head()
            assert caught.value.was_sent, "the lost connection may have carried it"

    run(main)


async def silence(peer: Peer, upstream: Upstream) -> None:
    await request(peer, upstream)
    await peer.rest()


async def half(peer: Peer, upstream: Upstream) -> None:
    await request(peer, upstream)
    await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc")
    await peer.rest()


async def drip(peer: Peer, upstream: Upstream) -> None:
    await request(peer, upstream)
    await peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        await peer.send(b"x")
        await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("script", "timeouts", "phase"),
    [
        (silence, Timeouts(first_byte_s=0.05), "first byte"),
        (half, Timeouts(idle_s=0.05), "idle"),
        (drip, Timeouts(whole_s=0.3, idle_s=5), "whole"),
        (silence, Timeouts(whole_s=0.05), "whole"),
    ],
)
def test_limits_in_time(script: object, timeouts: Timeouts, phase: str) -> None:
    async def main() -> None:
        assert callable(script)
        async with scripted(script) as upstream, calling() as client:
            began_s = asyncio.get_running_loop().time()
            exchange = client.send(upstream.origin, POST, b"1", timeouts=timeouts)
            with pytest.raises(TimedOut) as caught:
                await exchange.body(10_000)
            took_s = asyncio.get_running_loop().time() - began_s
            assert caught.value.phase == phase
            assert caught.value.was_sent
            assert caught.value.limit_s <= took_s < caught.value.limit_s + 1.0
            assert client.stats().open == 0
            await eventually(lambda: upstream.open == 0)

    run(main)


def test_connecting_has_a_limit_of_its_own() -> None:
    async def main() -> None:
        # A full backlog: connecting neither succeeds nor fails.
        async with calling(ClientSettings(max_per_origin=1)) as client, scripted(silence) as upstream:
            holder = client.send(upstream.origin, POST, b"1", timeouts=QUICK)
            await eventually(lambda: upstream.open == 1)
            waiting = client.send(upstream.origin, POST, b"2", timeouts=Timeouts(connect_s=0.05))
            with pytest.raises(TimedOut) as caught:
                await waiting.head()
            assert caught.value.phase == "connect"
            assert not caught.value.was_sent
            holder.cancel()

    run(main)


def test_a_ceiling_makes_exchanges_wait_in_order() -> None:
    async def main() -> None:
        async with scripted(answers) as upstream, calling(ClientSettings(max_per_origin=2)) as client:
            many = [
                client.send(upstream.origin, POST, b"%d" % n, timeouts=QUICK, fresh=n == 7) for n in range(12)
            ]
            dropped = many.pop(5)
            dropped.cancel()
            for exchange in many:
                assert await exchange.body(9) == b"ok"
            assert len(upstream.requests) == 11
            assert client.stats().open <= 2
            # A fresh connection takes the room of an idle one.
            await client.send(upstream.origin, POST, b"", timeouts=QUICK, fresh=True).body(9)
            assert client.stats().open <= 2

    run(main)


def test_closing_ends_everything() -> None:
    async def main() -> None:
        async with scripted(silence) as upstream, calling() as client:
            running = client.send(upstream.origin, POST, b"1", timeouts=QUICK)
            await eventually(lambda: upstream.open == 1)
            dialling = client.send(upstream.origin, POST, b"2", timeouts=QUICK)
            client.close()
            with pytest.raises(ConnectFailed):
                await running.head()
            with pytest.raises(ConnectFailed):
                await dialling.head()
            with pytest.raises(ConnectFailed):
                await client.send(upstream.origin, POST, b"3", timeouts=QUICK).head()
            await eventually(lambda: upstream.open == 0)

    run(main)


def test_the_timer_rests_when_there_is_nothing_to_watch() -> None:
    async def main() -> None:
        async with serving(echo) as live, calling(ClientSettings(idle_s=0.05)) as client:
            for _ in range(2):
                await client.send(live.origin, GET, b"", timeouts=QUICK).body(100)
                assert client.is_watching
                await eventually(lambda: not client.is_watching)

    run(main)
