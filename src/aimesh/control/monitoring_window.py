"""Which points answer a question: a time, how wide a point of it is, and from which points it is read.

1. A time is made wider to whole points: nothing is counted in part.
2. Minutes are kept for days, hours for two months (``store/usage_retention.py``): what is too long ago for minutes is
   told by hours, whatever its length.
"""

from datetime import datetime
from typing import Annotated

from fastapi import Query
from msgspec import Struct

from aimesh.control.errors import Detail, Invalid
from aimesh.control.identity import Signed
from aimesh.control.texts import Time, seconds
from aimesh.core.ids import EndpointName, ModelName
from aimesh.store.usage_points_queries import Grain, PointsFilter
from aimesh.store.usage_retention import HOURS_DAYS, MINUTES_DAYS

_DAY_S = 86_400
_HOUR_S = 3600
SHORTEST_S = 60
LONGEST_S = 60 * _DAY_S
MOST_POINTS = 400
"""Of times that minutes tell."""
_WIDTHS_S = (60, 120, 300)
"""Parts of an hour; the last one cuts a day into fewer than the most points."""
_OVERVIEW_MINUTES_S = 2 * _HOUR_S
"""So long a time is added up from minutes where every endpoint is asked for; a longer one from hours."""


class Window(Struct, frozen=True):
    since_s: int
    until_s: int
    width_s: int
    grain: Grain
    now_s: float

    @property
    def starts(self) -> range:
        """Beginnings of the points."""
        return range(self.since_s, self.until_s, self.width_s)

    def passed_s(self, start_s: int, width_s: int) -> float:
        """Seconds from then on that are over."""
        return max(0.0, min(self.now_s, start_s + width_s) - start_s)

    def filter(self, model: ModelName | None = None, endpoint: EndpointName | None = None) -> PointsFilter:
        return PointsFilter(self.grain, self.since_s, self.until_s, model, endpoint)


class Moments(Struct, frozen=True):
    """From when until when somebody asks; whole points are made of it by the two functions below."""

    since_s: float
    until_s: float
    now_s: float

    @property
    def length_s(self) -> float:
        return self.until_s - self.since_s

    @property
    def has_minutes(self) -> bool:
        return self.since_s >= self.now_s - MINUTES_DAYS * _DAY_S

    def series(self) -> Window:
        """Cut into points."""
        if self.length_s > _DAY_S or not self.has_minutes:
            return self._window(_HOUR_S, "h")
        for width_s in _WIDTHS_S:
            window = self._window(width_s, "m")
            if len(window.starts) <= MOST_POINTS:
                break
        return window

    def whole(self) -> Window:
        """To be added up, of every endpoint."""
        if self.length_s > _OVERVIEW_MINUTES_S or not self.has_minutes:
            return self._window(_HOUR_S, "h")
        return self._window(60, "m")

    def _window(self, width_s: int, grain: Grain) -> Window:
        since_s = int(self.since_s // width_s) * width_s
        until_s = -int(-self.until_s // width_s) * width_s
        return Window(since_s, until_s, width_s, grain, self.now_s)


def moments(
    caller: Signed,
    since: Annotated[Time | None, Query(description="Default: a day before `until`.")] = None,
    until: Annotated[Time | None, Query(description="Default: now, which is also the latest.")] = None,
) -> Moments:
    return read_moments(since, until, caller.source.at_s)


def read_moments(since: datetime | None, until: datetime | None, now_s: float) -> Moments:
    """Raises ``Invalid``."""
    until_s = now_s if until is None else min(now_s, seconds(until))
    since_s = until_s - _DAY_S if since is None else seconds(since)
    if since_s < now_s - HOURS_DAYS * _DAY_S:
        raise _invalid("since", f"measurements are kept for {HOURS_DAYS} days")
    if until_s - since_s < SHORTEST_S:
        raise _invalid(
            "until", "it must end a minute or more after it begins, and begin a minute ago or before"
        )
    if until_s - since_s > LONGEST_S:
        raise _invalid("since", f"one answer is about {LONGEST_S // _DAY_S} days at most")
    return Moments(since_s, until_s, now_s)


def last_minutes(now_s: float, minutes: int) -> PointsFilter:
    """The present minute, and the full ones before it."""
    present_s = now_s // 60 * 60
    return PointsFilter("m", present_s - minutes * 60, present_s + 60)


def _invalid(path: str, message: str) -> Invalid:
    return Invalid("INVALID_REQUEST", message, details=[Detail(path=path, message=message)])
