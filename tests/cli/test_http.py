import socket

import pytest

from aimesh.cli.client import Call
from aimesh.cli.faults import Misused, Refused
from aimesh.cli.http import Http, origin_of
from aimesh.core.secret import Secret

SECRET = "at-" + "s" * 40


@pytest.mark.parametrize(
    ("given", "origin"),
    [
        ("http://127.0.0.1:8600", "http://127.0.0.1:8600"),
        ("https://ai.example.com/", "https://ai.example.com"),
        ("https://ai.example.com/gateway/v1", "https://ai.example.com"),
        ("https://ai.example.com/api/admin/v1", "https://ai.example.com"),
        ("https://example.com/ai/gateway", "https://example.com/ai"),
        ("http://[::1]:8600", "http://[::1]:8600"),
    ],
)
def test_an_address_may_be_pasted_with_what_is_behind_it(given: str, origin: str) -> None:
    assert origin_of(given) == origin


@pytest.mark.parametrize(
    "given",
    ["", "ai.example.com", "ftp://x", "http://", "http://user:secret@host", "http://h:99999", "http://h:x"],
)
def test_what_is_no_address_is_refused_without_being_repeated(given: str) -> None:
    with pytest.raises(Misused, match=r"https://ai\.example\.com") as caught:
        origin_of(given)
    assert "secret" not in caught.value.message


def test_nobody_there_is_said_with_the_address_and_without_the_token() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        transport = Http(f"http://127.0.0.1:{port}", Secret(SECRET))
        try:
            with pytest.raises(Refused, match=f"http://127.0.0.1:{port} cannot be reached") as caught:
                transport.send(Call(method="GET", path="/x", query={}, headers={}, body=None))
        finally:
            transport.close()
    assert SECRET not in str(caught.value)
    assert caught.value.code == "CONTROL_UNREACHABLE"
