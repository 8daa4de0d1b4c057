"""A worker that was held up (a busy machine, a large body) must not take its own delay for the upstream's."""

import gzip
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.chaos.conftest import Begin
from tests.support.chaos_calls import CHAT
from tests.support.chaos_config import chaos_config
from tests.support.chaos_http import call, until
from tests.support.chaos_simulator import SimulatorProcess
from tests.support.chaos_upstream import http_answer, raw_upstream, read_request
from tests.support.chaos_worker import InnerGateway

pytestmark = pytest.mark.chaos


def test_an_answer_that_came_during_the_stall(gateway: InnerGateway, simulator: SimulatorProcess) -> None:
    simulator.fault("latency_ms", n=150)
    with ThreadPoolExecutor(1) as callers:
        coming = callers.submit(call, gateway.url, CHAT.path, CHAT.body)
        until(lambda: simulator.requests("alpha"), "the upstream was not called")
        # Twice the limit for a first byte.
        gateway.ask(lambda: time.sleep(1.3))
        seen = coming.result(10)
    assert CHAT.is_good(seen), seen.body
    assert gateway.record().provider == "alpha"


def test_an_attempt_that_begins_after_a_stall(begin: Begin, simulator: SimulatorProcess) -> None:
    """Unpacking ``alpha``'s answer takes longer than a connection may: ``beta`` gets its whole time all the same."""
    bomb = http_answer(gzip.compress(bytes(120 << 20), 1), kind="application/json\r\ncontent-encoding: gzip")

    def script(_number: int, connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(bomb)

    with raw_upstream(script) as upstream:
        providers = {"alpha": upstream.url, "beta": f"{simulator.url}/beta"}
        config = chaos_config("", providers=providers)
        config["timeouts"] |= {"connect_s": 0.02, "first_byte_whole_s": 5}
        gateway = begin(config)
        assert call(gateway.url, CHAT.path, CHAT.body).status == 200
