"""The way to the control process and back, over real sockets."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.support.handlers import Later
from tests.support.loopback import Live, Peer, calling, connected, eventually, run, serving

from aimesh.core.clock import SystemClock
from aimesh.core.ids import RequestIds
from aimesh.dataplane import relay
from aimesh.dataplane.relay import Relay
from aimesh.net.children import Children
from aimesh.net.listen import bind_unix
from aimesh.net.message import Handler, Reply, Request
from aimesh.net.server import Server

JSON = b"content-type: application/json\r\n"


class Front:
    """A worker's relay, and the control process behind it."""

    def __init__(self, live: Live, path: Path) -> None:
        self.live = live
        self.path = path
        self.crashes: list[BaseException] = []

    async def say(self, request: bytes) -> Peer:
        peer = await Peer.connect(self.live.port)
        await peer.send(request)
        return peer


@asynccontextmanager
async def fronting(path: Path, control: Handler | None) -> AsyncIterator[Front]:
    """``control`` None: nobody listens there."""
    children = Children(lambda _name, error: crashes.append(error))
    crashes: list[BaseException] = []
    loop = asyncio.get_running_loop()
    server = Server(control, loop=loop) if control is not None else None
    if server is not None:
        await server.listen(bind_unix(path))
    async with calling() as client:
        handler = Relay(
            client,
            str(path),
            children=children,
            clock=SystemClock(),
            ids=RequestIds(7),
            on_crash=lambda _request, error, _id: crashes.append(error),
        ).answer
        async with serving(handler) as live:
            yield Front(live, path)
        await children.stop()
    if server is not None:
        await server.drain(1)
    assert crashes == []


def quickly(patch: pytest.MonkeyPatch) -> None:
    """The same waits, in tenths of their time."""
    patch.setattr(relay, "PATIENCE_S", 0.6)
    patch.setattr(relay, "_PROBE_S", 0.2)


def test_a_request_goes_there_as_it_is_with_what_the_worker_knows(tmp_path: Path) -> None:
    later = Later()
    head = (
        b"POST /api/admin/v1/keys?a=b%20c HTTP/1.1\r\nHost: gate.test\r\nCookie: s=1\r\nAccept: x/y\r\n"
        b"Connection: keep-alive, x-private\r\nX-Private: no\r\nTE: trailers\r\nX-Forwarded-For: 6.6.6.6\r\n"
        b"X-Forwarded-Proto: https\r\nX-Forwarded-Port: 1\r\nForwarded: for=6.6.6.6\r\nX-Request-Id: theirs\r\n"
        b"X-Aimesh-Begun: 0\r\nX-Real-Ip: 6.6.6.6\r\nProxy-Authorization: y\r\nContent-Length: 4\r\n\r\nbody"
    )

    async def main() -> None:
        async with fronting(tmp_path / "c", later) as front:
            peer = await front.say(head)
            request, reply = await later.call()
            reply.send(201, JSON, b"{}")
            answer = await peer.answer()
            await peer.close()
        assert (request.method, request.path, request.query) == (b"POST", b"/api/admin/v1/keys", b"a=b%20c")
        assert request.body == b"body"
        headers = dict(request.headers)
        assert float(headers.pop(b"x-aimesh-begun")) > 0
        assert headers.pop(b"x-request-id") == answer.headers[b"x-request-id"] != b"theirs"
        assert headers == {
            b"host": b"gate.test",
            b"cookie": b"s=1",
            b"accept": b"x/y",
            b"content-length": b"4",
            b"x-forwarded-for": b"127.0.0.1",
            b"x-forwarded-proto": b"https",
            b"x-forwarded-host": b"gate.test",
        }
        assert (answer.status, answer.body) == (201, b"{}")

    run(main)


@pytest.mark.parametrize("said", [b"", b"gopher", b"https, http"])
def test_only_a_scheme_that_there_is_gets_through(said: bytes, tmp_path: Path) -> None:
    later = Later()

    async def main() -> None:
        async with fronting(tmp_path / "c", later) as front:
            line = b"x-forwarded-proto: %b\r\n" % said if said else b""
            peer = await front.say(b"GET / HTTP/1.1\r\nhost: x\r\n" + line + b"\r\n")
            request, reply = await later.call()
            assert request.headers[b"x-forwarded-proto"] == b"http"
            reply.send(200, b"", b"")
            await peer.answer()
            await peer.close()

    run(main)


