"""How long usage is kept: single calls and points for a while, what they add up to by the hour for good."""

from aimesh.core.clock import Clock
from aimesh.store.engine import Store
from aimesh.store.usage_import import PointsFrom
from aimesh.store.usage_writes import Cut, usage_writer

_DAY_S = 86_400
MINUTES_DAYS = 3
"""Points of minutes."""
HOURS_DAYS = 62
"""Points of hours."""
_AHEAD_S = 32 * _DAY_S
"""PostgreSQL's partitions are there a month before they are needed."""


class Retention:
    def __init__(self, store: Store, keep_days: int, clock: Clock) -> None:
        """``keep_days``: of single calls."""
        self._store = store
        self._keep_days = keep_days
        self._clock = clock

    def points_from(self) -> PointsFrom:
        now_s = self._clock.wall_s()
        return PointsFrom(minutes_s=now_s - MINUTES_DAYS * _DAY_S, hours_s=now_s - HOURS_DAYS * _DAY_S)

    def round(self) -> int:
        """Makes room for what comes and removes what is old; gives how much. Blocks; raises ``StoreError``."""
        now_s = self._clock.wall_s()
        writer = usage_writer(self._store.dialect)
        writer.make_room(self._store, (now_s, now_s + _AHEAD_S))
        points = self.points_from()
        cut = Cut(
            records_s=now_s - self._keep_days * _DAY_S, minutes_s=points.minutes_s, hours_s=points.hours_s
        )
        return writer.remove_old(self._store, cut)
