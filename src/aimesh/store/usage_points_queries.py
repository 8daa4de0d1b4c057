"""What was measured: questions to the points of minutes, hours, days and weeks, for monitoring.

1. Points are of the whole installation: they know models and endpoints, and neither tenants nor keys.
2. Adding points loses nothing: counts are added, and percentiles are read from added histograms, never averaged.
3. A call belongs to the endpoint that was tried last, and to the point in which it began. What failed before at other
   endpoints counts there, beside the requests (``rescued``).
"""

from collections.abc import Callable, Iterable, Mapping
from math import ceil
from typing import Literal, TypeVar

from msgspec import Struct, field
from sqlalchemy import select

from aimesh.core.histogram import Counts, decode_counts, quantile_ms
from aimesh.core.ids import EndpointName, ModelName
from aimesh.core.outcome import Outcome
from aimesh.store.engine import Connection
from aimesh.store.tables import USAGE_POINTS
from aimesh.store.usage_periods import left_over, made_within
from aimesh.store.usage_rows import ATTEMPT

Grain = Literal["m", "h"]
"""Minute or hour."""
Group = TypeVar("Group")

FAULTS = frozenset(
    {Outcome.UPSTREAM_FAILED, Outcome.BROKEN_STREAM, Outcome.GATEWAY_ERROR, Outcome.LOST},
)
"""What neither the caller nor the request is to blame for."""


class PointsFilter(Struct, frozen=True):
    grain: Grain
    since_s: float
    until_s: float
    """Points that begin then are not in it any more."""
    model: ModelName | None = None
    endpoint: EndpointName | None = None


class Timed(Struct):
    """Durations of some calls."""

    total_us: int = 0
    counts: Counts = field(default_factory=dict)

    @property
    def calls(self) -> int:
        return sum(self.counts.values())

    @property
    def average_ms(self) -> float | None:
        calls = self.calls
        return self.total_us / calls / 1000 if calls else None

    def quantile_ms(self, share: float) -> float | None:
        return quantile_ms(self.counts, share)

    def add(self, total_us: int, counts: Mapping[int, int]) -> None:
        self.total_us += total_us
        mine = self.counts
        for bucket, count in counts.items():
            mine[bucket] = mine.get(bucket, 0) + count


class Measured(Struct):
    """Some points, added."""

    requests: int = 0
    succeeded: int = 0
    abandoned: int = 0
    """Requests whose caller was gone before the end: neither a success nor a failure."""
    faults: int = 0
    """See ``FAULTS``."""
    rescued: int = 0
    """Attempts that failed here, whose call went on elsewhere: no requests, but a matter of the endpoint's health."""
    output_tokens: int = 0
    durations: Timed = field(default_factory=Timed)
    """Of whole calls; settling a task is none."""
    ttfts: Timed = field(default_factory=Timed)
    """Until the first byte, of calls that gave one."""
    errors: dict[tuple[Outcome, str], int] = field(default_factory=dict)
    """Failures by how they ended and the code of the error."""

    @property
    def failed(self) -> int:
        return self.requests - self.succeeded - self.abandoned

    def add(self, other: "Measured") -> None:
        self.requests += other.requests
        self.succeeded += other.succeeded
        self.abandoned += other.abandoned
        self.faults += other.faults
        self.rescued += other.rescued
        self.output_tokens += other.output_tokens
        self.durations.add(other.durations.total_us, other.durations.counts)
        self.ttfts.add(other.ttfts.total_us, other.ttfts.counts)
        for error, count in other.errors.items():
            self.errors[error] = self.errors.get(error, 0) + count

    def count(self, outcome: Outcome, code: str, requests: int) -> None:
        self.requests += requests
        if outcome is Outcome.OK:
            self.succeeded += requests
        elif outcome is Outcome.CLIENT_GONE:
            self.abandoned += requests
        elif requests:
            self.errors[outcome, code] = self.errors.get((outcome, code), 0) + requests
        if outcome in FAULTS:
            self.faults += requests


def read_series(db: Connection, wanted: PointsFilter, width_s: int) -> dict[int, Measured]:
    """Beginning to what was measured from then on for ``width_s``; times without calls are left out."""
    found: dict[int, Measured] = {}
    times = _Times(wanted.grain, (wanted.since_s, wanted.until_s))
    _gather(db, wanted, times, found, lambda start_s, _endpoint, _model: start_s // width_s * width_s)
    return found


def read_endpoints(db: Connection, wanted: PointsFilter) -> dict[tuple[EndpointName, ModelName], Measured]:
    """Each endpoint that was called. The name is empty for calls that no endpoint was tried for."""
    periods = made_within(db, wanted.since_s, wanted.until_s) if wanted.grain == "h" else []
    several = [_Times(wanted.grain, gap) for gap in left_over(periods, wanted.since_s, wanted.until_s)]
    several += [_Times(one.grain, (one.start_s, one.start_s + 1)) for one in periods]
    found: dict[tuple[EndpointName, ModelName], Measured] = {}
    for times in several:
        _gather(db, wanted, times, found, lambda _start_s, endpoint, model: (endpoint, model))
    return found


def measured_together(several: Iterable[Measured]) -> Measured:
    total = Measured()
    for one in several:
        total.add(one)
    return total


class _Times(Struct, frozen=True):
    """Points of a grain that begin between two times."""

    grain: str
    between: tuple[float, float]


def _gather(
    db: Connection,
    wanted: PointsFilter,
    times: _Times,
    found: dict[Group, Measured],
    group_of: Callable[[int, EndpointName, ModelName], Group],
) -> None:
    table = USAGE_POINTS.c
    # As whole numbers: PostgreSQL finds no point by its index among fractions.
    since_s, until_s = map(ceil, times.between)
    question = select(
        table.start_s,
        table.endpoint,
        table.model,
        table.outcome,
        table.error_code,
        table.requests,
        table.output_tokens,
        table.duration_us,
        table.duration_counts,
        table.ttft_us,
        table.ttft_counts,
    ).where(table.grain == times.grain, table.start_s >= since_s, table.start_s < until_s)
    if wanted.model is not None:
        question = question.where(table.model == wanted.model)
    if wanted.endpoint is not None:
        question = question.where(table.endpoint == wanted.endpoint)
    for row in db.execute(question):
        start_s, endpoint, model, outcome, code, requests, tokens, *took = row
        group = group_of(start_s, endpoint, model)
        measured = found.get(group)
        if measured is None:
            measured = found[group] = Measured()
        if outcome == ATTEMPT:
            measured.rescued += requests
            continue
        measured.count(Outcome(outcome), code, requests)
        measured.output_tokens += tokens
        duration_us, durations, ttft_us, ttfts = took
        measured.durations.add(duration_us, decode_counts(durations))
        measured.ttfts.add(ttft_us, decode_counts(ttfts))
