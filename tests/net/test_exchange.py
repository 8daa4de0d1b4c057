"""Reading an answer: whole, in pieces, piped; slow readers; leaving early."""

import asyncio

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
    serving,
)

from aimesh.net.exchange import UNCLAIMED_BYTES
from aimesh.net.message import BadAnswer, ConnectionLost, Reply, Request, TimedOut, Timeouts
from aimesh.net.walk import Walk

GET = b"GET /a HTTP/1.1\r\nhost: up\r\n"
STREAM = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


async def ten(peer: Peer, upstream: Upstream) -> None:
    while True:
        await request(peer, upstream)
        await peer.send(STREAM)
        for number in range(10):
            await peer.send(chunk(b"data: %d\n\n" % number))
            await asyncio.sleep(0.002)
        await peer.send(b"0\r\n\r\n")


TEN = b"".join(b"data: %d\n\n" % number for number in range(10))


def test_pieces_come_as_they_arrive_and_end_with_nothing() -> None:
    async def main() -> None:
        async with scripted(ten) as upstream, calling() as client:
            exchange = client.send(upstream.origin, GET, b"", timeouts=QUICK)
            await exchange.head()
            pieces = []
            while piece := await exchange.piece():
                pieces.append(piece)
            assert len(pieces) > 3
            assert b"".join(pieces) == TEN
            assert await exchange.piece() == b""
            assert client.stats().idle == 1

    run(main)


def test_pieces_of_one_read_are_joined() -> None:
    async def burst(peer: Peer, upstream: Upstream) -> None:
        await request(peer, upstream)
        await peer.send(STREAM + chunk(b"a") + chunk(b"b") + chunk(b"c") + b"0\r\n\r\n")
        await peer.rest()

    async def main() -> None:
        async with scripted(burst) as upstream, calling() as client:
            exchange = client.send(upstream.origin, GET, b"", timeouts=QUICK)
            await exchange.head()
            assert await exchange.piece() == b"abc"
            assert await exchange.piece() == b""

    run(main)


def test_a_pipe_hands_everything_over_and_returns_the_connection() -> None:
    async def main() -> None:
        async with scripted(ten) as upstream, calling() as client:
            for _ in range(2):
                sink = Collector()
                exchange = client.send(upstream.origin, GET, b"", timeouts=QUICK)
                await exchange.head()
                await exchange.pipe(sink)
                assert bytes(sink.got) == TEN
                assert sink.feeds > 3
            assert (upstream.connections, client.stats().idle) == (1, 1)

    run(main)


def test_a_pipe_after_some_pieces_and_after_the_end() -> None:
    async def main() -> None:
        async with scripted(ten) as upstream, calling() as client:
            exchange = client.send(upstream.origin, GET, b"", timeouts=QUICK)
            first = await exchange.piece()
            sink = Collector()
            await eventually(lambda: exchange.is_complete)
            await exchange.pipe(sink)
            assert first + bytes(sink.got) == TEN
            assert sink.feeds == 1
            empty = Collector()
            await exchange.pipe(empty)
            assert empty.feeds == 0

    run(main)


class Flood:
    """Writes as much as it can and remembers how much that was."""

    def __init__(self) -> None:
        self.written = 0

    async def __call__(self, peer: Peer, upstream: Upstream) -> None:
        await request(peer, upstream)
        await peer.send(STREAM)
        block = b"x" * 65_536
        for _ in range(1000):
            await peer.send(chunk(block))
            self.written += len(block)
        await peer.send(b"0\r\n\r\n")
        await peer.rest()

    async def settle(self) -> int:
        """Waits until nothing more goes out."""
        before = -1
        while before != self.written or not self.written:
            before = self.written
            await asyncio.sleep(0.1)
        return self.written


