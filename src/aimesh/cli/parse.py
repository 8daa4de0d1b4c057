"""Words of the command line as values of the admin API: quotas, budgets, routes, labels, times.

1. What cannot be read is ``Misused`` and says what can. Whether a value is permitted is for the API to say.
2. Money stays decimal text.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from aimesh.cli.faults import Misused
from aimesh.cli.output import Document
from aimesh.core.money import Currency
from aimesh.core.policy import Period, RankBy, RouteMode, Unit

DEFAULT_QUOTA: Document = {"unit": Unit.TOKENS.value, "period": Period.TOTAL.value, "limit": 10_000_000}
"""Of a key that is made without a quota."""

_PERIODS = ", ".join(Period)
_BUDGET = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]{3})")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def read_quotas(periods: Sequence[str], quotas: Sequence[str], budgets: Sequence[str]) -> list[Document]:
    """``--quota daily:100000``, or pairs of ``--period`` and ``--quota``; ``--budget monthly:100CNY``. Empty: none
    was given."""
    found = _pairs(list(periods), quotas)
    found += [_budget(text) for text in budgets]
    seen = set()
    for one in found:
        kind = (one["unit"], one["period"])
        if kind in seen:
            raise Misused(f"two {one['period']} quotas of {one['unit']}: a key has at most one")
        seen.add(kind)
    return found


def _pairs(periods: list[str], quotas: Sequence[str]) -> list[Document]:
    found: list[Document] = []
    for text in quotas:
        period, colon, amount = text.rpartition(":")
        if not colon:
            if not periods:
                raise Misused(f"--quota {text} is for which period? Write --quota daily:{text} ({_PERIODS})")
            period = periods.pop(0)
        found.append({"unit": Unit.TOKENS.value, "period": read_period(period), "limit": _count(amount)})
    if periods:
        raise Misused(f"--period {periods[0]} has no --quota; write for example --quota {periods[0]}:100000")
    return found


def read_period(text: str) -> str:
    if text not in frozenset(Period):
        raise Misused(f"{text!r} is no period; there are: {_PERIODS}")
    return text


def _count(text: str) -> int:
    digits = text.replace("_", "").replace(",", "")
    if not (digits.isascii() and digits.isdecimal()) or int(digits) == 0:
        raise Misused(f"{text!r} is no number of tokens; for example --quota daily:100000")
    return int(digits)


def _budget(text: str) -> Document:
    period, _, amount = text.partition(":")
    found = _BUDGET.fullmatch(amount.strip())
    if found is None or found[2].upper() not in frozenset(Currency):
        raise Misused(
            f"--budget {text} cannot be read; for example --budget monthly:100CNY ({', '.join(Currency)})"
        )
    return {"unit": found[2].upper(), "period": read_period(period), "limit": found[1]}


def read_route(
    *, mode: RouteMode | None, providers: Sequence[str], credentials: Sequence[str], rank_by: RankBy | None
) -> Document | None:
    """None: nothing was said about it."""
    if mode is RouteMode.PROVIDER and not providers:
        raise Misused("--route-type provider needs the providers, in their order: --providers a b")
    if mode is RouteMode.BYOK and not credentials:
        raise Misused("--route-type byok needs the names of the keys, in their order: --private-keys a b")
    if credentials and mode is not RouteMode.BYOK:
        raise Misused("--private-keys goes with --route-type byok")
    if providers and mode is RouteMode.BYOK:
        raise Misused("--providers does not go with --route-type byok")
    if rank_by is not None and mode not in (None, RouteMode.DEFAULT):
        raise Misused("--provider-sort goes with --route-type default: the other two go by the order given")
    if mode is None and not providers and rank_by is None:
        return None
    route: Document = {"mode": (mode or RouteMode.DEFAULT).value}
    if providers:
        route["providers"] = list(providers)
    if credentials:
        route["credentials"] = list(credentials)
    if rank_by is not None:
        route["rank_by"] = rank_by.value
    return route


def read_words(given: Sequence[str] | None) -> list[str]:
    """``a b``, ``a,b`` and the option twice are the same."""
    return [word.strip() for text in given or () for word in text.split(",") if word.strip()]


def read_labels(given: Sequence[str] | None) -> dict[str, str]:
    labels: dict[str, str] = {}
    for text in given or ():
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise Misused(f"--label {text} has no value; for example --label team=search")
        labels[name] = value
    return labels


def read_duration(text: str) -> int:
    """``24h``, ``30m``, ``7d``, ``90s`` or ``0``, in seconds."""
    if text == "0":
        return 0
    found = _DURATION.fullmatch(text)
    if found is None:
        raise Misused(f"{text!r} is no length of time; for example 24h, 30m, 7d, 0")
    return round(float(found[1]) * _SECONDS[found[2]])


def read_expiry(expires: str, days: int | None, now_s: float) -> str | None:
    """ISO 8601 in UTC. A day or a time without an offset is read on this machine's clock. None: not given."""
    if expires and days is not None:
        raise Misused("--expires and --days say the same: give one of them")
    if days is not None:
        return _iso(datetime.fromtimestamp(now_s, UTC) + timedelta(days=days))
    if not expires:
        return None
    try:
        return _iso(datetime.fromisoformat(expires).astimezone(UTC))
    except (ValueError, OverflowError):
        raise Misused(
            f"--expires {expires} is no day or time; for example 2027-12-31 or 2027-12-31T18:00+08:00"
        ) from None


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def read_moment(text: str, now_s: float) -> str:
    """A day or a time, or how long ago (``7d``), as ISO 8601 in UTC."""
    if _DURATION.fullmatch(text):
        return _iso(datetime.fromtimestamp(now_s - read_duration(text), UTC))
    try:
        return _iso(datetime.fromisoformat(text).astimezone(UTC))
    except (ValueError, OverflowError):
        raise Misused(f"{text} is no day or time; for example 2027-12-31, or 7d for seven days ago") from None
