"""When the periods of quotas begin and end, in a time zone. Pure; the time is an argument (wall-clock seconds).

1. Every period begins where some day begins, so a day is all that has to be watched: while ``Day.holds`` says
   yes, no period of any quota has begun anew.
2. Weeks begin on Monday, months on the 1st. A day that has no midnight (clocks put forward at it) begins with
   its first moment; one that has two begins with the first.
"""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from aimesh.core.policy import Period

PERIODS = (Period.DAILY, Period.WEEKLY, Period.MONTHLY, Period.TOTAL)
"""In the order of the places that the ledger has for them."""


class Day(Struct, frozen=True):
    """A day, and the periods it lies in."""

    start_s: float
    end_s: float
    week_s: float
    """Beginning of its week."""
    month_s: float
    """Beginning of its month."""

    def holds(self, wall_s: float) -> bool:
        return self.start_s <= wall_s < self.end_s

    def begins(self, period: Period) -> float:
        """Beginning of the running period; ``TOTAL`` has always been running."""
        if period is Period.DAILY:
            return self.start_s
        if period is Period.WEEKLY:
            return self.week_s
        return self.month_s if period is Period.MONTHLY else float("-inf")


def day_at(zone: ZoneInfo, wall_s: float) -> Day:
    today = datetime.fromtimestamp(wall_s, zone).date()
    start_s, end_s = _midnight(zone, today), _midnight(zone, today + timedelta(days=1))
    # Where clocks are put back over midnight, the last hour of a day comes again after the next one began.
    if wall_s >= end_s:
        today += timedelta(days=1)
        start_s, end_s = end_s, _midnight(zone, today + timedelta(days=1))
    return Day(
        start_s=start_s,
        end_s=end_s,
        week_s=_midnight(zone, today - timedelta(days=today.weekday())),
        month_s=_midnight(zone, today.replace(day=1)),
    )


def resets_at_s(zone: ZoneInfo, wall_s: float, period: Period) -> float | None:
    """When the running period ends; None: never."""
    day = day_at(zone, wall_s)
    if period is Period.TOTAL:
        return None
    if period is Period.DAILY:
        return day.end_s
    first = datetime.fromtimestamp(day.begins(period), zone).date()
    if period is Period.WEEKLY:
        return _midnight(zone, first + timedelta(days=7))
    return _midnight(zone, (first + timedelta(days=31)).replace(day=1))


def _midnight(zone: ZoneInfo, day: date) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()
