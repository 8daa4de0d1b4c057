"""One row of the ledger and what a key or a tenant allows of it.

1. ``hold`` first, then ``check``, then ``settle`` or ``undo``: the order that the ledger's exactness rests on.
2. ``check`` says whether the hold just taken fits; ``fault`` then makes what the caller is told, from the numbers
   that were seen. Nothing here waits.
"""

from decimal import Decimal
from enum import IntEnum

from msgspec import Struct

from aimesh.core.clock import Clock
from aimesh.core.errors import CallerFault, QuotaSpent, RateLimited, TenantOverQuota
from aimesh.core.money import NANO, plain
from aimesh.core.policy import Limits, Period, Quota, Unit
from aimesh.limits.bucket import MINUTE_NS, cost_ns, level_after, wait_s
from aimesh.limits.periods import Day
from aimesh.limits.rule import BUSY, FITS, Verdict, judge
from aimesh.store.ledger import period_index, row_name
from aimesh.store.ledger_file import RowKind
from aimesh.store.ledger_row import Row


class Measure(IntEnum):
    """What a gauge counts; the place of its amount among a call's amounts."""

    TOKENS = 0
    CNY = 1
    USD = 2
    RATE_TOKENS = 3
    REQUESTS = 4
    CALLS = 5


MEASURES = {Unit.TOKENS: Measure.TOKENS, Unit.CNY: Measure.CNY, Unit.USD: Measure.USD}


class Subject(Struct, frozen=True):
    """Whose limits these are, for the ledger and for people."""

    scope: str
    name: str
    """Alias of a key, id of a tenant."""
    is_tenant: bool = False

    @property
    def kind(self) -> str:
        return "Tenant" if self.is_tenant else "Virtual key"

    @property
    def whole(self) -> str:
        return f"tenant '{self.name}'" if self.is_tenant else f"virtual key '{self.name}'"


class Sort(Struct, frozen=True):
    """What a gauge is of, before it has a row."""

    subject: Subject
    measure: Measure
    quotas: tuple[Quota, ...] = ()
    limit: int = 0
    """Of a rate or of calls at once."""

    @property
    def row_name(self) -> bytes:
        return row_name(self.subject.scope, self.quotas[0].unit if self.quotas else self.measure.name)

    @property
    def row_kind(self) -> RowKind:
        if self.quotas:
            return RowKind.QUOTA
        return RowKind.CONCURRENCY if self.measure is Measure.CALLS else RowKind.RATE


def sorts_of(subject: Subject, limits: Limits) -> list[Sort]:
    found = []
    for unit, measure in MEASURES.items():
        quotas = tuple(quota for quota in limits.quotas if quota.unit is unit)
        if quotas:
            found.append(Sort(subject, measure, quotas))
    rates = (
        (Measure.RATE_TOKENS, limits.tpm),
        (Measure.REQUESTS, limits.rpm),
        (Measure.CALLS, limits.concurrency),
    )
    return found + [Sort(subject, measure, (), limit) for measure, limit in rates if limit is not None]


