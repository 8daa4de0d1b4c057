"""What this gateway recorded, as the lines that a bill is compared with: from the hourly roll-ups of the database."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct

from aimesh.catalog.reconcile import Bill, BillMapping, Line, Unit
from aimesh.cli.faults import Refused
from aimesh.core.ids import ProviderId, TenantId
from aimesh.core.money import NANO
from aimesh.settings import Settings
from aimesh.store.database import url_of
from aimesh.store.engine import open_store
from aimesh.store.session import StoreError
from aimesh.store.usage_queries import Dimension, Totals, UsageFilter, read_totals

_HOUR = timedelta(hours=1)


class Ours(Struct, frozen=True):
    lines: tuple[Line, ...]
    last_day: date
    unpriced: int
    """Calls that used something whose price is unknown."""


def our_lines(settings: Settings, bill: Bill, mapping: BillMapping, *, tenant: str, is_byok: bool) -> Ours:
    """Of the bill's days. Raises ``Refused``."""
    zone = _zone(mapping.zone)
    last_day = _end_of_month(bill.last_day) if bill.is_monthly else bill.last_day
    wanted = UsageFilter(
        since_s=_begin_s(bill.first_day, zone),
        until_s=_begin_s(last_day + timedelta(days=1), zone),
        tenant=TenantId(tenant) if tenant else None,
        provider=ProviderId(mapping.provider),
        is_byok=is_byok,
    )
    url = url_of(settings.database, settings.home)
    try:
        with closing(open_store(url)) as store, store.read() as db:
            found = read_totals(db, wanted, (Dimension.HOUR, Dimension.MODEL, Dimension.KIND))
    except StoreError as error:
        raise Refused(str(error)) from error
    lines: list[Line] = []
    for (hour_s, model, kind), totals in found.items():
        day = datetime.fromtimestamp(int(hour_s), zone).date()
        lines += (
            Line(day, str(model), str(kind), what, amount)
            for what, amount in _amounts(totals, mapping)
            if amount
        )
    return Ours(tuple(lines), last_day, sum(totals.unpriced for totals in found.values()))


def _amounts(totals: Totals, mapping: BillMapping) -> Iterator[tuple[str, Fraction]]:
    fresh = totals.input_tokens - totals.cached_tokens - totals.cache_write_tokens
    counts: dict[Unit, int | Fraction] = {
        Unit.REQUESTS: totals.requests,
        Unit.TOKENS: totals.tokens,
        Unit.INPUT_TOKENS: totals.input_tokens,
        Unit.FRESH_INPUT_TOKENS: fresh,
        Unit.CACHED_TOKENS: totals.cached_tokens,
        Unit.CACHE_WRITE_TOKENS: totals.cache_write_tokens,
        Unit.OUTPUT_TOKENS: totals.output_tokens,
        Unit.IMAGES: totals.images,
        Unit.VIDEO_SECONDS: Fraction(totals.video_ms, 1000),
        Unit.ASSETS: totals.assets,
    }
    for unit, count in counts.items():
        yield unit.value, Fraction(count)
    money = totals.list_nano if mapping.money == "list" else totals.cost_nano
    for currency, nano in money.items():
        yield currency.value, Fraction(nano, NANO)


def _zone(name: str) -> ZoneInfo:
    try:
        zone = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise Refused(f"the mapping's zone {name!r} is not known") from None
    offset = datetime(2026, 1, 1, tzinfo=zone).utcoffset()
    if offset is None or offset % _HOUR:
        raise Refused(f"days of {name} do not begin with an hour of UTC, and usage is added up by those")
    return zone


def _begin_s(day: date, zone: ZoneInfo) -> float:
    return datetime.combine(day, time(), zone).astimezone(UTC).timestamp()


def _end_of_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=31)).replace(day=1) - timedelta(days=1)