def test_a_slow_sink_stops_the_upstream() -> None:
    flood = Flood()

    async def main() -> None:
        async with scripted(flood) as upstream, calling() as client:
            exchange = client.send(upstream.origin, GET, b"", timeouts=Timeouts(idle_s=0.1))
            await exchange.head()
            sink = Collector(is_willing=False)
            piping = asyncio.get_running_loop().create_task(exchange.pipe(sink))
            stopped_at = await flood.settle()
            assert stopped_at < 20_000_000
            assert sink.feeds == 1, "it was fed again although it had refused"
            assert exchange.buffered_bytes == 0
            await asyncio.sleep(0.3)
            assert not piping.done(), "waiting for a slow reader is no silence of the upstream"
            exchange.resume()
            await eventually(lambda: sink.feeds == 2)
            sink.is_willing = True
            exchange.resume()
            await piping
            assert len(sink.got) == 65_536_000
            exchange.resume()

    run(main)


def test_without_a_reader_little_is_buffered() -> None:
    flood = Flood()

    async def main() -> None:
        async with scripted(flood) as upstream, calling() as client:
            exchange = client.send(upstream.origin, GET, b"", timeouts=QUICK)
            await exchange.head()
            assert await flood.settle() < 20_000_000
            assert exchange.buffered_bytes <= UNCLAIMED_BYTES * 3
            sink = Collector()
            await exchange.pipe(sink)
            assert len(sink.got) == 65_536_000

    run(main)


def test_a_body_over_the_limit_is_cut_off() -> None:
    flood = Flood()

    async def main() -> None:
        async with scripted(flood) as upstream, calling() as client:
            exchange = client.send(upstream.origin, GET, b"", timeouts=QUICK)
            with pytest.raises(BadAnswer, match="larger than 100000 bytes"):
                await exchange.body(100_000)
            assert client.stats().open == 0
            await eventually(lambda: upstream.open == 0)

    run(main)


def test_a_complete_body_over_the_limit_is_refused() -> None:
    def handler(request: Request, reply: Reply) -> None:
        reply.send(200, b"", b"0123456789")

    async def main() -> None:
        async with serving(handler) as live, calling() as client:
            exchange = client.send(live.origin, GET, b"", timeouts=QUICK)
            await eventually(lambda: exchange.is_complete)
            with pytest.raises(BadAnswer):
                await exchange.body(9)

    run(main)


@pytest.mark.parametrize("moment", ["connecting", "waiting", "reading", "piping"])
def test_cancel_closes_the_upstream_at_once(moment: str) -> None:
    async def stalls(peer: Peer, upstream: Upstream) -> None:
        await request(peer, upstream)
        if moment != "waiting":
            await peer.send(STREAM + chunk(b"abc"))
        await peer.rest()

    async def main() -> None:
        async with scripted(stalls) as upstream, calling() as client:
            exchange = client.send(upstream.origin, GET, b"", timeouts=QUICK)
            if moment == "waiting":
                await eventually(lambda: len(upstream.requests) == 1)
            elif moment == "reading":
                await exchange.head()
            elif moment == "piping":
                piping = asyncio.get_running_loop().create_task(exchange.pipe(Collector()))
                await eventually(lambda: exchange.answer is not None)
            exchange.cancel()
            exchange.cancel()
            await eventually(lambda: client.stats().open == 0 and client.stats().dialling == 0)
            await eventually(lambda: upstream.open == 0)
            if moment == "piping":
                with pytest.raises(ConnectionLost):
                    await piping
            elif moment == "reading":
                assert await exchange.piece() == b"abc"
                with pytest.raises(ConnectionLost):
                    await exchange.piece()
            else:
                with pytest.raises(ConnectionLost):
                    await exchange.head()

    run(main)


def test_cancelling_a_complete_exchange_keeps_the_connection() -> None:
    async def main() -> None:
        async with scripted(ten) as upstream, calling() as client:
            exchange = client.send(upstream.origin, GET, b"", timeouts=QUICK)
            await exchange.body(1000)
            exchange.cancel()
            assert client.stats().idle == 1

    run(main)


