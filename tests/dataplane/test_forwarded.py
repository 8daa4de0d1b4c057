"""Whose address counts behind proxies, and who may say so."""

import ipaddress
from pathlib import Path

import httpx
import pytest
from tests.support.chaos_worker import InnerGateway, LoopThread

from aimesh.dataplane.forwarded import Forwarded
from aimesh.net.message import Reply, Request

TRUSTED = [ipaddress.ip_network(text) for text in ("10.0.0.0/8", "2001:db8:1::/48")]


def request(peer: str, headers: dict[bytes, bytes]) -> Request:
    return Request(method=b"GET", path=b"/gateway/v1/models", query=b"", headers=headers, body=b"", peer=peer)


class Seen:
    """What the handler behind it gets."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.heads: list[tuple[str, dict[bytes, bytes]]] = []
        self.front = Forwarded(TRUSTED, self._handle, self._check)

    def _handle(self, request: Request, _reply: Reply) -> None:
        self.requests.append(request)

    def _check(self, request: Request) -> tuple[int, bytes, bytes] | None:
        self.heads.append((request.peer, dict(request.headers)))
        return 413, b"", b""


def caller(peer: str, told: str | None) -> str:
    seen = Seen()
    headers = {} if told is None else {b"x-forwarded-for": told.encode()}
    # The handler of this test asks nothing of a reply.
    seen.front.handle(request(peer, headers), None)  # type: ignore[arg-type]
    return seen.requests[0].peer


@pytest.mark.parametrize(
    ("peer", "told", "expected"),
    [
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("::ffff:10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "6.6.6.6, 203.0.113.9, 10.0.0.7,2001:db8:1::5", "203.0.113.9"),
        ("10.0.0.1", "10.0.0.9, 10.0.0.7", "10.0.0.9"),
        ("10.0.0.1", "203.0.113.9:4711", "203.0.113.9"),
        ("2001:db8:1::1", "[2001:db8::9]:4711", "2001:db8::9"),
        ("10.0.0.1", "2001:DB8::9", "2001:db8::9"),
        ("10.0.0.1", "::ffff:203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "203.0.113.9, unknown, 10.0.0.7", "10.0.0.7"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "\x00\xff", "10.0.0.1"),
        ("10.0.0.1", None, "10.0.0.1"),
        ("203.0.113.9", "6.6.6.6", "203.0.113.9"),
        ("203.0.113.9", "10.0.0.1", "203.0.113.9"),
        ("2001:db8:2::1", "6.6.6.6", "2001:db8:2::1"),
        ("", "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        ("", "unknown", ""),
        ("", None, ""),
    ],
)
def test_the_rightmost_address_that_is_no_trusted_proxy(peer: str, told: str | None, expected: str) -> None:
    assert caller(peer, told) == expected


def test_the_scheme_is_believed_of_a_trusted_proxy_alone() -> None:
    for peer, kept in (("10.0.0.1", True), ("203.0.113.9", False), ("", True)):
        seen = Seen()
        asked = request(peer, {b"x-forwarded-proto": b"https", b"x-forwarded-for": b"10.0.0.9"})
        # As above.
        seen.front.handle(asked, None)  # type: ignore[arg-type]
        assert (b"x-forwarded-proto" in seen.requests[0].headers) is kept


def test_a_head_is_judged_by_the_callers_address_and_stays_as_it_came() -> None:
    seen = Seen()
    headers = {b"x-forwarded-for": b"203.0.113.9, 10.0.0.7", b"x-forwarded-proto": b"https"}
    asked = request("10.0.0.1", dict(headers))
    assert seen.front.check_head(asked) == (413, b"", b"")
    assert seen.heads == [("203.0.113.9", headers)]
    assert (asked.peer, asked.headers) == ("10.0.0.1", headers)
    stranger = request("203.0.113.9", dict(headers))
    seen.front.check_head(stranger)
    assert seen.heads[1] == ("203.0.113.9", {b"x-forwarded-for": headers[b"x-forwarded-for"]})
    assert stranger.headers == headers


def test_a_worker_compares_the_callers_address_with_the_networks_of_a_key(tmp_path: Path) -> None:
    key = {"alias": "fenced", "key": "ck-fenced-0123456789abcdef", "cidrs": ["203.0.113.0/24"]}
    config = {"listen": ["127.0.0.1:0"], "virtual_keys": [key], "trusted_proxies": ["127.0.0.0/8"]}
    thread = LoopThread()
    gateway = InnerGateway(thread, config, tmp_path)
    try:
        headers = {"authorization": f"Bearer {key['key']}"}
        with httpx.Client(base_url=gateway.url, headers=headers, trust_env=False) as client:
            asked = {
                told: client.get("/gateway/v1/models", headers={"x-forwarded-for": told}).status_code
                for told in ("203.0.113.9", "203.0.113.9, 198.51.100.1", "198.51.100.1, 203.0.113.9")
            }
    finally:
        gateway.stop()
        thread.stop()
    assert list(asked.values()) == [200, 403, 200]
