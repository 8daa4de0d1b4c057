"""Monitoring as the admin API shows it.

1. Points are of all tenants together. How much was called is for those who run the installation: for others counts
   and amounts are null, and shares, durations and speeds are shown.
2. Percentiles come from counts over fixed buckets (``core/histogram.py``): they are at most 5 % off. Averages are
   exact.
3. A model's calls succeed or fail; an endpoint's attempts do. One that failed and whose call went on elsewhere is none
   of the model's failures, and one of the endpoint's.
"""

from enum import StrEnum

from msgspec import Struct
from pydantic import BaseModel, ConfigDict, Field

from aimesh.control.schemas_usage import Percent, percent
from aimesh.control.texts import Time, shown_time
from aimesh.core.outcome import Outcome
from aimesh.store.usage_points_queries import Measured, Timed

MOST_ERRORS = 50
"""Types of errors of one answer; the most frequent ones."""
FEWEST_FAILING = 3
"""Calls, before an endpoint is said to be failing."""
FAILING, DEGRADED = 50.0, 5.0
"""Percent of faults."""

_OF_ALL = "Null for those who do not run the installation: it is of all tenants."


class Health(StrEnum):
    HEALTHY = "healthy"
    DEGRADED = "degraded"
    FAILING = "failing"
    IDLE = "idle"
    """Nothing was called, so nothing is known."""


class Durations(BaseModel):
    """Milliseconds; null: no such call."""

    average_ms: float | None
    p50_ms: float | None = Field(description="Percentiles are at most 5 % off.")
    p95_ms: float | None
    p99_ms: float | None


class Measures(BaseModel):
    requests: int | None = Field(description=_OF_ALL)
    succeeded: int | None = Field(description=_OF_ALL)
    failed: int | None = Field(description=_OF_ALL)
    abandoned: int | None = Field(
        description=f"The caller was gone before the end: neither success nor failure. {_OF_ALL}"
    )
    failed_attempts: int | None = Field(
        description=f"Attempts that failed and whose call went on, mostly elsewhere: beside the requests. {_OF_ALL}"
    )
    output_tokens: int | None = Field(description=_OF_ALL)
    output_tokens_per_s: float | None = Field(
        description=f"Of all calls together, over the seconds that have passed. {_OF_ALL}"
    )
    success_rate: Percent | None = Field(
        description="Percent of the requests, of an endpoint's with its `failed_attempts`; null: there was none."
    )
    error_rate: Percent | None = Field(description="Failures, whoever is to blame; of as many.")
    speed: float | None = Field(
        description="Output tokens for each second that a call lasts; null for what is no chat, or unknown."
    )
    ttft: Durations = Field(description="Until the first byte of the answer.")
    latency: Durations = Field(description="Of whole calls, those that failed too.")


class MonitoringPoint(Measures):
    start: Time


class ErrorType(BaseModel):
    outcome: Outcome = Field(description="How the call ended.")
    code: str = Field(description="Of the error that the caller got; may be empty.")
    requests: int | None = Field(description=_OF_ALL)
    share: Percent | None = Field(description="Percent of all requests.")


class HealthNow(BaseModel):
    status: Health = Field(
        description="Of the last five minutes. `degraded`: 5 % of the calls or more failed by no fault of the caller; "
        "`failing`: half of them or more, of three at least; `idle`: nothing was called. "
        "Of an endpoint, its `failed_attempts` are among them."
    )
    fault_rate: Percent | None = Field(
        description="Percent of the calls that failed by no fault of the caller."
    )


