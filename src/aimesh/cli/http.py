"""The admin API of a running gateway."""

from typing import BinaryIO
from urllib.parse import SplitResult, urlsplit

import httpx

from aimesh.cli.client import ROOT, UNREACHABLE, Call, Reply
from aimesh.cli.faults import Misused, Refused
from aimesh.core.secret import Secret

TIMEOUT_S = 60.0


class Http:
    def __init__(self, url: str, token: Secret[str] | None) -> None:
        self.name = origin_of(url)
        self._client = httpx.Client(
            base_url=self.name,
            headers={"authorization": f"Bearer {token.reveal()}"} if token is not None else {},
            timeout=TIMEOUT_S,
        )

    def send(self, call: Call) -> Reply:
        try:
            return reply_of(
                self._client.request(
                    call.method, call.path, params=call.query, headers=call.headers, content=call.body
                )
            )
        except httpx.TransportError as error:
            why = str(error) or type(error).__name__
            raise Refused(f"{self.name} cannot be reached: {why}", code=UNREACHABLE) from error

    def download(self, call: Call, sink: BinaryIO) -> Reply:
        try:
            with self._client.stream(
                call.method, call.path, params=call.query, headers=call.headers
            ) as response:
                if not response.is_success:
                    response.read()
                    return reply_of(response)
                for piece in response.iter_bytes():
                    sink.write(piece)
                return Reply(status=response.status_code, body=b"", etag="")
        except httpx.TransportError as error:
            why = str(error) or type(error).__name__
            raise Refused(f"{self.name} broke off: {why}", code=UNREACHABLE) from error

    def close(self) -> None:
        self._client.close()


def reply_of(response: httpx.Response) -> Reply:
    return Reply(status=response.status_code, body=response.content, etag=response.headers.get("etag", ""))


def origin_of(url: str) -> str:
    """What people paste: the origin, with or without ``/gateway/v1`` behind it."""
    parts = urlsplit(url)
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or "@" in parts.netloc
        or not _has_good_port(parts)
    ):
        raise Misused("--url is the address of a gateway, for example https://ai.example.com")
    path = parts.path.partition("/gateway")[0].removesuffix(ROOT).rstrip("/")
    return f"{parts.scheme}://{parts.netloc}{path}"


def _has_good_port(parts: SplitResult) -> bool:
    try:
        return parts.port != 0
    except ValueError:
        return False
