"""Where and when a request came from. Made once per request, by the outermost layer (``control/edge.py``).

``x-forwarded-*`` is what the worker wrote that relayed the request: the socket is private to this installation. Without
it the request came from this machine.
"""

import re
from collections.abc import Iterator
from itertools import count

from fastapi import Request
from msgspec import Struct, field
from starlette.datastructures import Headers
from starlette.types import Scope

from aimesh.control.ids import new_id

SOURCE = "aimesh.source"
"""Name in the ASGI scope."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
_MOST_ADDRESS = 64


class Source(Struct, frozen=True):
    ip: str
    request_id: str
    at_s: float
    """Wall-clock seconds."""
    lines: Iterator[int] = field(default_factory=count)
    """Numbers the lines of the audit log; shared by all requests of a process."""


def read_source(scope: Scope, now_s: float, lines: Iterator[int]) -> Source:
    headers = Headers(scope=scope)
    given = headers.get("x-request-id", "")
    forwarded = headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    return Source(
        ip=_printable(forwarded)[:_MOST_ADDRESS] or "local",
        request_id=given if _REQUEST_ID.fullmatch(given) else new_id("", now_s),
        at_s=now_s,
        lines=lines,
    )


def source_of(request: Request) -> Source:
    source: Source = request.scope[SOURCE]
    return source


def is_https(request: Request) -> bool:
    return request.headers.get("x-forwarded-proto", "http").strip().lower() == "https"


def host_of(request: Request) -> str:
    """What the caller calls this site."""
    return request.headers.get("x-forwarded-host") or request.headers.get("host", "")


def _printable(text: str) -> str:
    return "".join(one for one in text if one.isprintable())
