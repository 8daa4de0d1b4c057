"""Replies as the handler holds them: framing, backpressure, callers that leave."""

import asyncio
import socket

import pytest
from tests.support.handlers import GET, Later, echo
from tests.support.loopback import Peer, connected, eventually, run, serving

from aimesh.net.message import Reply, Request
from aimesh.net.reply import InboundReply
from aimesh.net.state import ServerLimits


def test_pipelined_streams_do_not_mix() -> None:
    later = Later()

    async def main() -> None:
        async with serving(later) as live, connected(live.port) as peer:
            await peer.send(GET * 2)
            _, first = await later.call(0)
            first.open(200, b"")
            first.write(b"one")
            await asyncio.sleep(0.01)
            assert len(later.calls) == 1
            first.close()
            _, second = await later.call(1)
            first.write(b"late words of the first")
            first.close()
            first.send(500, b"", b"later still")
            second.send(200, b"", b"two")
            assert (await peer.answer()).body == b"one"
            assert (await peer.answer()).body == b"two"

    run(main)


def test_head_gets_the_length_and_no_body() -> None:
    def handler(request: Request, reply: Reply) -> None:
        if request.path == b"/stream":
            reply.open(200, b"")
            reply.write(b"never")
            reply.close()
        else:
            reply.send(200, b"", b"twelve bytes")

    async def main() -> None:
        async with serving(handler) as live, connected(live.port) as peer:
            await peer.send(
                b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\nHEAD /stream HTTP/1.1\r\nHost: x\r\n\r\n" + GET
            )
            first = await peer.answer(to_head=True)
            assert first.headers[b"content-length"] == b"12"
            second = await peer.answer(to_head=True)
            assert second.headers[b"transfer-encoding"] == b"chunked"
            assert (await peer.answer()).body == b"twelve bytes"

    run(main)


@pytest.mark.parametrize("status", [204, 304])
def test_statuses_without_a_body(status: int) -> None:
    def handler(request: Request, reply: Reply) -> None:
        if request.query:
            reply.open(status, b"x: y\r\n")
            reply.write(b"dropped")
            reply.close()
        else:
            reply.send(status, b"x: y\r\n", b"dropped")

    async def main() -> None:
        async with serving(handler) as live, connected(live.port) as peer:
            await peer.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" + GET)
            for _ in range(2):
                answer = await peer.answer()
                assert answer.status == status
                assert set(answer.headers) == {b"x", b"date"}

    run(main)


