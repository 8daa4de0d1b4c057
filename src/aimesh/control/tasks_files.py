"""Files of tasks, from where their providers keep them, while they come: nothing is stored here.

1. A file is asked for without a credential, at addresses of the internet alone; with the simulator on, at this
   machine's, too. A redirect goes to https or stays at its origin, and its address is looked at as the first was.
2. What comes back is a picture, a video, a model or bytes, whatever else its server calls it, and no page may run what
   is in it.
3. A file that ends too early, or grows too large, breaks the connection: it is never taken for a whole one.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack
from pathlib import PurePosixPath
from typing import Annotated
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from fastapi import Header
from fastapi.responses import StreamingResponse
from msgspec import Struct
from starlette.types import Receive, Scope, Send

from aimesh.control.alert_sending import is_public
from aimesh.control.errors import Conflict, Invalid
from aimesh.control.parts import Parts
from aimesh.core.origin import Origin
from aimesh.net.children import Children
from aimesh.net.client import ClientSettings, PooledClient
from aimesh.net.message import AnswerHead, Exchange, ExchangeError, Timeouts
from aimesh.telemetry.logs import Event
from aimesh.upstream.reach import proxy_of

MOST_BYTES = 512 * 1024 * 1024
MOST_REDIRECTS = 3
MEDIA = ("image/*", "video/*", "model/gltf-binary", "application/octet-stream", "application/zip")
BYTES = "application/octet-stream"
_TIMEOUTS = Timeouts(connect_s=5.0, first_byte_s=30.0, idle_s=30.0, whole_s=900.0)
_SHOWN_IN_PAGES = re.compile(r"(image|video)/[a-z0-9.+-]{1,64}|model/gltf-binary")
_ENDINGS = {
    "image/jpeg": "jpg", "image/png": "png", "image/webp": "webp", "image/gif": "gif", "video/mp4": "mp4",
    "video/webm": "webm", "video/quicktime": "mov", "model/gltf-binary": "glb", "application/zip": "zip",
}  # fmt: skip
_ENDING = re.compile(r"\.(glb|gltf|obj|fbx|usdz|stl|ply|zip|mp4|mov|webm|png|jpg|jpeg|webp)", re.IGNORECASE)
_ONE_RANGE = re.compile(r"bytes=([0-9]{1,18}-[0-9]{0,18}|-[0-9]{1,18})")
_REDIRECTS = (301, 302, 303, 307, 308)
_PASSED_ON = ("content-range", "accept-ranges")
_HOST = re.compile(r"[a-z0-9._:-]{1,253}")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_NAME, _LONGEST_LENGTH = 120, 18
_KEPT_AS_IT_IS = "!#$%&'()*+,/:;=?@[]~"
"""Of an address, beside letters and digits: everything else is escaped."""

Range = Annotated[
    str, Header(alias="range", max_length=200, description="One range of bytes: `bytes=0-1023`.")
]


class FileAsked(Struct, frozen=True):
    url: str
    name: str
    """Without an ending."""


async def opened_file(parts: Parts, asked: FileAsked, wanted: str) -> "TaskFileAnswer":
    """``wanted``: a range, or nothing. Raises ``Conflict``, ``Invalid``, ``TooManyRequests``."""
    with ExitStack() as stack:
        stack.enter_context(parts.files.turn())
        fetch = _Fetch(parts)
        try:
            head, exchange = await fetch.begin(asked.url, wanted)
            answer = TaskFileAnswer(head, exchange, asked)
        except BaseException:
            await fetch.end()
            raise
        answer.fetch, answer.turn = fetch, stack.pop_all()
        return answer


class _Fetch:
    """A client for one file."""

    def __init__(self, parts: Parts) -> None:
        upstream = parts.settings.upstream
        self._parts = parts
        self._children = Children(self._crashed)
        self._client = PooledClient(
            self._children,
            ClientSettings(extra_ca_file=upstream.ca_file or None, proxy=proxy_of(upstream)),
            loop=asyncio.get_running_loop(),
            resolve_guard=None if parts.settings.simulator else is_public,
        )

    async def begin(self, url: str, wanted: str) -> tuple[AnswerHead, Exchange]:
        """The head of the answer that is no redirect. Raises ``Conflict``."""
        place = _place(url)
        for _ in range(MOST_REDIRECTS + 1):
            exchange = self._client.send(_origin(place), _request(place, wanted), b"", timeouts=_TIMEOUTS)
            try:
                head = await exchange.head()
            except ExchangeError as error:
                raise _failed(f"its file cannot be fetched: {error}") from error
            if head.status not in _REDIRECTS:
                return head, exchange
            exchange.cancel()
            place = _next(place, head)
        raise _failed("its file is behind too many redirects")

    async def end(self) -> None:
        self._client.close()
        await self._children.stop()

    def _crashed(self, name: str, error: BaseException) -> None:
        if self._parts.log is not None:
            self._parts.log.crash(Event.CHILD_CRASHED, error, {"child": name})


class TaskFileAnswer(StreamingResponse):
    fetch: _Fetch
    turn: ExitStack

    def __init__(self, head: AnswerHead, exchange: Exchange, asked: FileAsked) -> None:
        """Raises ``Conflict``, ``Invalid``."""
        said = {name.decode("latin-1"): value.decode("latin-1") for name, value in head.headers.items()}
        length = _checked_length(head.status, said)
        kind = said.get("content-type", "").partition(";")[0].strip().lower()
        is_shown = _SHOWN_IN_PAGES.fullmatch(kind) is not None and kind != "image/svg+xml"
        if not is_shown and kind != "application/zip":
            kind = BYTES
        headers = {name: said[name] for name in _PASSED_ON if name in said}
        if length is not None:
            headers["content-length"] = str(length)
        super().__init__(
            _pieces(exchange),
            status_code=head.status,
            media_type=kind,
            headers=headers
            | {
                "content-disposition": f'{"inline" if is_shown else "attachment"}; filename="{_name(asked, kind)}"',
                "content-security-policy": "sandbox; default-src 'none'",
                "x-content-type-options": "nosniff",
            },
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Whether or not a piece of it was ever wanted.
        with self.turn:
            try:
                await super().__call__(scope, receive, send)
            finally:
                await self.fetch.end()


class _Broken(Exception):
    """The rest of a file did not come, or too much did."""


async def _pieces(exchange: Exchange) -> AsyncIterator[bytes]:
    left = MOST_BYTES
    try:
        while piece := await exchange.piece():
            left -= len(piece)
            if left < 0:
                raise _Broken("the file is too large")
            yield piece
    except ExchangeError as error:
        raise _Broken(str(error)) from error


def _place(url: str) -> SplitResult:
    try:
        place = urlsplit(quote(url, safe=_KEPT_AS_IT_IS))
        is_one = place.scheme in ("http", "https") and place.hostname and place.port != 0
    except ValueError:
        is_one = False
    if not is_one or "@" in place.netloc or not _HOST.fullmatch(place.hostname or ""):
        raise _failed("it gave an address that is none")
    return place


def _next(place: SplitResult, head: AnswerHead) -> SplitResult:
    said = head.headers.get(b"location", b"").decode("latin-1")
    try:
        found = _place(urljoin(place.geturl(), said)) if said else None
    except ValueError:
        found = None
    if found is None or (found.scheme != "https" and _origin(found) != _origin(place)):
        raise _failed("its file is behind a redirect that is not followed")
    return found


def _origin(place: SplitResult) -> Origin:
    tls = place.scheme == "https"
    return Origin(host=place.hostname or "", port=place.port or (443 if tls else 80), tls=tls)


def _request(place: SplitResult, wanted: str) -> bytes:
    target = (place.path or "/") + (f"?{place.query}" if place.query else "")
    lines = [f"GET {target} HTTP/1.1", f"host: {place.netloc}", "accept: */*", "accept-encoding: identity"]
    if _ONE_RANGE.fullmatch(wanted):
        lines.append(f"range: {wanted}")
    return "".join(f"{line}\r\n" for line in lines).encode("ascii")


def _checked_length(status: int, said: Mapping[str, str]) -> int | None:
    """Of what comes; None: it is not announced. Raises ``Conflict``, ``Invalid``."""
    if status == 416:
        raise Invalid("RANGE_NOT_THERE", "the file has no such range")
    if status not in (200, 206):
        raise _failed(f"its file cannot be fetched: HTTP {status}")
    if said.get("content-encoding", "identity").strip().lower() not in ("identity", ""):
        raise _failed("its file came in an encoding that was not asked for")
    length = said.get("content-length", "")
    if not length.isdecimal() or len(length) > _LONGEST_LENGTH:
        return None
    if int(length) > MOST_BYTES:
        raise Conflict("FILE_TOO_LARGE", "the file is larger than 512 MiB; open its own address")
    return int(length)


def _name(asked: FileAsked, kind: str) -> str:
    ending = _ENDINGS.get(kind, "")
    if not ending:
        said = _ENDING.fullmatch(PurePosixPath(urlsplit(asked.url).path).suffix)
        ending = said[1].lower() if said else "bin"
    return f"{_UNSAFE.sub('-', asked.name)[:_LONGEST_NAME]}.{ending}"


def _failed(message: str) -> Conflict:
    return Conflict("PROVIDER_FAILED", message)
