"""One row of the ledger as the process in a slot uses it: see ``store/ledger.py`` for why it is exact.

1. The process is the only writer of its own two cells, and so keeps their values beside them.
2. What is shared, the row's day and bases, is written in turn.
"""

from aimesh.limits.periods import PERIODS, Day
from aimesh.store.ledger_file import BASES, DAY, USED, LedgerFile, Place

MOST = (1 << 63) - 1
_HOUR_S = 3600


class Row:
    """One row as the process in a slot uses it. One object per row and process; not for several threads."""

    __slots__ = (
        "_base_at",
        "_bytes",
        "_cells",
        "_file",
        "_held_at",
        "_held_bytes_at",
        "_read_cells",
        "_used_at",
        "_used_bytes_at",
        "held",
        "is_scarce",
        "order",
        "used",
    )

    def __init__(self, file: LedgerFile, place: Place, slot: int) -> None:
        self._file = file
        self.order = place.offset
        """Whoever takes several turns takes them in this order."""
        self._cells = place.segment.cells
        self._bytes = place.segment.map
        self._base_at = place.cell + BASES
        self._used_at = place.cell + USED + slot
        self._held_at = place.cell + file.held + slot
        self._used_bytes_at = 8 * (place.cell + USED)
        self._held_bytes_at = 8 * (place.cell + file.held)
        self._read_cells = file.read_slots
        self.used = self._cells[self._used_at]
        """By this slot, ever."""
        self.held = self._cells[self._held_at]
        """By this slot, now."""
        self.is_scarce = False
        """So little is left that calls had better take turns; kept here for its users."""

    def hold(self, amount: int) -> None:
        self.held = held = self.held + amount
        self._cells[self._held_at] = held

    def settle(self, amount: int, used: int) -> None:
        """A hold of ``amount`` ends with ``used``."""
        if used:
            spent = self.used + used
            self.used = spent = spent if spent < MOST else MOST
            self._cells[self._used_at] = spent
        self.held = held = self.held - amount
        self._cells[self._held_at] = held

    def add(self, used: int) -> None:
        """Use without a hold; may be negative, where the row's meaning allows it."""
        spent = self.used + used
        self.used = spent = spent if spent < MOST else MOST
        self._cells[self._used_at] = spent

    def sums(self) -> tuple[int, int]:
        """Held now, and used ever, by all slots; read in this order."""
        read, data = self._read_cells, self._bytes
        return sum(read(data, self._held_bytes_at)), sum(read(data, self._used_bytes_at))

    def sum_used(self) -> int:
        return sum(self._read_cells(self._bytes, self._used_bytes_at))

    def base(self, index: int) -> int:
        value: int = self._cells[self._base_at + index]
        return value

    def set_base(self, index: int, value: int) -> None:
        self._cells[self._base_at + index] = value

    def begin(self, day: Day) -> None:
        """Begins the periods that have begun since the row's day."""
        start = int(day.start_s)
        if self._day == start:
            return
        has_turn = self.take_turn()
        try:
            self._roll(day, start)
        finally:
            if has_turn:
                self.end_turn()

    def _roll(self, day: Day, start: int) -> None:
        before = self._day
        if before > start + _HOUR_S:
            # The clock was ahead and has been set back: nothing is forgotten, and the next day begins in time.
            self._day = start
        elif before < start:
            total = min(self.sum_used(), MOST)
            for index, period in enumerate(PERIODS):
                if before < day.begins(period):
                    self.set_base(index, total)
            # Last, so that a kill in between only makes this happen again.
            self._day = start

    @property
    def _day(self) -> int:
        value: int = self._cells[self._base_at + DAY - BASES]
        return value

    @_day.setter
    def _day(self, start: int) -> None:
        self._cells[self._base_at + DAY - BASES] = start

    def take_turn(self) -> bool:
        """Others that take turns wait for ``end_turn``. False: not to be had in a few milliseconds."""
        return self._file.try_lock(self.order)

    def end_turn(self) -> None:
        self._file.unlock(self.order)