def test_cookies_come_back_apart_and_hop_by_hop_headers_do_not(tmp_path: Path) -> None:
    def control(_request: Request, reply: Reply) -> None:
        cookies = b"set-cookie: a=1; Path=/\r\nset-cookie: b=2\r\nset-cookie: c=3\r\n"
        reply.send(
            200, JSON + cookies + b"keep-alive: timeout=9\r\nx-request-id: its-own\r\netag: x\r\n", b"{}"
        )

    async def main() -> None:
        async with fronting(tmp_path / "c", control) as front:
            peer = await front.say(b"GET /a HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            head, _, body = (await peer.rest()).partition(b"\r\n\r\n")
            await peer.close()
        lines = head.split(b"\r\n")
        assert [line for line in lines if line.startswith(b"set-cookie")] == [
            b"set-cookie: a=1; Path=/",
            b"set-cookie: b=2",
            b"set-cookie: c=3",
        ]
        names = [line.partition(b":")[0] for line in lines[1:]]
        assert sorted(set(names) - {b"set-cookie"}) == [
            b"connection",
            b"content-length",
            b"content-type",
            b"date",
            b"etag",
            b"x-request-id",
        ]
        assert names.count(b"x-request-id") == names.count(b"date") == 1
        assert b"its-own" not in head
        assert body == b"{}"

    run(main)


@pytest.mark.parametrize(("method", "status"), [(b"HEAD", 200), (b"GET", 204), (b"GET", 304)])
def test_answers_without_a_body(method: bytes, status: int, tmp_path: Path) -> None:
    def control(request: Request, reply: Reply) -> None:
        assert request.method == method
        reply.send(status, b"etag: x\r\n", b"" if status != 200 else b"1234")

    async def main() -> None:
        async with fronting(tmp_path / "c", control) as front, connected(front.live.port) as peer:
            for _ in range(2):
                await peer.send(method + b" /a HTTP/1.1\r\nhost: x\r\n\r\n")
                answer = await peer.answer(to_head=method == b"HEAD")
                assert (answer.status, answer.headers[b"etag"]) == (status, b"x")

    run(main)


def test_an_answer_streams_and_waits_for_a_slow_reader(tmp_path: Path) -> None:
    later = Later()
    piece = b"x" * 65536

    async def main() -> None:
        async with fronting(tmp_path / "c", later) as front, connected(front.live.port) as peer:
            await peer.send(b"GET /events HTTP/1.1\r\nhost: x\r\n\r\n")
            _, reply = await later.call()
            reply.open(200, b"content-type: text/event-stream\r\n")
            reply.write(b"data: 1\n\n")
            status, headers = await peer.head()
            assert (status, headers[b"content-type"]) == (200, b"text/event-stream")
            assert await peer.reader.readuntil(b"\n\n") == b"9\r\ndata: 1\n\n"
            peer.pause()
            written = 0
            while reply.is_writable:
                reply.write(piece)
                written += len(piece)
                await asyncio.sleep(0)
                assert written < 1 << 28, "nobody waits for the reader"
            peer.resume()
            reply.close()
            await peer.reader.readuntil(b"\r\n")
            assert len(await peer.chunks()) == written

    run(main)


def test_a_caller_who_leaves_is_gone_for_the_control_process_too(tmp_path: Path) -> None:
    later = Later()

    async def main() -> None:
        async with fronting(tmp_path / "c", later) as front:
            for number in range(2):
                peer = await front.say(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n")
                _, reply = await later.call(number)
                if number:
                    reply.open(200, b"")
                    reply.write(b"begun")
                    await peer.head()
                await peer.close()
                await eventually(lambda reply=reply: reply.is_gone)  # type: ignore[misc]  # a default binds it

    run(main)


def test_a_control_process_that_breaks_off_breaks_the_answer(tmp_path: Path) -> None:
    later = Later()

    async def main() -> None:
        async with fronting(tmp_path / "c", later) as front:
            peer = await front.say(b"GET /long HTTP/1.1\r\nhost: x\r\n\r\n")
            _, reply = await later.call()
            reply.open(200, b"")
            reply.write(b"begun")
            await peer.head()
            reply.abort()
            assert not (await peer.rest()).endswith(b"0\r\n\r\n")
            await peer.close()

    run(main)


@pytest.mark.parametrize("method", [b"GET", b"POST"])
def test_without_a_control_process_it_says_so(
    method: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quickly(monkeypatch)

    async def main() -> None:
        async with fronting(tmp_path / "c", None) as front, connected(front.live.port) as peer:
            began_s = asyncio.get_running_loop().time()
            await peer.send(method + b" /api HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n")
            answer = await peer.answer()
            assert asyncio.get_running_loop().time() - began_s >= 0.5
            assert answer.status == 503
            assert answer.headers[b"retry-after"].isdigit()
            error = json.loads(answer.body)["error"]
            assert (error["code"], error["details"]) == ("CONTROL_UNAVAILABLE", [])
            assert error["request_id"].encode() == answer.headers[b"x-request-id"]
            assert "not known" not in error["message"], "it was certainly not carried out"

    run(main)


def test_it_waits_for_a_control_process_that_comes_back(tmp_path: Path) -> None:
    def control(_request: Request, reply: Reply) -> None:
        reply.send(200, b"", b"back")

    async def main() -> None:
        path = tmp_path / "c"
        async with fronting(path, None) as front:
            peer = await front.say(b"POST /api HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n")
            await asyncio.sleep(0.2)
            server = Server(control, loop=asyncio.get_running_loop())
            await server.listen(bind_unix(path))
            assert (await peer.answer()).body == b"back"
            await peer.close()
            await server.drain(1)

    run(main)


def test_who_answers_slowly_but_lives_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quickly(monkeypatch)
    asked: list[Request] = []
    later: list[Callable[[], None]] = []

    def control(request: Request, reply: Reply) -> None:
        asked.append(request)
        if request.path == b"/healthz":
            reply.send(200, b"", b"{}")
        else:
            later.append(lambda: reply.send(200, b"", b"at last"))

    async def main() -> None:
        async with fronting(tmp_path / "c", control) as front, connected(front.live.port) as peer:
            await peer.send(b"POST /api HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n")
            await eventually(lambda: [each.path for each in asked].count(b"/healthz") == 2)
            later[0]()
            assert (await peer.answer()).body == b"at last"

    run(main)


def test_who_is_silent_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket that is held and not served, as while the process is away."""
    quickly(monkeypatch)

    async def main() -> None:
        path = tmp_path / "c"
        with bind_unix(path) as held:
            held.listen(16)
            async with fronting(path, None) as front:
                for method, is_unknown in ((b"GET", False), (b"DELETE", True)):
                    async with connected(front.live.port) as peer:
                        await peer.send(method + b" /api HTTP/1.1\r\nhost: x\r\n\r\n")
                        answer = await peer.answer()
                        assert answer.status == 503
                        assert (b"not known" in answer.body) == is_unknown

    run(main)


@pytest.mark.parametrize(("method", "times"), [(b"GET", 2), (b"POST", 1), (b"DELETE", 1)])
def test_only_what_is_safe_is_sent_again(method: bytes, times: int, tmp_path: Path) -> None:
    seen: list[bytes] = []

    def control(request: Request, reply: Reply) -> None:
        seen.append(request.method)
        if len(seen) == 1:
            reply.abort()
        else:
            reply.send(200, b"", b"ok")

    async def main() -> None:
        async with fronting(tmp_path / "c", control) as front, connected(front.live.port) as peer:
            await peer.send(method + b" /api HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n")
            answer = await peer.answer()
            assert (answer.status == 200) == (times == 2)
            assert len(seen) == times
            if times == 1:
                assert b"not known" in answer.body

    run(main)
