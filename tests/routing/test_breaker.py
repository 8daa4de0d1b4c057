import pytest

from aimesh.routing import breaker as module
from aimesh.routing.breaker import (
    FAILURES_IN_A_ROW,
    FIRST_OPEN_S,
    MAX_OPEN_S,
    PROBE_S,
    WINDOW_CALLS,
    WINDOW_S,
    Breaker,
    Breakers,
)


def opened(now_s: float = 1000.0) -> Breaker:
    breaker = Breaker()
    for _ in range(FAILURES_IN_A_ROW):
        breaker.began(now_s)
        breaker.failed(now_s, None)
    return breaker


def test_it_opens_after_failures_in_a_row_and_not_before() -> None:
    breaker = Breaker()
    for _ in range(FAILURES_IN_A_ROW - 1):
        breaker.failed(1000.0, None)
        assert breaker.allows(1000.0)
    breaker.failed(1000.0, None)
    assert not breaker.allows(1000.0)
    assert breaker.is_cooling(1000.0)


def test_a_success_in_between_starts_the_count_again() -> None:
    breaker = Breaker()
    for _ in range(FAILURES_IN_A_ROW - 1):
        breaker.failed(1000.0, None)
    breaker.succeeded()
    breaker.failed(1000.0, None)
    assert breaker.allows(1000.0)


def test_half_of_many_calls_failing_opens_it() -> None:
    breaker = Breaker()
    for number in range(WINDOW_CALLS):
        breaker.began(1000.0)
        if number % 2:
            breaker.failed(1000.0, None)
        else:
            breaker.succeeded()
    assert not breaker.allows(1000.0)


def test_old_failures_are_forgotten() -> None:
    breaker = Breaker()
    now_s = 1000.0
    for _ in range(WINDOW_CALLS):
        breaker.began(now_s)
        breaker.succeeded()
        breaker.failed(now_s, None)
        now_s += WINDOW_S + 1
    assert breaker.allows(now_s)


@pytest.mark.parametrize(("asked_s", "closed_until_s"), [(7.0, 7.0), (3600.0, MAX_OPEN_S)])
def test_retry_after_opens_it_at_once_and_for_so_long(asked_s: float, closed_until_s: float) -> None:
    breaker = Breaker()
    breaker.failed(1000.0, asked_s)
    assert not breaker.allows(1000.0 + closed_until_s - 0.1)
    assert breaker.allows(1000.0 + closed_until_s)


def test_one_probe_at_a_time_and_success_closes() -> None:
    breaker = opened()
    later_s = 1000.0 + FIRST_OPEN_S
    assert breaker.allows(later_s)
    breaker.began(later_s)
    assert not breaker.allows(later_s + 1)
    breaker.succeeded()
    assert breaker.allows(later_s + 1)
    assert not breaker.is_cooling(later_s + 1)


def test_a_failed_probe_waits_twice_as_long_up_to_the_most() -> None:
    breaker = opened()
    now_s = 1000.0
    wait_s = FIRST_OPEN_S
    for _ in range(8):
        now_s += wait_s
        assert breaker.allows(now_s)
        breaker.began(now_s)
        breaker.failed(now_s, None)
        wait_s = min(wait_s * 2, MAX_OPEN_S)
        assert not breaker.allows(now_s + wait_s - 0.1)


def test_a_lost_probe_does_not_close_the_door_for_good() -> None:
    breaker = opened()
    later_s = 1000.0 + FIRST_OPEN_S
    breaker.began(later_s)
    assert not breaker.allows(later_s + PROBE_S - 1)
    assert breaker.allows(later_s + PROBE_S)


def test_circuits_are_kept_by_endpoint_and_credential() -> None:
    breakers = Breakers()
    breakers.of(("a@m@open_ai", "one")).failed(1000.0, 10.0)
    assert breakers.cooling(1001.0) == [("a@m@open_ai", "one")]
    assert breakers.of(("a@m@open_ai", "two")).allows(1001.0)
    assert breakers.of(("a@m@open_ai", "one")) is breakers.of(("a@m@open_ai", "one"))


def test_circuits_that_are_not_closed_are_listed_until_they_close() -> None:
    breakers = Breakers()
    one, two = ("a@m@open_ai", "one"), ("a@m@open_ai", "two")
    breakers.of(two).failed(1000.0, None)
    assert breakers.troubled == {}
    breakers.of(one).failed(1000.0, 10.0)
    assert breakers.troubled == {one: breakers.of(one)}
    breakers.of(one).began(1011.0)
    breakers.of(one).failed(1011.0, None)
    assert list(breakers.troubled) == [one]
    breakers.of(one).began(1060.0)
    breakers.of(one).succeeded()
    assert breakers.troubled == {}


def test_circuits_are_bounded_and_open_ones_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 10)
    breakers = Breakers()
    broken = breakers.of(("e", "open"))
    broken.failed(1000.0, 10.0)
    closed = breakers.of(("e", "closed"))
    for number in range(50):
        breakers.of(("e", str(number)))
    assert breakers.of(("e", "open")) is broken
    assert breakers.of(("e", "closed")) is not closed