class Monitored(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "name": "qwen/qwen3.7-max",
                "since": "2026-05-28T16:00:00Z",
                "until": "2026-05-28T16:01:00Z",
                "point_s": 60,
                "now": {"status": "healthy", "fault_rate": 0.0},
                "total": {
                    "requests": 120, "succeeded": 118, "failed": 1, "abandoned": 1, "failed_attempts": 0,
                    "output_tokens": 24000,
                    "output_tokens_per_s": 400.0, "success_rate": 98.33, "error_rate": 0.83, "speed": 81.2,
                    "ttft": {"average_ms": 310.0, "p50_ms": 290.2, "p95_ms": 618.4, "p99_ms": 905.0},
                    "latency": {"average_ms": 2463.0, "p50_ms": 2310.0, "p95_ms": 4950.0, "p99_ms": 7250.0},
                },
                "points": [],
                "errors": [
                    {"outcome": "upstream_failed", "code": "UPSTREAM_TIMEOUT", "requests": 1, "share": 0.83}
                ],
            }
        }
    )  # fmt: skip

    name: str
    since: Time = Field(description="As asked, down to the beginning of a point.")
    until: Time = Field(description="As asked, up to the end of a point.")
    point_s: int = Field(description="Seconds of a point.")
    now: HealthNow
    total: Measures
    points: list[MonitoringPoint] = Field(description="All of the time, those without calls too.")
    errors: list[ErrorType] = Field(description="The most frequent first.")


class MonitoredEndpoint(BaseModel):
    name: str
    provider: str
    model: str
    now: HealthNow
    total: Measures


class MonitoringOverview(BaseModel):
    since: Time
    until: Time
    total: Measures
    errors: list[ErrorType] = Field(description="The most frequent first.")
    endpoints: list[MonitoredEndpoint] = Field(
        description="Those of the catalogue and those that were called, by name."
    )


class Shown(Struct, frozen=True):
    """How measures are shown to somebody."""

    with_counts: bool
    """Whoever asks runs the installation."""

    def measures(
        self, measured: Measured, seconds: float, *, is_chat: bool, is_endpoint: bool = False
    ) -> Measures:
        rescued = measured.rescued if is_endpoint else 0
        tried = measured.requests + rescued
        lasted_s = measured.durations.total_us / 1e6
        return Measures(
            requests=self.count(measured.requests),
            succeeded=self.count(measured.succeeded),
            failed=self.count(measured.failed),
            abandoned=self.count(measured.abandoned),
            failed_attempts=self.count(measured.rescued),
            output_tokens=self.count(measured.output_tokens),
            output_tokens_per_s=(
                round(measured.output_tokens / seconds, 3) if self.with_counts and seconds > 0 else None
            ),
            success_rate=percent(measured.succeeded, tried),
            error_rate=percent(measured.failed + rescued, tried),
            speed=round(measured.output_tokens / lasted_s, 3) if is_chat and lasted_s > 0 else None,
            ttft=_durations(measured.ttfts),
            latency=_durations(measured.durations),
        )

    def point(self, start_s: int, measures: Measures) -> MonitoringPoint:
        return MonitoringPoint(start=shown_time(start_s), **dict(measures))

    def errors(self, measured: Measured) -> list[ErrorType]:
        frequent = sorted(measured.errors.items(), key=lambda one: (-one[1], one[0]))
        return [
            ErrorType(
                outcome=outcome,
                code=code,
                requests=self.count(count),
                share=percent(count, measured.requests),
            )
            for (outcome, code), count in frequent[:MOST_ERRORS]
        ]

    def count(self, number: int) -> int | None:
        return number if self.with_counts else None


def shown_health(measured: Measured, *, is_endpoint: bool) -> HealthNow:
    rescued = measured.rescued if is_endpoint else 0
    tried = measured.requests + rescued
    rate = percent(measured.faults + rescued, tried)
    if rate is None:
        status = Health.IDLE
    elif rate >= FAILING and tried >= FEWEST_FAILING:
        status = Health.FAILING
    else:
        status = Health.DEGRADED if rate >= DEGRADED else Health.HEALTHY
    return HealthNow(status=status, fault_rate=rate)


def _durations(timed: Timed) -> Durations:
    return Durations(
        average_ms=_rounded(timed.average_ms),
        p50_ms=_rounded(timed.quantile_ms(0.5)),
        p95_ms=_rounded(timed.quantile_ms(0.95)),
        p99_ms=_rounded(timed.quantile_ms(0.99)),
    )


def _rounded(ms: float | None) -> float | None:
    return None if ms is None else round(ms, 3)