def test_http_1_0() -> None:
    def handler(request: Request, reply: Reply) -> None:
        reply.open(200, b"")
        reply.write(b"a")
        reply.write(b"b")
        reply.close()

    async def main() -> None:
        async with serving(echo) as live:
            async with connected(live.port) as peer:
                await peer.send(b"GET /a HTTP/1.0\r\n\r\n")
                answer = await peer.answer()
                assert answer.body == b"GET /a  "
                assert answer.headers[b"connection"] == b"close"
                assert await peer.rest() == b""
            async with connected(live.port) as peer:
                for _ in range(2):
                    await peer.send(b"GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
                    answer = await peer.answer()
                    assert answer.headers[b"connection"] == b"keep-alive"
        async with serving(handler) as live, connected(live.port) as peer:
            await peer.send(b"GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            answer = await peer.answer()
            assert b"transfer-encoding" not in answer.headers
            assert answer.headers[b"connection"] == b"close"
            assert answer.body == b"ab"

    run(main)


def test_a_reader_that_takes_nothing_is_cut_off() -> None:
    later = Later()

    async def main() -> None:
        async with serving(later, ServerLimits(write_stall_s=0.1)) as live:
            with socket.create_connection(("127.0.0.1", live.port)) as silent:
                silent.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
                silent.sendall(GET)
                _, reply = await later.call()
                gone: list[bool] = []
                reply.on_gone = lambda: gone.append(True)
                reply.open(200, b"")
                while reply.is_writable:
                    reply.write(b"x" * 50_000)
                await eventually(lambda: bool(gone))
                assert reply.is_gone
                await eventually(lambda: live.server.stats.open == 0)

    run(main)


def test_backpressure_is_told_both_ways() -> None:
    later = Later()

    async def main() -> None:
        async with serving(later) as live, connected(live.port) as peer:
            peer.pause()
            await peer.send(GET)
            _, reply = await later.call()
            told: list[bool] = []
            reply.on_writable = lambda: told.append(reply.is_writable)
            reply.open(200, b"")
            sent = 0
            while reply.is_writable:
                reply.write(b"x" * 10_000)
                sent += 10_000
            assert sent < 20_000_000
            assert told == []
            peer.resume()
            reader = asyncio.ensure_future(peer.answer())  # noqa: TID251 - a test has no children
            await eventually(lambda: told == [True])
            reply.close()
            assert len((await reader).body) == sent

    run(main)


@pytest.mark.parametrize("hang_up", ["close", "reset", "close inside"])
def test_a_caller_that_hangs_up_is_noticed_once(hang_up: str) -> None:
    later = Later()

    async def main() -> None:
        async with serving(later) as live:
            peer = await Peer.connect(live.port)
            await peer.send(GET)
            _, reply = await later.call()
            gone: list[int] = []
            reply.on_gone = lambda: gone.append(1)
            if hang_up == "close inside":
                reply.open(200, b"")
                reply.write(b"some")
            if hang_up == "reset":
                peer.reset()
            else:
                await peer.close()
            await eventually(lambda: gone == [1])
            assert reply.is_gone
            assert not reply.is_writable
            reply.open(200, b"")
            reply.write(b"x")
            reply.close()
            reply.send(200, b"", b"x")
            reply.abort()
            await eventually(lambda: live.server.stats.open == 0)
            assert gone == [1]

    run(main)


def test_nobody_is_told_about_a_caller_who_leaves_after_the_answer() -> None:
    gone: list[int] = []

    def handler(request: Request, reply: Reply) -> None:
        reply.on_gone = lambda: gone.append(1)
        reply.send(200, b"", b"x")

    async def main() -> None:
        async with serving(handler) as live:
            async with connected(live.port) as peer:
                await peer.send(GET)
                await peer.answer()
            await eventually(lambda: live.server.stats.open == 0)

    run(main)
    assert gone == []


def test_abort_breaks_the_answer_off_visibly() -> None:
    def handler(request: Request, reply: Reply) -> None:
        reply.on_gone = lambda: pytest.fail("we left, not the caller")
        reply.open(200, b"")
        reply.write(b"half")
        reply.abort()

    async def main() -> None:
        async with serving(handler) as live, connected(live.port) as peer:
            await peer.send(GET)
            assert not (await peer.rest()).endswith(b"0\r\n\r\n")

    run(main)


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("opened", [False, True])
def test_an_answer_broken_on_purpose(*, opened: bool, reset: bool) -> None:
    def handler(request: Request, reply: Reply) -> None:
        assert isinstance(reply, InboundReply)
        if opened:
            reply.open(200, b"x: y\r\n")
        reply.break_off(b"raw bytes", reset=reset)
        reply.break_off(b"nothing more")

    async def main() -> None:
        async with serving(handler) as live, connected(live.port) as peer:
            await peer.send(GET)
            try:
                received = await peer.reader.read()
                assert not reset
                assert received.endswith(b"raw bytes")
                assert received.startswith(b"HTTP/1.1 200 OK\r\nx: y\r\n") is opened
            except ConnectionResetError:
                assert reset
            await eventually(lambda: live.server.stats.open == 0)

    run(main)


def test_a_stream_sends_its_head_without_waiting_for_data() -> None:
    later = Later()

    async def main() -> None:
        async with serving(later) as live, connected(live.port) as peer:
            await peer.send(GET)
            _, reply = await later.call()
            reply.open(200, b"content-type: text/event-stream\r\n")
            status, headers = await peer.head()
            assert (status, headers[b"transfer-encoding"]) == (200, b"chunked")
            reply.write(b"")
            reply.write(b"a" * 70_000)
            reply.write(b"b")
            reply.close()
            assert await peer.chunks() == b"a" * 70_000 + b"b"

    run(main)


def test_an_empty_stream() -> None:
    def handler(request: Request, reply: Reply) -> None:
        reply.open(200, b"")
        reply.close()

    async def main() -> None:
        async with serving(handler) as live, connected(live.port) as peer:
            await peer.send(GET)
            assert (await peer.answer()).body == b""

    run(main)
