"""Metered records for tests, and what the database says they add up to."""

import random
from collections.abc import Iterable
from typing import NamedTuple

from msgspec import structs
from sqlalchemy import Table, func, select
from tests.support.records import typical_record

from aimesh.core.histogram import decode_counts, merged
from aimesh.core.ids import EndpointName, KeyId, ModelName, ProviderId, RequestId, TenantId, UserId
from aimesh.core.money import Currency
from aimesh.core.outcome import Outcome
from aimesh.core.priced import Priced
from aimesh.core.record import UsageRecord
from aimesh.core.usage import NO_USAGE, Usage
from aimesh.store.engine import Store
from aimesh.store.tables import (
    USAGE_HOURLY,
    USAGE_HOURLY_KEYS,
    USAGE_HOURLY_MODELS,
    USAGE_POINTS,
    USAGE_RECORDS,
)
from aimesh.store.usage_rows import HOUR, MINUTE, Metered, is_call, used_anything

BEGIN_S = 1_750_000_000.0
_SPAN_S = 3 * 86_400


def varied_record(number: int, *, tenant: str = "default", begin_s: float = BEGIN_S) -> UsageRecord:
    """The same for the same number. Calls of three days, over an end of a month for some."""
    dice = random.Random(number)
    model = f"{tenant}/model-{dice.randrange(3)}"
    outcome = dice.choice([Outcome.OK, Outcome.OK, Outcome.OK, Outcome.UPSTREAM_FAILED, Outcome.CLIENT_GONE])
    usage = dice.choice(
        [
            NO_USAGE,
            Usage(
                input_tokens=dice.randrange(5000), output_tokens=dice.randrange(900), cached_tokens=7,
                reasoning_tokens=3, cache_write_tokens=2,
            ),
            Usage(reported=False, input_tokens=dice.randrange(5000), output_tokens=dice.randrange(900)),
            Usage(images=dice.randrange(1, 5)),
            Usage(video_seconds=dice.choice([5.0, 7.2, 0.04]), video_resolution="720p"),
            Usage(assets=1),
        ]
    )  # fmt: skip
    is_settlement = dice.random() < 0.1
    return structs.replace(
        typical_record(f"{'task:' if is_settlement else ''}{tenant}-{number:08d}"),
        at=begin_s + dice.randrange(_SPAN_S * 1000) / 1000,
        tenant=TenantId(tenant),
        key_id=KeyId(f"{tenant}-key-{dice.randrange(3)}"),
        labels=dice.choice([{}, {"team": "red"}, {"team": "blue", "cost": "4711"}]),
        model=ModelName(model),
        endpoint=EndpointName(f"p@{model}@open_ai"),
        provider=ProviderId("p"),
        operation="settle_task" if is_settlement else "chat",
        outcome=outcome,
        error_code="" if outcome is Outcome.OK else dice.choice(["E1", "E2"]),
        duration_ms=dice.randrange(10_000_000) / 1000,
        ttft_ms=None if dice.random() < 0.3 else dice.randrange(2_000_000) / 1000,
        usage=usage,
        attempts=(),
    )


