"""What usage somebody asks for: a time and filters, as every operation on usage takes them.

1. A day is one of the installation's time zone, whole, the last one included. A moment ends before itself.
2. Whose usage may be seen is decided here, once: a member sees calls of the own keys, an administrator the tenant's,
   who runs the installation every tenant's, or one's that is named.
3. Keys and users may be named as people call them; whoever has or had the name is meant.
"""

from datetime import date, datetime, time, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from fastapi import Depends, Query, Request
from msgspec import Struct, structs

from aimesh.control.access import Permission
from aimesh.control.errors import Detail, Invalid
from aimesh.control.identity import Caller, Signed, tenant_of
from aimesh.control.parts import Parts, Uses
from aimesh.control.texts import OptionalLine, Slug
from aimesh.core.ids import ModelName, ProviderId, TenantId
from aimesh.store.engine import Connection
from aimesh.store.usage_names import keys_named, users_named
from aimesh.store.usage_queries import HOUR_S, UsageFilter

MOST_DAYS = 1100
"""Of one answer."""
MOST_DAYS_BY_HOURS = 92
_USUAL_DAYS = 7
_MOST_LABELS = 10
_EARLIEST, _LATEST = date(2000, 1, 1), date(9000, 1, 1)

Source = Literal["system", "byok"]


class Span(Struct, frozen=True):
    since_s: float
    until_s: float

    @property
    def before(self) -> "Span":
        """The time of the same length that ends where this one begins."""
        return Span(2 * self.since_s - self.until_s, self.since_s)


class Asked(Struct, frozen=True):
    """Made by ``asked``."""

    parts: Parts
    caller: Caller
    span: Span
    wanted: UsageFilter
    """Keys and users are not in it yet: see ``filter``."""
    key: str
    user: str

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.parts.settings.timezone)

    def filter(self, db: Connection, span: Span | None = None) -> UsageFilter:
        """With the names of keys and users looked up."""
        found = self.wanted
        if span is not None:
            found = structs.replace(found, since_s=span.since_s, until_s=span.until_s)
        if self.key:
            found = structs.replace(found, keys=keys_named(db, self.key))
        if self.user:
            found = structs.replace(found, users=users_named(db, self.user))
        return found


def _seen_tenant(
    request: Request,
    caller: Signed,
    tenant: Annotated[
        Slug | None,
        Query(description="Only this tenant's. Default: your own; for PLATFORM_ADMIN every tenant's."),
    ] = None,
) -> TenantId | None:
    if tenant is None and caller.may(Permission.ANY_TENANT):
        return None
    return tenant_of(request, caller, tenant)


SeenTenant = Annotated[TenantId | None, Depends(_seen_tenant)]
"""Type of a handler's parameter that gets the tenant whose usage is seen; None: every tenant's."""

_DAY_OR_MOMENT = Query(
    max_length=40,
    pattern=r"^[0-9T:.Z+ -]*$",
    description="A day of the installation's time zone (`2026-05-29`) or a moment (ISO 8601).",
)


class _Filters(Struct, frozen=True):
    model: str
    provider: str
    source: Source | None
    labels: tuple[tuple[str, str], ...]
    key: str
    user: str


def _filters(
    model: Annotated[OptionalLine, Query(description="Only this model.")] = "",
    provider: Annotated[OptionalLine, Query(description="Only this provider.")] = "",
    *,
    source: Annotated[
        Source | None,
        Query(description="Only over the installation's credentials, or only over a tenant's own (BYOK)."),
    ] = None,
    label: Annotated[
        list[OptionalLine] | None,
        Query(
            max_length=_MOST_LABELS, description="Only of keys with this label: `team=search`; repeatable."
        ),
    ] = None,
    key: Annotated[OptionalLine, Query(description="Only of this key: its id or alias.")] = "",
    user: Annotated[OptionalLine, Query(description="Only of this user's keys: id or username.")] = "",
) -> _Filters:
    pairs = [one.partition("=") for one in label or ()]
    if not all(equals and name for name, equals, _ in pairs):
        raise _invalid("label", "a label is name=value")
    labels = tuple((name, value) for name, _, value in pairs)
    return _Filters(model, provider, source, labels, key, user)


