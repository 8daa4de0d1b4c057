"""The caller hangs up: the upstream connection is closed within a second, and the call is recorded once."""

import pytest
from tests.support.chaos_calls import STREAM_STYLES, TASK, VIDEO_TASK, WHOLE_STYLES, Style
from tests.support.chaos_http import get, opened, until
from tests.support.chaos_simulator import SimulatorProcess
from tests.support.chaos_worker import InnerGateway

from aimesh.core.clock import SystemClock

pytestmark = pytest.mark.chaos

CLOCK = SystemClock()
CHUNKS = 100
TEXT_STREAMS = STREAM_STYLES[:3]
TASKS = (TASK, VIDEO_TASK)
MADE_ONCE = tuple(style for style in WHOLE_STYLES if style.once)
CALLS = tuple(style for style in STREAM_STYLES + WHOLE_STYLES if style not in MADE_ONCE)

leaving = pytest.mark.parametrize("reset", [False, True], ids=["fin", "rst"])


def _assert_upstream_closed(simulator: SimulatorProcess, left_s: float) -> None:
    until(lambda: simulator.requests("alpha")[0]["peer_gone"], "the upstream connection stays", within_s=5)
    assert _gone_at_s(simulator) - left_s < 1.0


def _gone_at_s(simulator: SimulatorProcess) -> float:
    request = simulator.requests("alpha")[0]
    gone_s: float = request["at_s"] + request["peer_gone_after_s"]
    return gone_s


def _assert_recorded(gateway: InnerGateway, simulator: SimulatorProcess, *, answered: bool) -> None:
    record = gateway.record()
    assert record.outcome == "client_gone"
    assert [attempt.endpoint.split("@")[0] for attempt in record.attempts] == ["alpha"]
    assert (record.ttft_ms is not None) == answered
    assert simulator.requests("beta") == []
    gateway.wait_at_rest()
    simulator.wait_idle()


@leaving
@pytest.mark.parametrize("style", CALLS, ids=lambda style: style.name)
def test_gone_before_the_first_byte(
    style: Style, reset: bool, gateway: InnerGateway, simulator: SimulatorProcess
) -> None:
    simulator.fault("slow_start", n=0.5)
    with opened(gateway.url, style.path, style.body) as stream:
        until(lambda: simulator.requests("alpha"), "the upstream was not called")
        stream.hang_up(reset=reset)
        left_s = CLOCK.wall_s()
    _assert_upstream_closed(simulator, left_s)
    _assert_recorded(gateway, simulator, answered=False)


@leaving
@pytest.mark.parametrize("style", MADE_ONCE, ids=lambda style: style.name)
def test_gone_while_something_is_made(
    style: Style, reset: bool, gateway: InnerGateway, simulator: SimulatorProcess
) -> None:
    """A provider may have accepted it, and it costs: it is made to the end, and recorded; a task is bound."""
    simulator.fault("slow_start", n=0.3)
    with opened(gateway.url, style.path, style.body) as stream:
        until(lambda: simulator.requests("alpha"), "the upstream was not called")
        stream.hang_up(reset=reset)
    record = gateway.record()
    assert record.outcome == "ok"
    gateway.wait_at_rest()
    if style not in TASKS:
        assert record.usage.images > 0
        return
    assert record.task_id
    path = "/gateway/api/v1/tasks/" if style is VIDEO_TASK else f"{style.path}/"
    seen = get(gateway.url, path + record.task_id)
    assert seen.status == 200
    assert record.task_id in seen.body.decode()
    assert simulator.requests("beta") == []


@leaving
@pytest.mark.parametrize("percent", [10, 50])
@pytest.mark.parametrize("style", TEXT_STREAMS, ids=lambda style: style.name)
def test_gone_in_a_running_stream(
    style: Style, percent: int, reset: bool, gateway: InnerGateway, simulator: SimulatorProcess
) -> None:
    simulator.fault("chunks", n=CHUNKS)
    simulator.fault("slow_chunks_ms", n=10)
    with opened(gateway.url, style.path, style.body) as stream:
        stream.read_frames(CHUNKS * percent // 100)
        stream.hang_up(reset=reset)
        left_s = CLOCK.wall_s()
    _assert_upstream_closed(simulator, left_s)
    _assert_recorded(gateway, simulator, answered=True)
    record = gateway.record()
    assert not record.usage.reported
    assert 0 < record.usage.output_tokens < CHUNKS * 10


@leaving
@pytest.mark.parametrize("style", TEXT_STREAMS, ids=lambda style: style.name)
def test_gone_at_99_percent(
    style: Style, reset: bool, gateway: InnerGateway, simulator: SimulatorProcess
) -> None:
    """The upstream waits before its last content chunk, so the caller is sure to leave before the end."""
    before_end = CHUNKS - 1 + style.opening
    simulator.fault("chunks", n=CHUNKS)
    simulator.fault("stall_after_chunks", n=before_end)
    with opened(gateway.url, style.path, style.body) as stream:
        stream.read_frames(before_end)
        stream.hang_up(reset=reset)
        left_s = CLOCK.wall_s()
    _assert_upstream_closed(simulator, left_s)
    _assert_recorded(gateway, simulator, answered=True)


def test_gone_after_the_first_picture(gateway: InnerGateway, simulator: SimulatorProcess) -> None:
    style = STREAM_STYLES[3]
    simulator.fault("stall_after_chunks", n=1)
    with opened(gateway.url, style.path, style.body) as stream:
        stream.read_frames(1)
        stream.hang_up()
        left_s = CLOCK.wall_s()
    _assert_upstream_closed(simulator, left_s)
    _assert_recorded(gateway, simulator, answered=True)


@pytest.mark.parametrize("style", TEXT_STREAMS, ids=lambda style: style.name)
def test_gone_after_the_end_is_no_loss(
    style: Style, gateway: InnerGateway, simulator: SimulatorProcess
) -> None:
    with opened(gateway.url, style.path, style.body) as stream:
        stream.read_to_end()
        stream.hang_up(reset=True)
    assert gateway.record().outcome == "ok"
    gateway.wait_at_rest()


def test_gone_while_failing_over(gateway: InnerGateway, simulator: SimulatorProcess) -> None:
    """Left while ``beta`` is being tried: both attempts are in the one record."""
    style = STREAM_STYLES[0]
    simulator.fault("status", status=500)
    simulator.fault("slow_start", provider="beta", n=0.5)
    with opened(gateway.url, style.path, style.body) as stream:
        until(lambda: simulator.requests("beta"), "beta was not called")
        stream.hang_up()
    until(lambda: simulator.requests("beta")[0]["peer_gone"], "the upstream connection stays", within_s=1)
    record = gateway.record()
    assert record.outcome == "client_gone"
    assert [attempt.endpoint.split("@")[0] for attempt in record.attempts] == ["alpha", "beta"]
    gateway.wait_at_rest()