def test_a_walk_is_resumed_from_the_socket_without_a_turn_of_the_loop() -> None:
    """The reason for walks: the reply leaves in the same callback in which the answer arrived."""
    turns: list[str] = []

    def up(request: Request, reply: Reply) -> None:
        reply.send(200, b"", b"ok")

    async def main() -> None:
        loop = asyncio.get_running_loop()
        async with serving(up) as live, calling() as client:
            await client.send(live.origin, GET, b"", timeouts=QUICK).body(10)

            async def walk() -> None:
                exchange = client.send(live.origin, GET, b"", timeouts=QUICK)
                await exchange.head()
                loop.call_soon(turns.append, "the loop turned")
                turns.append((await exchange.body(10)).decode())
                turns.append("done")

            errors: list[BaseException] = []
            started = Walk(walk(), errors.append)
            started.start()
            await eventually(lambda: started.is_done and len(turns) == 3)
            assert errors == []

    run(main)
    assert turns == ["ok", "done", "the loop turned"]


def test_a_cancelled_walk_leaves_nothing_behind() -> None:
    async def main() -> None:
        async with scripted(ten) as upstream, calling() as client:
            sink = Collector()

            async def walk() -> None:
                exchange = client.send(upstream.origin, GET, b"", timeouts=QUICK)
                try:
                    await exchange.pipe(sink)
                finally:
                    exchange.cancel()

            errors: list[BaseException] = []
            started = Walk(walk(), errors.append)
            started.start()
            await eventually(lambda: sink.feeds > 1)
            started.cancel()
            assert started.is_done
            assert errors == []
            seen = sink.feeds
            await eventually(lambda: upstream.open == 0)
            assert sink.feeds == seen
            assert client.stats().open == 0

    run(main)


def test_a_sink_may_cancel_while_it_is_fed() -> None:
    async def main() -> None:
        async with scripted(ten) as upstream, calling() as client:
            exchange = client.send(upstream.origin, GET, b"", timeouts=QUICK)

            class Quits:
                def feed(self, data: bytes) -> bool:
                    exchange.cancel()
                    return False

            with pytest.raises(ConnectionLost):
                await exchange.pipe(Quits())
            assert client.stats().open == 0

    run(main)


def test_a_failure_in_the_middle_of_a_pipe() -> None:
    async def cut(peer: Peer, upstream: Upstream) -> None:
        await request(peer, upstream)
        await peer.send(STREAM + chunk(b"abc"))

    async def main() -> None:
        async with scripted(cut) as upstream, calling() as client:
            sink = Collector()
            with pytest.raises(ConnectionLost, match="inside the answer"):
                await client.send(upstream.origin, GET, b"", timeouts=QUICK).pipe(sink)
            assert bytes(sink.got) == b"abc"

    run(main)


def test_silence_in_the_middle_of_a_pipe() -> None:
    async def stall(peer: Peer, upstream: Upstream) -> None:
        await request(peer, upstream)
        await peer.send(STREAM + chunk(b"abc"))
        await peer.rest()

    async def main() -> None:
        async with scripted(stall) as upstream, calling() as client:
            with pytest.raises(TimedOut, match=r"idle timeout after 0\.05 s"):
                await client.send(upstream.origin, GET, b"", timeouts=Timeouts(idle_s=0.05)).pipe(Collector())

    run(main)


def test_a_relay_holds_back_the_upstream_of_a_slow_caller() -> None:
    """Slow caller, reply not writable, sink refuses, upstream paused: nothing grows, nothing is lost."""
    flood = Flood()

    async def main() -> None:
        async with scripted(flood) as upstream, calling() as client:

            class ToReply:
                def __init__(self, reply: Reply) -> None:
                    self._reply = reply

                def feed(self, data: bytes) -> bool:
                    self._reply.write(data)
                    return self._reply.is_writable

            async def relay(reply: Reply) -> None:
                exchange = client.send(upstream.origin, GET, b"", timeouts=QUICK)
                reply.open((await exchange.head()).status, b"")
                reply.on_writable = exchange.resume
                await exchange.pipe(ToReply(reply))
                reply.close()

            errors: list[BaseException] = []

            def handler(request: Request, reply: Reply) -> None:
                Walk(relay(reply), errors.append).start()

            async with serving(handler) as live:
                peer = await Peer.connect(live.port)
                peer.pause()
                await peer.send(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
                assert await flood.settle() < 30_000_000
                peer.resume()
                answer = await peer.answer()
                assert answer.body == b"x" * 65_536_000
                await peer.close()
            assert errors == []

    run(main)
