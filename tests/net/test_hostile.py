"""Hostile input: malformed requests by family, requests cut short, floods, and random bytes.

Whatever comes in, the caller gets the documented refusal or a closed connection, nothing of anyone else's answer,
no hidden request reaches the handler, and the server goes on serving.
"""

import asyncio
import json
import os
import random
import socket
import time
from contextlib import ExitStack, suppress

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from tests.support.hostile import CASES, TRUNCATED, Case
from tests.support.loopback import Live, Peer, connected, eventually, run, serving

from aimesh.net.listen import raise_file_limit
from aimesh.net.message import Reply, Request
from aimesh.net.state import ServerLimits

SECRET = b"what another caller was told"
VICTIM = b"GET /victim HTTP/1.1\r\nHost: x\r\n\r\n"


class Gateway:
    """A handler with something to leak."""

    def __init__(self) -> None:
        self.paths: list[bytes] = []

    def __call__(self, request: Request, reply: Reply) -> None:
        self.paths.append(request.path)
        reply.send(200, b"", SECRET if request.path == b"/victim" else b"ok")


async def check_alive(live: Live) -> None:
    async with connected(live.port) as peer:
        await peer.send(VICTIM)
        assert (await peer.answer()).body == SECRET


async def accepted(live: Live, count: int) -> None:
    await eventually(lambda: live.server.stats.accepted > count)


def check_refusal(received: bytes, statuses: tuple[int, ...]) -> None:
    head, _, body = received.partition(b"\r\n\r\n")
    status = int(head.split(b" ")[1])
    assert status in statuses, received[:200]
    assert b"\r\nconnection: close" in head
    error = json.loads(body)["error"]
    assert error["code"] in ("GATEWAY_BAD_REQUEST", "GATEWAY_REQUEST_TOO_LARGE")
    assert error["source"] == "gateway"
    assert SECRET not in received


def test_there_are_enough_of_them() -> None:
    assert len({case.raw for case in CASES}) >= 200


def _id(case: Case) -> str:
    return f"{case.family}: {case.name}"


