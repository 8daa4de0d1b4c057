"""The pool's book-keeping under stress: nothing leaks, nothing is counted twice."""

import asyncio
import random

import pytest
from tests.support.loopback import QUICK, Peer, Upstream, calling, eventually, request, run, scripted

from aimesh.net.client import ClientSettings
from aimesh.net.dial import Dialer
from aimesh.net.exchange import UpstreamExchange
from aimesh.net.message import ConnectFailed, ExchangeError, Origin

POST = b"POST /a HTTP/1.1\r\nhost: up\r\n"


class Moody:
    """An upstream that answers, dawdles, cuts, closes and resets as its dice fall."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice

    async def __call__(self, peer: Peer, upstream: Upstream) -> None:
        while True:
            await request(peer)
            mood = self._dice.randrange(8)
            if mood == 0:
                return
            if mood == 1:
                await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nab")
                return
            if mood == 2:
                peer.reset()
                return
            if mood == 3:
                await asyncio.sleep(self._dice.random() * 0.01)
            await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
            if mood == 4:
                return


@pytest.mark.parametrize("ceiling", [None, 1, 4])
@pytest.mark.parametrize("chosen", [1, 2])
def test_books_balance_whatever_happens(ceiling: int | None, chosen: int) -> None:
    dice = random.Random(chosen)
    ends = {"good": 0, "lost": 0, "cancelled": 0}

    async def main() -> None:
        settings = ClientSettings(max_per_origin=ceiling, max_idle_per_origin=3)
        async with scripted(Moody(dice)) as upstream, calling(settings) as client:

            async def call() -> None:
                exchange: UpstreamExchange = client.send(
                    upstream.origin, POST, b"x", timeouts=QUICK, fresh=dice.random() < 0.2
                )
                if dice.random() < 0.2:
                    await asyncio.sleep(dice.random() * 0.01)
                    ends["cancelled"] += not exchange.is_complete
                    exchange.cancel()
                    return
                try:
                    assert await exchange.body(9) == b"ok"
                    ends["good"] += 1
                except ExchangeError:
                    ends["lost"] += 1

            for _ in range(10):
                await asyncio.gather(*(call() for _ in range(30)))
                stats = client.stats()
                assert stats.in_use == 0
                assert stats.idle <= 3
                assert stats.open == stats.idle
                await eventually(lambda: client.stats().dialling == 0)
                if ceiling is not None:
                    assert stats.open <= ceiling
            await eventually(lambda: upstream.open == client.stats().open)

    run(main)
    assert min(ends.values()) > 0, ends


def test_the_connection_used_last_is_used_first() -> None:
    async def main() -> None:
        ports: list[int] = []

        async def answers(peer: Peer, upstream: Upstream) -> None:
            while True:
                await request(peer)
                ports.append(peer.writer.get_extra_info("peername")[1])
                await asyncio.sleep(0.005)
                await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")

        async with scripted(answers) as upstream, calling() as client:
            for exchange in [client.send(upstream.origin, POST, b"", timeouts=QUICK) for _ in range(3)]:
                await exchange.body(9)
            ports.clear()
            for _ in range(5):
                await client.send(upstream.origin, POST, b"", timeouts=QUICK).body(9)
            assert len(set(ports)) == 1

    run(main)


def test_a_connection_that_ends_as_soon_as_it_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    dial = Dialer.dial

    async def dial_and_lose(self: Dialer, origin: Origin, protocol: asyncio.Protocol) -> None:
        await dial(self, origin, protocol)
        protocol.eof_received()

    monkeypatch.setattr(Dialer, "dial", dial_and_lose)

    async def main() -> None:
        async with scripted(Moody(random.Random(1))) as upstream, calling() as client:
            with pytest.raises(ConnectFailed, match="closed as soon as connected") as caught:
                await client.send(upstream.origin, POST, b"x", timeouts=QUICK).head()
            assert not caught.value.was_sent

    run(main)


def test_a_connection_made_too_late_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    dial = Dialer.dial

    async def dial_and_dawdle(self: Dialer, origin: Origin, protocol: asyncio.Protocol) -> None:
        await dial(self, origin, protocol)
        await asyncio.sleep(60)

    monkeypatch.setattr(Dialer, "dial", dial_and_dawdle)

    async def main() -> None:
        async with scripted(Moody(random.Random(1))) as upstream, calling() as client:
            exchange = client.send(upstream.origin, POST, b"x", timeouts=QUICK)
            await eventually(lambda: upstream.open == 1)
            exchange.cancel()
            await eventually(lambda: upstream.open == 0)
            assert client.stats().dialling == 0

    run(main)


def test_a_connection_nobody_waits_for_any_more_is_kept() -> None:
    """The exchange got its answer elsewhere or gave up between two steps of its dial; what was opened is of use."""

    async def main() -> None:
        async with scripted(Moody(random.Random(4))) as upstream, calling() as client:
            state_of = client.send(upstream.origin, POST, b"x", timeouts=QUICK)
            # Over, but not by cancel: its dial goes on.
            state_of.dial, dial = None, state_of.dial
            state_of.cancel()
            assert dial is not None
            await dial
            assert client.stats().idle == 1
            assert upstream.requests == []

    run(main)
