"""One connection from a caller: keep-alive, pipelining, bodies, limits, refusals, deadlines."""

import asyncio
import json
import re
import socket

import pytest
from tests.support.handlers import GET, Later, echo
from tests.support.loopback import connected, eventually, run, serving

from aimesh.net.message import Reply, Request
from aimesh.net.state import ServerLimits


def test_a_request_reaches_the_handler_and_its_answer_the_caller() -> None:
    async def main() -> None:
        async with serving(echo) as live, connected(live.port) as peer:
            await peer.send(b"POST /p/%61?q=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc")
            answer = await peer.answer()
            assert answer.status == 200
            assert answer.body == b"POST /p/%61 q=1 abc"
            assert answer.headers[b"content-type"] == b"text/plain"
            assert re.fullmatch(rb"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", answer.headers[b"date"])
            assert b"connection" not in answer.headers

    run(main)


def test_headers_are_lower_case_trimmed_and_joined() -> None:
    seen: list[Request] = []

    def handler(request: Request, reply: Reply) -> None:
        seen.append(request)
        reply.send(204, b"", b"")

    async def main() -> None:
        async with serving(handler) as live, connected(live.port) as peer:
            await peer.send(
                b"GET / HTTP/1.1\r\nHost: x\r\nX-One:  a \t\r\nX-Two: b\r\nx-one: c\r\nEmpty:\r\n\r\n"
            )
            assert (await peer.answer()).status == 204

    run(main)
    assert seen[0].headers == {b"host": b"x", b"x-one": b"a, c", b"x-two": b"b", b"empty": b""}
    assert seen[0].peer == "127.0.0.1"
    assert seen[0].body == b""


def test_a_connection_serves_many_requests() -> None:
    async def main() -> None:
        async with serving(echo) as live, connected(live.port) as peer:
            for _ in range(50):
                await peer.send(GET)
                assert (await peer.answer()).body == b"GET /a b=c "
            assert live.server.stats.accepted == 1

    run(main)


def test_repeated_heads_are_served_like_any_other() -> None:
    post = b"POST /a HTTP/1.1\r\nHost: x\r\nX: y\r\nContent-Length: %d\r\n\r\n%b"

    async def main() -> None:
        limits = ServerLimits(max_body_bytes=40)
        async with serving(echo, limits) as live, connected(live.port) as peer:
            for number in range(12):
                body = b"z" * number
                await peer.send(post % (number, body))
                assert (await peer.answer()).body == b"POST /a  " + body
            # In two reads, with a second request behind it, and another head in between.
            await peer.send(post[:30])
            await asyncio.sleep(0.01)
            await peer.send(post[30:] % (3, b"abc") + post % (2, b"de"))
            assert (await peer.answer()).body == b"POST /a  abc"
            assert (await peer.answer()).body == b"POST /a  de"
            await peer.send(GET)
            assert (await peer.answer()).body == b"GET /a b=c "
            await peer.send(post % (4, b"more"))
            assert (await peer.answer()).body == b"POST /a  more"
            await peer.send(post % (41, b"z" * 41))
            assert (await peer.answer()).status == 413

    run(main)