def varied(number: int, *, tenant: str = "default", begin_s: float = BEGIN_S) -> Metered:
    record = varied_record(number, tenant=tenant, begin_s=begin_s)
    dice = random.Random(-number)
    priced = None
    if used_anything(record.usage) and dice.random() < 0.8:
        listed = dice.randrange(10**9)
        priced = Priced(listed * 4 // 5, listed, dice.choice(list(Currency)), "0123456789ab")
    return Metered(
        record=record, user=UserId(dice.choice(["", "usr-1"])), kind=dice.choice(["chat", ""]), priced=priced
    )


class Totals(NamedTuple):
    requests: int
    input_tokens: int
    output_tokens: int
    images: int
    video_ms: int
    cost_nano: int
    list_nano: int
    unpriced: int
    estimated: int
    duration_us: int
    ttft_us: int
    ttft_count: int


class PointTotals(NamedTuple):
    requests: int
    output_tokens: int
    timed: int
    """In the histogram of durations."""
    first_bytes: int
    """In that of times to the first byte."""


def calls_of(several: Iterable[Metered]) -> list[Metered]:
    """Without those that settle a task."""
    return [one for one in several if is_call(one.record.id)]


def expected(several: Iterable[Metered]) -> Totals:
    """Added up by hand, each id once."""
    once = list({one.record.id: one for one in several}.values())
    calls = calls_of(once)
    return Totals(
        requests=len(calls),
        input_tokens=sum(one.record.usage.input_tokens for one in once),
        output_tokens=sum(one.record.usage.output_tokens for one in once),
        images=sum(one.record.usage.images for one in once),
        video_ms=sum(round(one.record.usage.video_seconds * 1000) for one in once),
        cost_nano=sum(one.priced.cost_nano for one in once if one.priced is not None),
        list_nano=sum(one.priced.list_nano for one in once if one.priced is not None),
        unpriced=sum(one.priced is None and used_anything(one.record.usage) for one in once),
        estimated=sum(used_anything(one.record.usage) and not one.record.usage.reported for one in once),
        duration_us=sum(round(one.record.duration_ms * 1000) for one in calls),
        ttft_us=sum(round((one.record.ttft_ms or 0) * 1000) for one in calls),
        ttft_count=sum(one.record.ttft_ms is not None for one in calls),
    )


def hourly_totals(store: Store, tenant: str = "default", table: Table = USAGE_HOURLY) -> Totals:
    columns = [func.coalesce(func.sum(table.c[name]), 0) for name in Totals._fields]
    with store.read() as db:
        row = db.execute(select(*columns).where(table.c.tenant == tenant)).one()
    return Totals(*map(int, row))


def record_totals(store: Store, tenant: str = "default") -> tuple[int, int, int, int, int]:
    """Count, input and output tokens, cost and list price of the rows."""
    table = USAGE_RECORDS.c
    sums = [
        func.coalesce(func.sum(table[name]), 0)
        for name in ("input_tokens", "output_tokens", "cost_nano", "list_nano")
    ]
    with store.read() as db:
        row = db.execute(select(func.count(), *sums).where(table.tenant == tenant)).one()
    count, input_tokens, output_tokens, cost, listed = map(int, row)
    return count, input_tokens, output_tokens, cost, listed


def point_totals(store: Store, grain: str, tenant: str = "default") -> PointTotals:
    table = USAGE_POINTS.c
    with store.read() as db:
        rows = db.execute(
            select(table.requests, table.output_tokens, table.duration_counts, table.ttft_counts).where(
                table.grain == grain, table.model.startswith(f"{tenant}/")
            )
        ).all()
    return PointTotals(
        requests=sum(row.requests for row in rows),
        output_tokens=sum(row.output_tokens for row in rows),
        timed=sum(merged(decode_counts(row.duration_counts) for row in rows).values()),
        first_bytes=sum(merged(decode_counts(row.ttft_counts) for row in rows).values()),
    )


def assert_adds_up(store: Store, several: Iterable[Metered], tenant: str = "default") -> None:
    """The rows, the roll-ups and the points all say what the records say."""
    once = list({one.record.id: one for one in several}.values())
    total = expected(once)
    for table in (USAGE_HOURLY, USAGE_HOURLY_MODELS, USAGE_HOURLY_KEYS):
        assert hourly_totals(store, tenant, table) == total, table.name
    assert record_totals(store, tenant) == (
        len(once), total.input_tokens, total.output_tokens, total.cost_nano, total.list_nano,
    )  # fmt: skip
    points = PointTotals(
        requests=total.requests,
        output_tokens=total.output_tokens,
        timed=total.requests,
        first_bytes=total.ttft_count,
    )
    assert point_totals(store, MINUTE, tenant) == points
    assert point_totals(store, HOUR, tenant) == points


def with_id(metered: Metered, name: str) -> Metered:
    return structs.replace(metered, record=structs.replace(metered.record, id=RequestId(name)))
