"""Addresses that guess have to wait."""

from aimesh.control.throttle import FORGET_S, FREE_FAILURES, LONGEST_WAIT_S, MOST, Throttle


def failing(throttle: Throttle, address: str, times: int, now_s: float = 0.0) -> None:
    for _ in range(times):
        throttle.failed(address, now_s)


def test_some_failures_are_free() -> None:
    throttle = Throttle()
    failing(throttle, "203.0.113.7", FREE_FAILURES - 1)
    assert throttle.wait_s("203.0.113.7", 0.0) == 0.0


def test_each_further_failure_waits_twice_as_long() -> None:
    throttle = Throttle()
    failing(throttle, "203.0.113.7", FREE_FAILURES)
    waits = []
    for _ in range(8):
        waits.append(throttle.wait_s("203.0.113.7", 0.0))
        throttle.failed("203.0.113.7", 0.0)
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, LONGEST_WAIT_S, LONGEST_WAIT_S]
    assert throttle.wait_s("203.0.113.7", LONGEST_WAIT_S - 1) == 1.0
    assert throttle.wait_s("203.0.113.7", LONGEST_WAIT_S) == 0.0


def test_others_do_not_wait() -> None:
    throttle = Throttle()
    failing(throttle, "203.0.113.7", 50)
    assert throttle.wait_s("203.0.113.8", 0.0) == 0.0


def test_a_success_forgets_and_so_does_time() -> None:
    throttle = Throttle()
    failing(throttle, "a", 50)
    throttle.succeeded("a", 50)
    assert throttle.wait_s("a", 0.0) == 0.0
    failing(throttle, "b", 50)
    assert throttle.wait_s("b", 1.0) > 0
    throttle.failed("b", FORGET_S)
    assert throttle.wait_s("b", FORGET_S) == 0.0


def test_a_success_takes_back_the_failures_of_its_account_alone() -> None:
    throttle = Throttle()
    failing(throttle, "a", FREE_FAILURES)
    throttle.succeeded("a", 0)
    assert throttle.wait_s("a", 0.0) == 1.0
    throttle.succeeded("a", 2)
    assert throttle.wait_s("a", 0.0) == 0.0
    failing(throttle, "a", 2)
    assert throttle.wait_s("a", 0.0) == 1.0


def test_a_network_of_ipv6_is_one_address() -> None:
    throttle = Throttle()
    for number in range(FREE_FAILURES):
        throttle.failed(f"2001:db8:1:2::{number:x}", 0.0)
    assert throttle.wait_s("2001:db8:1:2:ffff::1", 0.0) == 1.0
    assert throttle.wait_s("2001:db8:1:3::1", 0.0) == 0.0
    failing(throttle, "::ffff:203.0.113.7", FREE_FAILURES)
    assert throttle.wait_s("203.0.113.7", 0.0) == 1.0


def test_memory_is_bounded() -> None:
    throttle = Throttle()
    failing(throttle, "first", 50)
    for number in range(MOST):
        throttle.failed(f"address {number}", 0.0)
    assert throttle.wait_s("first", 0.0) == 0.0
    assert len(throttle._failures) == MOST
