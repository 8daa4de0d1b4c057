"""From usage records to the rows of the database: the record's own, and what it adds to roll-ups and points.

1. Everything added up is a whole number: sums do not depend on the order of adding, nor on how it was batched.
2. A cost that is not known stays unknown; it counts as ``unpriced`` where something was used.
3. A record that the database could not hold is refused here, by ``UnfitError``, before it can spoil a batch.
4. Requests are the records that are calls. One that settles a task adds what the task used and cost to the call that
   made it, and neither a request nor a success or failure: one that used nothing adds nothing.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256

import msgspec
from msgspec import Struct

from aimesh.catalog.price_record import BYOK
from aimesh.core.histogram import Counts, bucket_of
from aimesh.core.ids import UserId
from aimesh.core.priced import Priced
from aimesh.core.record import AttemptRecord, UsageRecord, encode_record
from aimesh.core.usage import Usage
from aimesh.store.session import UnfitError

SETTLEMENT = "task:"
"""What ids of records begin with that settle a task."""

ATTEMPT = "attempt"
"""In the place of an outcome, in points: ``requests`` are attempts that failed there and whose call went on elsewhere.
They are no requests; what became of the call stands where its last attempt was made."""

MINUTE, HOUR = "m", "h"
GRAINS = {MINUTE: 60, HOUR: 3600}
"""Seconds of a point."""

_MOST_UNITS = 10**10
"""Of anything in one call. More is no measurement, and would spoil the sums that it is added to."""
_MOST_BYTES = 10**15
_MOST_NANO = 10**16
_LATEST_S = 253_402_300_800.0
"""The end of the year 9999."""
_LONGEST_NAMES = 2000
"""Of tenant, key, model, endpoint and provider together: they are part of indexes."""
_LONGEST_CODE = 64
"""Of an error in points: upstreams say what they like."""

_ATTEMPTS = msgspec.json.Encoder()
_SORTED = msgspec.json.Encoder(order="sorted")

Value = str | int | float | bool | None


class Metered(Struct, frozen=True, gc=False):
    """A record, and what the database needs to know beside it."""

    record: UsageRecord
    user: UserId
    """The key's owner; empty: nobody."""
    kind: str
    """Empty: the model is not in the catalogue."""
    priced: Priced | None


HourKey = tuple[str, int, bytes]
"""Tenant, beginning of the hour, digest of the dimensions."""

HOUR_DIMENSIONS = (
    "key_id",
    "user_id",
    "model",
    "endpoint",
    "provider",
    "is_byok",
    "kind",
    "labels",
    "outcome",
    "currency",
)
SHORTER_HOURS = {
    "usage_hourly_models": ("model", "provider", "is_byok", "kind", "outcome", "currency"),
    "usage_hourly_keys": ("key_id", "user_id", "is_byok", "outcome", "currency"),
}
"""Roll-ups with some of the dimensions."""
HOUR_SUMS = (
    "requests",
    "input_tokens",
    "output_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "images",
    "video_ms",
    "assets",
    "cost_nano",
    "list_nano",
    "unpriced",
    "estimated",
    "duration_us",
    "ttft_us",
    "ttft_count",
)

PointKey = tuple[str, int, str, str, str, str]
POINT_KEY = ("grain", "start_s", "model", "endpoint", "outcome", "error_code")
POINT_SUMS = ("requests", "output_tokens", "duration_us", "ttft_us")


class Hourly(Struct, gc=False):
    dimensions: tuple[Value, ...]
    sums: list[int]


class Point(Struct, gc=False):
    sums: list[int]
    durations: Counts
    ttfts: Counts


class Rollups(Struct):
    """What some records add. Made by ``rolled_up``."""

    hourly: dict[HourKey, Hourly]
    points: dict[PointKey, Point]
    keys: dict[str, str]
    """Ids to the alias that was used last."""


RECORD_COLUMNS = (
    "id", "at_s", "tenant", "key_id", "key_alias", "user_id", "model", "model_asked", "endpoint", "provider",
    "credential", "is_byok", "kind", "interface", "operation", "outcome", "status", "error_code", "stream",
    "reported", "input_tokens", "output_tokens", "cached_tokens", "cache_write_tokens", "cache_write_1h_tokens",
    "reasoning_tokens", "input_image_tokens", "input_audio_tokens", "output_audio_tokens", "images",
    "video_seconds", "video_resolution", "assets", "cost_nano", "list_nano", "currency", "price_version",
    "duration_ms", "ttft_ms", "bytes_in", "bytes_out", "labels", "attempts", "upstream_request_id", "task_id",
    "client_ip", "record",
)  # fmt: skip