class QuotaGauge:
    """Quotas of one unit, or calls at once, which is a quota of which nothing is ever used."""

    __slots__ = ("_ceilings", "_held", "_spent_at", "measure", "row", "seen", "slots", "sort")

    def __init__(self, sort: Sort, row: Row, slots: int) -> None:
        self.sort = sort
        self.measure = int(sort.measure)
        self.row = row
        self.slots = slots
        self._ceilings = tuple((quota.limit, period_index(quota.period)) for quota in sort.quotas) or (
            (sort.limit, period_index(Period.TOTAL)),
        )
        self.seen: list[int] = []
        """What was used at the last check, by quota."""
        self._held = 0
        self._spent_at = 0

    def hold(self, amount: int) -> None:
        self.row.hold(amount)

    def undo(self, amount: int) -> None:
        self.row.hold(-amount)

    def begin(self, day: Day) -> None:
        self.row.begin(day)

    def settle(self, amount: int, used: int) -> None:
        self.row.settle(amount, used)

    def check(self, amount: int) -> Verdict:
        row = self.row
        held, ever = row.sums()
        if len(self._ceilings) == 1:
            # The usual case, without the loop's lists.
            limit, base = self._ceilings[0]
            used = ever - row.base(base)
            self.seen = [used]
            if limit - used - held > amount * self.slots:
                row.is_scarce = False
                return FITS
        self.seen = seen = []
        plenty = amount * self.slots
        is_scarce = False
        for limit, base in self._ceilings:
            used = ever - row.base(base)
            seen.append(used)
            if limit - used - held > plenty:
                continue
            is_scarce = True
            verdict = judge(limit, used, held, amount)
            if verdict is not FITS:
                self._held = held - amount
                self._spent_at = len(seen) - 1
                row.is_scarce = True
                return verdict
        row.is_scarce = is_scarce
        return FITS

    def fault(self) -> CallerFault:
        subject = self.sort.subject
        if not self.sort.quotas:
            return RateLimited(
                f"{subject.kind} concurrency limit exceeded: {self.sort.limit} calls at once for {subject.whole}",
                retry_after_s=1,
            )
        quota, used = self.sort.quotas[self._spent_at], self.seen[self._spent_at]
        words = (
            f"{subject.kind} {quota.period} quota exceeded: limit is {amount_words(quota.unit, quota.limit)} for "
            f"{subject.whole}, current usage: {amount_words(quota.unit, used)}"
        )
        if used < quota.limit:
            held = max(0, self._held)
            return RateLimited(
                f"{words}, held by calls and tasks in progress: {amount_words(quota.unit, held)}",
                retry_after_s=1,
            )
        return TenantOverQuota(words) if subject.is_tenant else QuotaSpent(words)


class RateGauge:
    """Requests or tokens per minute."""

    __slots__ = ("_clock", "_limit", "_taken", "level_ns", "measure", "row", "slots", "sort")

    def __init__(self, sort: Sort, row: Row, slots: int, clock: Clock) -> None:
        self.sort = sort
        self.measure = int(sort.measure)
        self.row = row
        self.slots = slots
        self._limit = sort.limit
        self._clock = clock
        self.level_ns = 0
        """At the last check, without what that call took."""
        self._taken = 0
        """By the last hold."""

    def _cost(self, amount: int) -> int:
        cost = cost_ns(self._limit, amount)
        return cost if cost < MINUTE_NS else MINUTE_NS

    def hold(self, amount: int) -> None:
        self._taken = cost = self._cost(amount)
        self.row.add(cost)

    def undo(self, amount: int) -> None:
        self.row.add(-self._cost(amount))

    def begin(self, day: Day) -> None:
        """Minutes begin and end by themselves."""

    def settle(self, amount: int, used: int) -> None:
        if used != amount:
            self.row.add(cost_ns(self._limit, used) - self._cost(amount))

    def check(self, amount: int) -> Verdict:
        row, cost = self.row, self._taken
        offset = row.base(0)
        now_ns = int(self._clock.monotonic_s() * 1e9)
        self.level_ns, bounded = level_after(offset, now_ns, row.sum_used(), cost)
        if bounded != offset:
            row.set_base(0, bounded)
        row.is_scarce = self.level_ns < cost * self.slots
        return FITS if self.level_ns >= 0 or not amount else BUSY

    def fault(self) -> CallerFault:
        subject = self.sort.subject
        noun = "requests" if self.sort.measure is Measure.REQUESTS else "tokens"
        return RateLimited(
            f"{subject.kind} rate limit exceeded: {self._limit} {noun} per minute for {subject.whole}",
            retry_after_s=wait_s(self.level_ns),
        )


Gauge = QuotaGauge | RateGauge


def amount_words(unit: Unit, amount: int) -> str:
    if unit is Unit.TOKENS:
        return f"{amount} tokens"
    return f"{plain(Decimal(amount) / NANO)} {unit}"
