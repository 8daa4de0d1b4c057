"""A worker that stops while a task is being made for a caller who has already left."""

import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.chaos.conftest import Begin
from tests.support.chaos_calls import TASK
from tests.support.chaos_config import chaos_config
from tests.support.chaos_http import connect, request_bytes, until
from tests.support.chaos_upstream import http_answer, raw_upstream, read_request

pytestmark = pytest.mark.chaos


def test_a_task_that_is_accepted_while_the_worker_drains_is_recorded(begin: Begin) -> None:
    asked, may_answer = threading.Event(), threading.Event()

    def script(_number: int, connection: socket.socket) -> None:
        read_request(connection)
        asked.set()
        may_answer.wait(10)
        connection.sendall(http_answer(b'{"id":"cgt-late"}'))

    with raw_upstream(script) as upstream, ThreadPoolExecutor(1) as pool:
        config = chaos_config("", providers={"alpha": upstream.url})
        config["timeouts"] |= {"drain_s": 5, "first_byte_whole_s": 10}
        gateway = begin(config)
        with connect(gateway.url) as caller:
            caller.sendall(request_bytes(TASK.path, TASK.body))
            assert asked.wait(5)
        until(lambda: gateway.ask(lambda: gateway.worker.server.stats.open == 0), "the caller is still there")
        stopping = pool.submit(gateway.stop)
        until(lambda: gateway.ask(lambda: gateway.worker.edge.is_draining), "it does not drain")
        may_answer.set()
        stopping.result(10)
        record = gateway.record()
        assert (record.outcome, record.task_id) == ("ok", "cgt-late")