def record_row(metered: Metered, labels: str) -> tuple[Value, ...]:
    """In the order of ``RECORD_COLUMNS``."""
    record, priced = metered.record, metered.priced
    usage = record.usage
    return (
        record.id, record.at, record.tenant, record.key_id, record.key_alias, metered.user, record.model,
        record.model_asked, record.endpoint, record.provider, record.credential,
        record.credential.startswith(BYOK), metered.kind, record.interface, record.operation,
        record.outcome.value, record.status, record.error_code, record.stream, usage.reported,
        usage.input_tokens, usage.output_tokens, usage.cached_tokens, usage.cache_write_tokens,
        usage.cache_write_1h_tokens, usage.reasoning_tokens, usage.input_image_tokens,
        usage.input_audio_tokens, usage.output_audio_tokens, usage.images, usage.video_seconds,
        usage.video_resolution, usage.assets,
        None if priced is None else priced.cost_nano, None if priced is None else priced.list_nano,
        None if priced is None else priced.currency.value, None if priced is None else priced.version,
        record.duration_ms, record.ttft_ms, record.bytes_in, record.bytes_out, labels,
        encoded_attempts(record.attempts), record.upstream_request_id, record.task_id, record.client_ip,
        encode_record(record).decode(),
    )  # fmt: skip


def encoded_attempts(attempts: tuple[AttemptRecord, ...]) -> str:
    return _ATTEMPTS.encode(attempts).decode() if attempts else "[]"


def encoded_labels(labels: dict[str, str]) -> str:
    return _SORTED.encode(labels).decode() if labels else "{}"


def check_fits(metered: Metered) -> None:
    """Raises ``UnfitError``."""
    check_record(metered.record)
    priced = metered.priced
    if priced is not None and not (
        0 <= priced.cost_nano <= _MOST_NANO and 0 <= priced.list_nano <= _MOST_NANO
    ):
        raise UnfitError("its cost is out of range")


def check_record(record: UsageRecord) -> None:
    """The same for what is known before a record is priced."""
    usage = record.usage
    units = (
        usage.input_tokens,
        usage.output_tokens,
        usage.cached_tokens,
        usage.cache_write_tokens,
        usage.cache_write_1h_tokens,
        usage.reasoning_tokens,
        usage.input_image_tokens,
        usage.input_audio_tokens,
        usage.output_audio_tokens,
        usage.images,
        usage.assets,
        usage.video_seconds,
        record.duration_ms,
        0 if record.ttft_ms is None else record.ttft_ms,
    )
    sizes = (record.bytes_in, record.bytes_out)
    if min(*units, *sizes) < 0 or max(units) > _MOST_UNITS or max(sizes) > _MOST_BYTES:
        raise UnfitError("it counts more than one call can use, or less than nothing")
    if not (0.0 <= record.at < _LATEST_S and math.isfinite(usage.video_seconds)):
        raise UnfitError("its time is none")
    if not -(1 << 31) <= record.status < 1 << 31:
        raise UnfitError("its status is none")
    names = f"{record.id}{record.tenant}{record.key_id}{record.model}{record.endpoint}{record.provider}"
    endpoints = [attempt.endpoint for attempt in record.attempts]
    if (
        max(map(len, (names, *endpoints))) > _LONGEST_NAMES
        or "\0" in names
        or any("\0" in e for e in endpoints)
    ):
        raise UnfitError("its names are none")


def is_call(record_id: str) -> bool:
    """False: it settles a task, which a call before it made."""
    return not record_id.startswith(SETTLEMENT)


def used_anything(usage: Usage) -> bool:
    return bool(
        usage.input_tokens or usage.output_tokens or usage.images or usage.video_seconds or usage.assets
    )


