"""Upstreams close connections whenever they like: a pooled one that died costs nobody a call."""

import socket
import struct
import threading

import pytest
from tests.chaos.conftest import Begin
from tests.support.chaos_calls import CHAT, IMAGE_WHOLE
from tests.support.chaos_config import chaos_config
from tests.support.chaos_http import call
from tests.support.chaos_upstream import CHAT_ANSWER, http_answer, raw_upstream, read_request
from tests.support.chaos_worker import InnerGateway

pytestmark = pytest.mark.chaos


def _reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _only(url: str, begin: Begin) -> InnerGateway:
    """A gateway with one endpoint: nothing can be sent elsewhere."""
    return begin(chaos_config("", providers={"alpha": url}))


def _assert_all_good(gateway: InnerGateway, calls: int) -> None:
    records = gateway.records()
    assert [record.outcome for record in records] == ["ok"] * calls
    # Attempts are listed where one failed; here none may have.
    assert all(record.attempts == () for record in records)
    gateway.wait_at_rest()


@pytest.mark.parametrize("is_reset", [False, True], ids=["fin", "rst"])
def test_closed_after_each_answer(is_reset: bool, begin: Begin) -> None:
    def script(_number: int, connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(CHAT_ANSWER)
        if is_reset:
            # The answer must have arrived: a reset may overtake it.
            connection.settimeout(0.05)
            try:
                connection.recv(1)
            except TimeoutError:
                _reset(connection)

    with raw_upstream(script) as upstream:
        gateway = _only(upstream.url, begin)
        for _ in range(5):
            assert call(gateway.url, CHAT.path, CHAT.body).status == 200
        _assert_all_good(gateway, 5)


@pytest.mark.parametrize("is_reset", [False, True], ids=["fin", "rst"])
def test_closed_at_the_moment_of_the_next_call(is_reset: bool, begin: Begin) -> None:
    """The race every pool has: the request was written, and the upstream had already let go."""

    def script(_number: int, connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(CHAT_ANSWER)
        read_request(connection)
        if is_reset:
            _reset(connection)

    with raw_upstream(script) as upstream:
        gateway = _only(upstream.url, begin)
        for _ in range(6):
            assert call(gateway.url, CHAT.path, CHAT.body).status == 200
        _assert_all_good(gateway, 6)
        # Each call but the first meets the dead one first, and goes through on a fresh one.
        assert upstream.connections == 6


def test_a_fresh_connection_that_dies_is_a_failure(begin: Begin) -> None:
    """Only a connection that was used before may be the upstream's timing; this one is the upstream."""

    def script(_number: int, connection: socket.socket) -> None:
        read_request(connection)

    with raw_upstream(script) as upstream:
        gateway = _only(upstream.url, begin)
        assert call(gateway.url, CHAT.path, CHAT.body).status == 502
        assert upstream.connections == 1
        assert gateway.record().outcome == "upstream_failed"
        gateway.wait_at_rest()


def test_what_costs_again_goes_out_on_a_fresh_connection(begin: Begin) -> None:
    """A reused connection that dies would leave open whether the picture was ordered."""
    picture = http_answer(b'{"model":"raw","created":1,"data":[{"url":"http://x/1.png","size":"2048x2048"}]}')

    def script(number: int, connection: socket.socket) -> None:
        while read_request(connection):
            connection.sendall(picture)

    with raw_upstream(script) as upstream:
        gateway = _only(upstream.url, begin)
        for count in range(1, 4):
            assert call(gateway.url, IMAGE_WHOLE.path, IMAGE_WHOLE.body).status == 200
            assert upstream.connections == count
        _assert_all_good(gateway, 3)


def test_bytes_that_nobody_asked_for(begin: Begin) -> None:
    """Extra bytes after an answer are never read as the answer to the next call."""
    extra = CHAT_ANSWER.replace(b'"hi"', b'"no"')

    def script(_number: int, connection: socket.socket) -> None:
        while read_request(connection):
            connection.sendall(CHAT_ANSWER + extra)

    with raw_upstream(script) as upstream:
        gateway = _only(upstream.url, begin)
        for _ in range(5):
            seen = call(gateway.url, CHAT.path, CHAT.body)
            assert seen.json["choices"][0]["message"]["content"] == "hi"
        _assert_all_good(gateway, 5)


def test_an_answer_before_the_request_was_read(begin: Begin) -> None:
    """An upstream that refuses a large body at once and closes: its words arrive."""
    refusal = http_answer(
        b'{"error":{"message":"too large","type":"invalid_request_error","param":null,"code":null}}',
        status="413 Payload Too Large",
    )

    def script(_number: int, connection: socket.socket) -> None:
        connection.recv(100)
        connection.sendall(refusal)
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(5)
        while connection.recv(1 << 20):
            pass

    with raw_upstream(script) as upstream:
        gateway = _only(upstream.url, begin)
        body = CHAT.body | {"messages": [{"role": "user", "content": "x" * 4_000_000}]}
        seen = call(gateway.url, CHAT.path, body)
        assert (seen.status, seen.json["error"]["message"]) == (413, "too large")
        assert gateway.record().outcome == "refused_upstream"
        gateway.wait_at_rest()


def test_an_upstream_that_reads_nothing(begin: Begin) -> None:
    """A large body that does not go out counts as no answer in time, and the connection is given up."""
    released = threading.Event()

    def script(_number: int, connection: socket.socket) -> None:
        released.wait(10)

    with raw_upstream(script) as upstream:
        gateway = _only(upstream.url, begin)
        body = CHAT.body | {"messages": [{"role": "user", "content": "x" * 20_000_000}]}
        try:
            seen = call(gateway.url, CHAT.path, body)
        finally:
            released.set()
        assert (seen.status, seen.json["error"]["code"]) == (504, "UPSTREAM_TIMEOUT")
        assert gateway.record().outcome == "upstream_failed"
        gateway.wait_at_rest()