@pytest.mark.parametrize("case", CASES, ids=_id)
def test_a_malformed_request_is_refused_and_the_connection_closed(case: Case) -> None:
    gateway = Gateway()

    async def main() -> None:
        async with serving(gateway) as live:
            await check_alive(live)
            async with connected(live.port) as peer:
                await peer.send(case.raw)
                check_refusal(await peer.rest(), case.statuses)
            # The same in small pieces, behind a good request on the same connection.
            async with connected(live.port) as peer:
                await peer.send(b"GET /good HTTP/1.1\r\nHost: x\r\n\r\n")
                assert (await peer.answer()).body == b"ok"
                step = max(1, len(case.raw) // 50)
                for at in range(0, len(case.raw), step):
                    await peer.send(case.raw[at : at + step])
                    await asyncio.sleep(0)
                check_refusal(await peer.rest(), case.statuses)
            await check_alive(live)

    run(main)
    assert gateway.paths == [b"/victim", b"/good", b"/victim"]


@pytest.mark.parametrize("case", CASES[::7], ids=_id)
def test_a_malformed_request_behind_a_good_one_in_one_write(case: Case) -> None:
    gateway = Gateway()

    async def main() -> None:
        async with serving(gateway) as live, connected(live.port) as peer:
            await peer.send(b"GET /good HTTP/1.1\r\nHost: x\r\n\r\n" + case.raw)
            assert (await peer.answer()).body == b"ok"
            check_refusal(await peer.rest(), case.statuses)

    run(main)
    assert gateway.paths == [b"/good"]


@pytest.mark.parametrize("raw", TRUNCATED)
def test_a_request_cut_short_is_not_served(raw: bytes) -> None:
    gateway = Gateway()

    async def main() -> None:
        async with serving(gateway) as live:
            async with connected(live.port) as peer:
                await peer.send(raw)
                peer.writer.write_eof()
                assert await peer.rest() == b""
            await eventually(lambda: live.server.stats.open == 0)

    run(main)
    assert gateway.paths == []


def test_ten_thousand_slow_headers_do_not_stop_service() -> None:
    """As many as this machine's file limit allows, both ends being in this process; the ceiling is below it."""
    gateway = Gateway()
    limit = raise_file_limit(25_000)
    count = min(10_000, (limit - 500) // 2)

    async def main() -> None:
        limits = ServerLimits(max_connections=count // 2, head_s=5)
        async with serving(gateway, limits) as live:
            with ExitStack() as slow:
                for number in range(count):
                    one = slow.enter_context(socket.create_connection(("127.0.0.1", live.port)))
                    # One that was closed already to make room for others is no longer there to write to.
                    with suppress(ConnectionError):
                        one.send(b"GET /slow HTTP/1.1\r\nHo")
                    if number % 100 == 99:
                        # A full backlog would make the next connect wait for a retransmission.
                        await accepted(live, number)
                loop = asyncio.get_running_loop()
                for _ in range(20):
                    began_s = loop.time()
                    await check_alive(live)
                    assert loop.time() - began_s < 5.0
                assert live.server.stats.open <= count // 2
                assert live.server.stats.accepted > count
            await eventually(lambda: live.server.stats.open == 0, within_s=20)

    run(main)
    assert set(gateway.paths) == {b"/victim"}


WORDS = st.sampled_from(
    [
        b"GET ", b"POST ", b"HEAD ", b"/a", b"/victim", b" HTTP/1.1", b" HTTP/1.0", b"\r\n", b"\n", b"\r",
        b"\r\n\r\n", b"Host: x\r\n",
        b"Content-Length: ", b"0", b"3", b"5\r\n", b"Transfer-Encoding: chunked\r\n", b"Connection: close\r\n",
        b"Connection: upgrade\r\n",
        b"Upgrade: h2c\r\n", b"Expect: 100-continue\r\n", b"abc", b"3\r\nabc\r\n", b"0\r\n\r\n", b": ", b" ",
        b"\t", b"\x00", b"\xff", b"X: y\r\n",
        b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n", b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
        b"*", b"http://x/", b"#", b"?q",
    ]
)  # fmt: skip
INPUTS = st.lists(st.lists(WORDS | st.binary(max_size=12), max_size=12).map(b"".join), min_size=1, max_size=6)


async def fuzz_one(live: Live, pieces: list[bytes]) -> None:
    """Answers are well-formed and of this connection alone; the connection ends when the caller ends it."""
    peer = await Peer.connect(live.port)
    try:
        for piece in pieces:
            await peer.send(piece)
        peer.writer.write_eof()
    except ConnectionError:
        pass
    received = await peer.rest()
    await peer.close()
    if b"/victim" not in b"".join(pieces):
        assert SECRET not in received
    while received:
        head, separator, received = received.partition(b"\r\n\r\n")
        assert separator
        assert head.startswith(b"HTTP/1.1 ")
        lines = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:])
        size = int(lines.get(b"content-length", b"0"))
        # An answer to HEAD has a length and no body.
        if not received.startswith(b"HTTP/1.1 "):
            received = received[size:]


@seed(20_250_101)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(INPUTS, min_size=5, max_size=10))
def test_random_bytes(inputs: list[list[bytes]]) -> None:
    async def main() -> None:
        async with serving(Gateway()) as live:
            for pieces in inputs:
                await fuzz_one(live, pieces)
            await check_alive(live)
            await eventually(lambda: live.server.stats.open == 0)

    run(main)


@pytest.mark.long
def test_fuzz_random_bytes_for_long() -> None:
    """Mutations of everything above for ``AIMESH_FUZZ_SECONDS``; the seed is printed."""
    chosen = random.randrange(2**32)
    print(f"seed {chosen}")
    rng = random.Random(chosen)
    until_s = time.monotonic() + float(os.environ.get("AIMESH_FUZZ_SECONDS", "60"))  # noqa: TID251 - a test's own knob
    corpus = [case.raw[:2000] for case in CASES] + TRUNCATED + [VICTIM]

    def mutate() -> list[bytes]:
        data = bytearray(b"".join(rng.choice(corpus) for _ in range(rng.randint(1, 3))))
        for _ in range(rng.randint(0, 8)):
            at = rng.randrange(len(data) + 1)
            kind = rng.randrange(3)
            if kind == 0:
                data[at:at] = rng.choice((b"\r\n", b"\n", b" ", b"\x00", b":", rng.randbytes(3)))
            elif kind == 1:
                del data[at : at + rng.randint(1, 5)]
            elif at < len(data):
                data[at] = rng.randrange(256)
        cuts = sorted(rng.randrange(len(data) + 1) for _ in range(rng.randint(0, 4)))
        return [bytes(data[a:b]) for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]

    async def round_of() -> None:
        async with serving(Gateway()) as live:
            for _ in range(200):
                await fuzz_one(live, mutate())
            await check_alive(live)
            await eventually(lambda: live.server.stats.open == 0)

    while time.monotonic() < until_s:
        run(round_of)
