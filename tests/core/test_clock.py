import time

from aimesh.core.clock import FixedClock, SystemClock


def test_fixed_clock_moves_only_by_hand() -> None:
    clock = FixedClock(10.0)
    assert (clock.wall_s(), clock.monotonic_s()) == (10.0, 10.0)
    clock.advance(2.5)
    assert (clock.wall_s(), clock.monotonic_s()) == (12.5, 12.5)


def test_system_clock_is_the_machines() -> None:
    clock = SystemClock()
    before = time.monotonic()
    assert before <= clock.monotonic_s() <= time.monotonic()
    assert clock.wall_s() > 1_700_000_000