def test_head_requests_with_a_length_get_no_body_however_often() -> None:
    async def main() -> None:
        async with serving(echo) as live, connected(live.port) as peer:
            for _ in range(5):
                await peer.send(b"HEAD /a HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
                assert (await peer.answer(to_head=True)).status == 200
            await peer.send(GET)
            assert (await peer.answer()).body == b"GET /a b=c "

    run(main)


def test_a_request_in_single_bytes_is_the_same_request() -> None:
    async def main() -> None:
        async with serving(echo) as live, connected(live.port) as peer:
            raw = b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
            raw += b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: v\r\n\r\n"
            for byte in raw:
                await peer.send(bytes((byte,)))
                await asyncio.sleep(0)
            assert (await peer.answer()).body == b"POST /a  abcde"

    run(main)


@pytest.mark.parametrize("size", [0, 1, 16_384, 65_536, 300_001, 5_000_000])
@pytest.mark.parametrize("is_chunked", [False, True])
def test_bodies_of_all_sizes_arrive_whole(size: int, *, is_chunked: bool) -> None:
    body = (b"0123456789abcdef" * (size // 16 + 1))[:size]

    def handler(request: Request, reply: Reply) -> None:
        reply.send(200, b"", request.body)

    async def main() -> None:
        async with serving(handler) as live, connected(live.port) as peer:
            if is_chunked:
                pieces = [body[at : at + 50_000] for at in range(0, size, 50_000)]
                framed = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
                raw = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + framed
            else:
                raw = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (size, body)
            peer.writer.write(raw + GET)
            assert (await peer.answer()).body == body
            assert (await peer.answer()).body == b""

    run(main)


def test_pipelined_requests_are_served_strictly_in_order() -> None:
    later = Later()

    async def main() -> None:
        async with serving(later) as live, connected(live.port) as peer:
            await peer.send(b"".join(b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % number for number in range(20)))
            for number in range(20):
                request, reply = await later.call(number)
                assert request.path == b"/%d" % number
                await asyncio.sleep(0)
                assert len(later.calls) == number + 1, "the next request began before this answer ended"
                reply.send(200, b"", request.path)
                assert (await peer.answer()).body == request.path

    run(main)


def test_what_a_caller_sends_while_being_served_is_bounded() -> None:
    later = Later()

    async def main() -> None:
        async with serving(later) as live, connected(live.port) as peer:
            await peer.send(GET)
            _, reply = await later.call()
            peer.writer.write(GET * 400_000)
            await asyncio.sleep(0.1)
            stuck = peer.writer.transport.get_write_buffer_size()
            assert stuck > 1_000_000, "the server went on reading"
            reply.send(200, b"", b"first")
            assert (await peer.answer()).body == b"first"
            peer.reset()

    run(main)


def test_pipelining_without_reading_does_not_pile_up_answers() -> None:
    served = 0

    def handler(request: Request, reply: Reply) -> None:
        nonlocal served
        served += 1
        reply.send(200, b"", b"x" * 100_000)

    async def main() -> None:
        async with serving(handler) as live:
            with socket.create_connection(("127.0.0.1", live.port)) as silent:
                silent.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
                silent.sendall(GET * 1000)
                await eventually(lambda: served > 0)
                before = -1
                while before != served:
                    before = served
                    await asyncio.sleep(0.1)
                assert served < 100

    run(main)


def test_reading_goes_on_after_a_flood_was_paused() -> None:
    later = Later()

    async def main() -> None:
        async with serving(later) as live, connected(live.port) as peer:
            await peer.send(b"GET /0 HTTP/1.1\r\nhost: x\r\n\r\n")
            _, reply = await later.call()
            count = 5000
            peer.writer.write(b"".join(b"GET /%d HTTP/1.1\r\nhost: x\r\n\r\n" % n for n in range(1, count)))
            await asyncio.sleep(0.05)
            for number in range(count):
                request, reply = await later.call(number)
                reply.send(200, b"", request.path)
                assert (await peer.answer()).body == b"/%d" % number

    run(main)


def test_a_handler_that_answers_at_once_and_one_read_with_many_requests() -> None:
    async def main() -> None:
        async with serving(echo) as live, connected(live.port) as peer:
            peer.writer.write(b"".join(b"GET /%d HTTP/1.1\r\nhost: x\r\n\r\n" % n for n in range(3000)))
            for number in range(3000):
                assert (await peer.answer()).body == b"GET /%d  " % number

    run(main)


def test_a_fault_of_ours_in_a_hook_is_not_taken_for_a_fault_of_the_caller() -> None:
    seen: list[str] = []

    def on_head(request: Request) -> tuple[int, bytes, bytes] | None:
        raise KeyError("a bug")

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(
            lambda loop, context: seen.append(repr(context["exception"]))
        )
        async with serving(echo, on_head=on_head) as live, connected(live.port) as peer:
            await peer.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")
            assert await peer.rest() == b""
            await eventually(lambda: live.server.stats.open == 0)

    run(main)
    assert seen == ["KeyError('a bug')"]


@pytest.mark.parametrize("is_pipelined", [False, True])
def test_a_handler_that_raises_costs_its_connection_only(*, is_pipelined: bool) -> None:
    seen: list[str] = []
    later = Later()

    def handler(request: Request, reply: Reply) -> None:
        if request.path == b"/bug":
            raise KeyError("a bug")
        later(request, reply)

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(
            lambda loop, context: seen.append(repr(context["exception"]))
        )
        async with serving(handler) as live, connected(live.port) as peer, connected(live.port) as other:
            bug = b"GET /bug HTTP/1.1\r\nHost: x\r\n\r\n"
            await peer.send(GET + bug if is_pipelined else bug)
            if is_pipelined:
                (await later.call())[1].send(200, b"", b"first")
                assert (await peer.answer()).body == b"first"
            assert await peer.rest() == b""
            await other.send(GET)
            (await later.call(1 if is_pipelined else 0))[1].send(200, b"", b"alive")
            await eventually(lambda: live.server.stats.open == 1)

    run(main)
    assert seen == ["KeyError('a bug')"]


def test_expect_100_continue() -> None:
    async def main() -> None:
        async with serving(echo) as live, connected(live.port) as peer:
            await peer.send(
                b"POST /a HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\nContent-Length: 3\r\n\r\n"
            )
            assert (await peer.answer()).status == 100
            await peer.send(b"abc")
            assert (await peer.answer()).body == b"POST /a  abc"
            # A body that is already there needs no invitation.
            await peer.send(
                b"POST /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc"
            )
            assert (await peer.answer()).status == 200

    run(main)


def test_continue_waits_for_the_answer_before_it() -> None:
    later = Later()

    async def main() -> None:
        async with serving(later) as live, connected(live.port) as peer:
            await peer.send(
                GET + b"POST /b HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
            )
            _, first = await later.call()
            await asyncio.sleep(0.01)
            first.send(200, b"", b"first")
            assert (await peer.answer()).body == b"first"
            assert (await peer.answer()).status == 100
            await peer.send(b"hi")
            request, second = await later.call(1)
            assert request.body == b"hi"
            second.send(200, b"", b"second")
            assert (await peer.answer()).body == b"second"

    run(main)


def test_another_expectation_is_refused() -> None:
    async def main() -> None:
        async with serving(echo) as live, connected(live.port) as peer:
            await peer.send(b"POST /a HTTP/1.1\r\nHost: x\r\nExpect: cake\r\nContent-Length: 3\r\n\r\nabc")
            assert (await peer.answer()).status == 417

    run(main)


def test_options_star_and_absolute_targets() -> None:
    async def main() -> None:
        async with serving(echo) as live, connected(live.port) as peer:
            await peer.send(b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n")
            assert (await peer.answer()).body == b"OPTIONS *  "
            await peer.send(b"GET http://X:80/p?q HTTP/1.1\r\nHost: x:80\r\n\r\n")
            assert (await peer.answer()).body == b"GET /p q "

    run(main)


def test_connection_close_is_honoured_and_announced() -> None:
    async def main() -> None:
        async with serving(echo) as live, connected(live.port) as peer:
            await peer.send(b"GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" + GET)
            answer = await peer.answer()
            assert answer.headers[b"connection"] == b"close"
            assert await peer.rest() == b""

    run(main)


def test_an_offered_upgrade_is_declined_and_the_request_served() -> None:
    async def main() -> None:
        async with serving(echo) as live, connected(live.port) as peer:
            offer = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
            await peer.send(
                b"POST /a HTTP/1.1\r\nHost: x\r\n" + offer + b"Content-Length: 3\r\n\r\nabc" + GET
            )
            assert (await peer.answer()).body == b"POST /a  abc"
            assert (await peer.answer()).body == b"GET /a b=c "
            await peer.send(
                b"GET /w HTTP/1.1\r\nHost: x\r\nConnection: close, upgrade\r\nUpgrade: websocket\r\n\r\n"
            )
            answer = await peer.answer()
            assert answer.body == b"GET /w  "
            assert answer.headers[b"connection"] == b"close"

    run(main)


def test_a_hook_refuses_large_bodies_before_they_are_sent() -> None:
    asked: list[Request] = []

    def on_head(request: Request) -> tuple[int, bytes, bytes] | None:
        asked.append(request)
        return (
            (401, b"x-why: no key\r\n", b"who are you") if b"authorization" not in request.headers else None
        )

    async def main() -> None:
        async with serving(echo, on_head=on_head) as live:
            async with connected(live.port) as peer:
                await peer.send(b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc")
                assert (await peer.answer()).status == 200
                assert asked == [], "a small body is not worth a question"
                await peer.send(b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")
                answer = await peer.answer()
                assert (answer.status, answer.body) == (401, b"who are you")
                assert answer.headers[b"x-why"] == b"no key"
                assert answer.headers[b"connection"] == b"close"
                assert await peer.rest() == b""
            async with connected(live.port) as peer:
                await peer.send(
                    b"POST /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"
                )
                assert (await peer.answer()).status == 401
            async with connected(live.port) as peer:
                await peer.send(
                    b"POST /a HTTP/1.1\r\nHost: x\r\nAuthorization: k\r\nContent-Length: 100000\r\n\r\n"
                    + b"x" * 100_000
                )
                assert (await peer.answer()).status == 200
            assert [each.body for each in asked[:2]] == [b"", b""]

    run(main)


def test_a_refusal_survives_the_body_that_still_arrives() -> None:
    async def main() -> None:
        limits = ServerLimits(max_body_bytes=1000)
        async with serving(echo, limits) as live, connected(live.port) as peer:
            peer.writer.write(
                b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n" + b"x" * 3_000_000
            )
            answer = await peer.answer()
            assert answer.status == 413
            body = json.loads(answer.body)["error"]
            assert body["code"] == "GATEWAY_REQUEST_TOO_LARGE"
            assert body["source"] == "gateway"
            assert body["request_id"].encode() == answer.headers[b"x-request-id"]

    run(main)


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"GET /%b HTTP/1.1\r\nHost: x\r\n\r\n" % (b"a" * 900), 414),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: %b\r\n\r\n" % (b"a" * 3000), 431),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: %b" % (b"a" * 3000), 431),
        (b"GET / HTTP/1.1\r\nHost: x\r\n%b\r\n" % b"".join(b"X-%d: a\r\n" % n for n in range(20)), 431),
        (b"GET / HTTP/1.1\r\nHost: x\r\n%b\r\n" % (b"X: a\r\n" * 25), 431),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n", 413),
        (
            b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n%b\r\n0\r\n\r\n"
            % (b"x" * 1001),
            413,
        ),
    ],
)
def test_limits(raw: bytes, status: int) -> None:
    async def main() -> None:
        limits = ServerLimits(max_head_bytes=2000, max_headers=20, max_target_bytes=500, max_body_bytes=1000)
        async with serving(echo, limits) as live, connected(live.port) as peer:
            await peer.send(raw)
            answer = await peer.answer()
            assert answer.status == status
            assert answer.headers[b"connection"] == b"close"
            assert await peer.rest() == b""
            assert live.server.stats.refused == 1

    run(main)


def test_wasteful_chunk_framing_is_refused() -> None:
    async def main() -> None:
        async with serving(echo) as live, connected(live.port) as peer:
            await peer.send(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;")
            for _ in range(40):
                await peer.send(b"e" * 4000)
                await asyncio.sleep(0)
            assert (await peer.answer()).status == 400

    run(main)


def test_a_refusal_waits_for_the_answers_before_it() -> None:
    later = Later()

    async def main() -> None:
        async with serving(later) as live, connected(live.port) as peer:
            await peer.send(GET + b"GET / HTTP/1.1\r\n\r\n")
            _, reply = await later.call()
            reply.open(200, b"")
            reply.write(b"good")
            reply.close()
            assert (await peer.answer()).body == b"good"
            assert (await peer.answer()).status == 400
            assert await peer.rest() == b""
            assert len(later.calls) == 1

    run(main)


@pytest.mark.parametrize(
    ("limits", "said", "status"),
    [
        (ServerLimits(head_s=0.05, linger_s=0.05), b"GET / HTTP/1.1\r\nHo", 408),
        (ServerLimits(head_s=0.05), b"", 0),
        (
            ServerLimits(body_idle_s=0.05, linger_s=0.05),
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc",
            408,
        ),
        (ServerLimits(keep_alive_s=0.05), GET, 200),
    ],
)
def test_slow_callers_are_let_go(limits: ServerLimits, said: bytes, status: int) -> None:
    async def main() -> None:
        async with serving(echo, limits) as live, connected(live.port) as peer:
            if said:
                await peer.send(said)
                assert (await peer.answer()).status == status
            assert await peer.rest() == b""
            await eventually(lambda: live.server.stats.open == 0)

    run(main)


def test_a_request_that_began_behind_another_has_its_own_time() -> None:
    later = Later()

    async def main() -> None:
        limits = ServerLimits(head_s=0.1, body_idle_s=0.1, linger_s=0.05)
        async with serving(later, limits) as live:
            for rest in (
                b"GET /late HTTP/1.1\r\nHo",
                b"POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc",
            ):
                async with connected(live.port) as peer:
                    number = len(later.calls)
                    await peer.send(GET + rest)
                    _, reply = await later.call(number)
                    await asyncio.sleep(0.3)
                    reply.send(200, b"", b"first")
                    assert (await peer.answer()).body == b"first"
                    assert (await peer.answer()).status == 408

    run(main)


def test_a_body_that_drips_is_not_waited_for_for_ever() -> None:
    async def main() -> None:
        limits = ServerLimits(body_idle_s=0.2, body_whole_s=0.4)
        async with serving(echo, limits) as live, connected(live.port) as peer:
            await peer.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n")
            for _ in range(100):
                if live.server.stats.refused:
                    break
                await peer.send(b"x")
                await asyncio.sleep(0.02)
            assert (await peer.answer()).status == 408

    run(main)


def test_a_served_request_has_no_deadline_of_its_own() -> None:
    later = Later()

    async def main() -> None:
        limits = ServerLimits(head_s=0.05, keep_alive_s=0.05, body_idle_s=0.05)
        async with serving(later, limits) as live, connected(live.port) as peer:
            await peer.send(GET)
            _, reply = await later.call()
            await asyncio.sleep(0.3)
            reply.send(200, b"", b"worth the wait")
            assert (await peer.answer()).body == b"worth the wait"

    run(main)
