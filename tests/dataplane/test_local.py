"""What a worker answers itself outside the data plane."""

import json

from tests.support.loopback import connected, run, serving

from aimesh.dataplane.local import LocalPages
from aimesh.net.message import Reply, Request


async def ask(pages: LocalPages, method: bytes, path: bytes, accept: bytes = b"*/*") -> tuple[int, bytes]:
    async with serving(pages.answer) as live, connected(live.port) as peer:
        await peer.send(method + b" " + path + b" HTTP/1.1\r\nhost: x\r\naccept: " + accept + b"\r\n\r\n")
        answer = await peer.answer()
        return answer.status, answer.body


def test_health_and_readiness() -> None:
    async def main() -> None:
        for is_ready, status in ((True, 200), (False, 503)):
            pages = LocalPages("1.2", lambda is_ready=is_ready: is_ready)  # type: ignore[misc]  # a default binds it
            assert (await ask(pages, b"GET", b"/readyz"))[0] == status
            alive, body = await ask(pages, b"GET", b"/healthz")
            assert (alive, json.loads(body)["version"]) == (200, "1.2")

    run(main)


def test_counters_are_served_where_they_are_given() -> None:
    async def main() -> None:
        assert (await ask(LocalPages("1", lambda: True), b"GET", b"/metrics"))[0] == 404
        pages = LocalPages("1", lambda: True, metrics=lambda: b"a 1\n")
        assert await ask(pages, b"GET", b"/metrics") == (200, b"a 1\n")

    run(main)


def test_what_is_not_known_is_anothers() -> None:
    def others(request: Request, reply: Reply) -> None:
        reply.send(200, b"", request.method + b" " + request.path)

    async def main() -> None:
        pages = LocalPages("1", lambda: True, others=others)
        assert await ask(pages, b"GET", b"/setup") == (200, b"GET /setup")
        assert await ask(pages, b"DELETE", b"/") == (200, b"DELETE /")
        assert json.loads((await ask(pages, b"GET", b"/"))[1])["name"] == "aimesh"

    run(main)


def test_a_browser_gets_the_console_where_there_is_one() -> None:
    def others(_request: Request, reply: Reply) -> None:
        reply.send(200, b"", b"the console")

    async def main() -> None:
        with_console, without = LocalPages("1", lambda: True, others=others), LocalPages("1", lambda: True)
        browser = b"text/html,application/xhtml+xml,*/*;q=0.8"
        assert await ask(with_console, b"GET", b"/", browser) == (200, b"the console")
        assert json.loads((await ask(without, b"GET", b"/", browser))[1])["name"] == "aimesh"

    run(main)


def test_without_another_it_says_where_models_are_called() -> None:
    async def main() -> None:
        status, body = await ask(LocalPages("1", lambda: True), b"POST", b"/v1/chat/completions")
        assert status == 404
        assert "/gateway/" in json.loads(body)["error"]["message"]

    run(main)