def _span(
    parts: Uses,
    caller: Signed,
    *,
    since: Annotated[str, _DAY_OR_MOMENT] = "",
    until: Annotated[str, _DAY_OR_MOMENT] = "",
) -> Span:
    return read_span(since, until, ZoneInfo(parts.settings.timezone), caller.source.at_s)


def asked(
    parts: Uses,
    caller: Signed,
    *,
    tenant: SeenTenant,
    span: Annotated[Span, Depends(_span)],
    filters: Annotated[_Filters, Depends(_filters)],
) -> Asked:
    wanted = UsageFilter(
        since_s=span.since_s,
        until_s=span.until_s,
        tenant=tenant,
        owner=caller.only_own,
        model=ModelName(filters.model) if filters.model else None,
        provider=ProviderId(filters.provider) if filters.provider else None,
        is_byok=None if filters.source is None else filters.source == "byok",
        labels=filters.labels,
    )
    return Asked(parts=parts, caller=caller, span=span, wanted=wanted, key=filters.key, user=filters.user)


AskedUsage = Annotated[Asked, Depends(asked)]
"""Type of a handler's parameter that gets the time and the filters."""


def read_span(since: str, until: str, zone: ZoneInfo, now_s: float) -> Span:
    """Default: the last seven days, today included."""
    today = datetime.fromtimestamp(now_s, zone).date()
    end = _moment("until", until, zone, days=1) if until else _midnight(today + timedelta(days=1), zone)
    if since:
        begin = _moment("since", since, zone, days=0)
    else:
        last = datetime.fromtimestamp(end - HOUR_S, zone).date()
        begin = _midnight(last - timedelta(days=_USUAL_DAYS - 1), zone)
    if end <= begin:
        raise _invalid("until", "it would end before it begins")
    if end - begin > MOST_DAYS * 86_400:
        raise _invalid("since", f"one answer is about {MOST_DAYS} days at most")
    return Span(begin, end)


def days_of(span: Span, zone: ZoneInfo) -> list[float]:
    """Beginnings of the days that a time touches."""
    day, found = datetime.fromtimestamp(span.since_s, zone).date(), []
    while (begin := _midnight(day, zone)) < span.until_s:
        found.append(begin)
        day += timedelta(days=1)
    return found


def hours_of(span: Span) -> list[float]:
    """Beginnings of the hours of UTC that begin in a time."""
    first = -(-span.since_s // HOUR_S) * HOUR_S
    return [first + step * HOUR_S for step in range(max(0, -int(-(span.until_s - first) // HOUR_S)))]


def check_hours(span: Span) -> None:
    if span.until_s - span.since_s > MOST_DAYS_BY_HOURS * 86_400:
        raise _invalid("since", f"by hours one answer is about {MOST_DAYS_BY_HOURS} days at most")


def _moment(name: str, text: str, zone: ZoneInfo, *, days: int) -> float:
    try:
        # A plus sign in an address means a blank.
        text = text.strip().replace(" ", "+") if text.count(":") > 1 else text.strip()
        if len(text) == len("2026-05-29"):
            day = _checked(name, date.fromisoformat(text))
            return _midnight(day + timedelta(days=days), zone)
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise _invalid(name, "a day or a time: 2026-05-29, or 2026-05-29T08:00:00Z") from None
    _checked(name, moment.date())
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)).timestamp()


def _checked(name: str, day: date) -> date:
    if not _EARLIEST <= day < _LATEST:
        raise _invalid(name, "no call was made then")
    return day


def _midnight(day: date, zone: ZoneInfo) -> float:
    return datetime.combine(day, time(), zone).timestamp()


def _invalid(path: str, message: str) -> Invalid:
    return Invalid("INVALID_REQUEST", message, details=[Detail(path=path, message=message)])
