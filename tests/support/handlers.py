"""Handlers for tests of the server."""

from tests.support.loopback import eventually

from aimesh.net.message import Reply, Request

GET = b"GET /a?b=c HTTP/1.1\r\nhost: x\r\n\r\n"


def echo(request: Request, reply: Reply) -> None:
    said = b" ".join((request.method, request.path, request.query, request.body))
    reply.send(200, b"content-type: text/plain\r\n", said)


class Later:
    """Keeps what the handler was given; the test answers when it likes."""

    def __init__(self) -> None:
        self.calls: list[tuple[Request, Reply]] = []

    def __call__(self, request: Request, reply: Reply) -> None:
        self.calls.append((request, reply))

    async def call(self, number: int = 0) -> tuple[Request, Reply]:
        await eventually(lambda: len(self.calls) > number)
        return self.calls[number]
