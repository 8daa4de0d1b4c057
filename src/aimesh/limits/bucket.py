"""Rate limits as buckets of time.

A bucket holds at most a minute. A call takes ``60 s / limit`` for each unit out of it, and time flows back as
time passes. So the bucket itself does not know the limit: an edit changes what a unit takes from then on, and
what was taken stays taken.

1. The level is ``offset + now - spent``: ``spent`` only adds up, and ``offset`` moves only when the level would
   leave its bounds. Both can therefore be kept apart, by several writers.
2. The level never stays above a minute, nor below a minute of debt: what was underestimated, or a clock that
   was set, does not shut a caller out for longer.
3. A call that would take more than a minute takes a minute, so it can be made once the bucket is full.
"""

MINUTE_NS = 60_000_000_000
FULL = 1 << 61
"""The offset of a bucket that is full at any time."""


def cost_ns(limit: int, units: int) -> int:
    """What so many units take at a limit per minute."""
    return units * MINUTE_NS // limit


def level_after(offset_ns: int, now_ns: int, spent_ns: int, cost: int) -> tuple[int, int]:
    """The level when ``cost`` is already in ``spent_ns``, and where the offset belongs: where it was, unless the
    level had left its bounds."""
    level = offset_ns + now_ns - spent_ns
    before = level + cost
    if before > MINUTE_NS:
        excess = before - MINUTE_NS
    elif before < -MINUTE_NS:
        excess = before + MINUTE_NS
    else:
        return level, offset_ns
    return level - excess, offset_ns - excess


def units_left(limit: int, level_ns: int) -> int:
    return level_ns * limit // MINUTE_NS if level_ns > 0 else 0


def wait_s(level_ns: int) -> int:
    """Whole seconds until a level below zero has risen to it."""
    return max(1, -(level_ns // 1_000_000_000))


def seconds_to_full(level_ns: int) -> int:
    return max(0, -((level_ns - MINUTE_NS) // 1_000_000_000))
