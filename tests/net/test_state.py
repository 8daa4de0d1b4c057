"""The shared state of a server: deadlines, the ceiling, what ends every head."""

import asyncio

from aimesh.net.message import Reply, Request
from aimesh.net.state import CLOSE, KEEP_ALIVE, KEEP_ALIVE_OLD, ServerLimits, ServerState


class Waiting:
    def __init__(self, *, deadline_s: float = 0.0, waits_since_s: float = 0.0) -> None:
        self.deadline_s = deadline_s
        self.waits_since_s = waits_since_s
        self.said: list[str] = []

    def expire(self) -> None:
        self.said.append("expired")

    def drain(self) -> None:
        self.said.append("drained")

    def abort(self) -> None:
        self.said.append("aborted")


def nothing(request: Request, reply: Reply) -> None:
    raise AssertionError("nobody calls")


def make(limits: ServerLimits | None = None) -> ServerState:
    loop = asyncio.new_event_loop()
    try:
        return ServerState(
            nothing,
            limits or ServerLimits(),
            loop=loop,
            on_head=None,
            encode_refusal=lambda status, text: (b"", b""),
        )
    finally:
        loop.close()


def test_a_tick_expires_what_is_due_and_never_early() -> None:
    state = make(ServerLimits(head_s=2.0))
    state.tick(100.0, 0)
    # Deadlines set since then were counted from 100, although it may have been up to one sweep later.
    due, not_yet, served = (
        Waiting(deadline_s=102.0),
        Waiting(deadline_s=102.4),
        Waiting(deadline_s=float("inf")),
    )
    for each in (due, not_yet, served):
        state.admit(each)
    state.tick(102.2, 0)
    assert due.said == []
    state.tick(102.0 + state.limits.sweep_s + 0.01, 0)
    assert due.said == ["expired"]
    assert not_yet.said == served.said == []


def test_the_ends_of_heads() -> None:
    state = make()
    state.tick(1.0, 0)
    date = b"date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
    assert state.tails[KEEP_ALIVE] == date + b"\r\n"
    assert state.tails[KEEP_ALIVE_OLD] == date + b"connection: keep-alive\r\n\r\n"
    assert state.tails[CLOSE] == date + b"connection: close\r\n\r\n"
    state.is_leaving = True
    state.tick(2.0, 0)
    assert state.tails == (state.tails[CLOSE],) * 3


def test_the_ceiling_takes_those_that_wait_longest_and_never_a_served_one() -> None:
    state = make(ServerLimits(max_connections=200))
    served = Waiting(waits_since_s=float("inf"))
    state.admit(served)
    others = [Waiting(waits_since_s=float(number)) for number in range(200)]
    for each in others:
        state.admit(each)
    assert [each for each in others if each.said] == others[:2], "the oldest hundredth"
    assert served.said == []
    assert state.evicted == 2
    assert len(state.connections) == 199


def test_emptiness_is_told() -> None:
    state = make()
    told: list[bool] = []
    one, two = Waiting(), Waiting()
    state.admit(one)
    state.admit(two)
    state.on_empty = lambda: told.append(True)
    state.forget(one)
    assert told == []
    state.forget(two)
    assert told == [True]


def test_the_sweep_is_as_fine_as_the_limits_need() -> None:
    assert ServerLimits().sweep_s == 0.5
    assert ServerLimits(head_s=0.4).sweep_s == 0.1
    assert ServerLimits(keep_alive_s=0.001).sweep_s == 0.005