def rolled_up(several: Iterable[Metered], minutes_from_s: float = 0.0, hours_from_s: float = 0.0) -> Rollups:
    """What they add together. Points that begin before the given times are left out."""
    rollups = Rollups(hourly={}, points={}, keys={})
    since = {MINUTE: minutes_from_s, HOUR: hours_from_s}
    digests: dict[tuple[Value, ...], bytes] = {}
    for metered in several:
        record = metered.record
        rollups.keys[record.key_id] = record.key_alias
        _add_hourly(rollups.hourly, metered, digests)
        for grain, seconds in GRAINS.items():
            start_s = int(record.at // seconds) * seconds
            if start_s >= since[grain]:
                _add_point(rollups.points, (grain, start_s), record)
                for attempt in record.attempts[:-1]:
                    _add_attempt(rollups.points, (grain, start_s), record, attempt)
    return rollups


def _add_hourly(
    hourly: dict[HourKey, Hourly], metered: Metered, digests: dict[tuple[Value, ...], bytes]
) -> None:
    record, priced = metered.record, metered.priced
    dimensions = (
        record.key_id,
        metered.user,
        record.model,
        record.endpoint,
        record.provider,
        record.credential.startswith(BYOK),
        metered.kind,
        encoded_labels(record.labels),
        record.outcome.value,
        "" if priced is None else priced.currency.value,
    )
    digest = digests.get(dimensions)
    if digest is None:
        digest = digests[dimensions] = digest_of(dimensions)
    key = (record.tenant, int(record.at // 3600) * 3600, digest)
    found = hourly.get(key)
    sums = hour_sums(record, priced)
    if found is None:
        if any(sums):
            hourly[key] = Hourly(dimensions, list(sums))
    else:
        total = found.sums
        for place, amount in enumerate(sums):
            if amount:
                total[place] += amount


def shortened(hourly: Mapping[HourKey, Hourly], names: Sequence[str]) -> dict[HourKey, Hourly]:
    """The same by some of the dimensions."""
    places = [HOUR_DIMENSIONS.index(name) for name in names]
    digests: dict[tuple[Value, ...], bytes] = {}
    found: dict[HourKey, Hourly] = {}
    for (tenant, hour_s, _), one in hourly.items():
        dimensions = tuple(one.dimensions[place] for place in places)
        digest = digests.get(dimensions)
        if digest is None:
            digest = digests[dimensions] = digest_of(dimensions)
        key = (tenant, hour_s, digest)
        known = found.get(key)
        if known is None:
            found[key] = Hourly(dimensions, list(one.sums))
        else:
            known.sums = [mine + other for mine, other in zip(known.sums, one.sums, strict=True)]
    return found


def digest_of(dimensions: tuple[Value, ...]) -> bytes:
    """Of the dimensions of a row of a roll-up, in their order."""
    return sha256(_SORTED.encode(dimensions)).digest()[:16]


def hour_sums(record: UsageRecord, priced: Priced | None) -> tuple[int, ...]:
    """What one record adds, in the order of ``HOUR_SUMS``."""
    usage, is_request = record.usage, is_call(record.id)
    ttft_ms = record.ttft_ms if is_request else None
    is_used = used_anything(usage)
    return (
        int(is_request),
        usage.input_tokens,
        usage.output_tokens,
        usage.cached_tokens,
        usage.cache_write_tokens,
        usage.reasoning_tokens,
        usage.images,
        round(usage.video_seconds * 1000),
        usage.assets,
        0 if priced is None else priced.cost_nano,
        0 if priced is None else priced.list_nano,
        int(priced is None and is_used),
        int(is_used and not usage.reported),
        round(record.duration_ms * 1000) if is_request else 0,
        0 if ttft_ms is None else round(ttft_ms * 1000),
        int(ttft_ms is not None),
    )


def _add_point(points: dict[PointKey, Point], start: tuple[str, int], record: UsageRecord) -> None:
    is_request = is_call(record.id)
    if not is_request and not record.usage.output_tokens:
        return
    # PostgreSQL has no NUL, and the row must be found again under what was written.
    code = record.error_code[:_LONGEST_CODE].replace("\0", "\ufffd")
    key = (*start, record.model, record.endpoint, record.outcome.value, code)
    point = points.get(key)
    if point is None:
        point = points[key] = Point([0, 0, 0, 0], {}, {})
    sums, ttft_ms = point.sums, record.ttft_ms
    sums[1] += record.usage.output_tokens
    if is_request:
        sums[0] += 1
        sums[2] += round(record.duration_ms * 1000)
        bucket = bucket_of(record.duration_ms)
        point.durations[bucket] = point.durations.get(bucket, 0) + 1
    if is_request and ttft_ms is not None:
        sums[3] += round(ttft_ms * 1000)
        bucket = bucket_of(ttft_ms)
        point.ttfts[bucket] = point.ttfts.get(bucket, 0) + 1


def _add_attempt(
    points: dict[PointKey, Point], start: tuple[str, int], record: UsageRecord, attempt: AttemptRecord
) -> None:
    key = (*start, record.model, attempt.endpoint, ATTEMPT, "")
    point = points.get(key)
    if point is None:
        point = points[key] = Point([0, 0, 0, 0], {}, {})
    point.sums[0] += 1
