from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimesh.core.policy import Period
from aimesh.limits.periods import day_at, resets_at_s

SHANGHAI = ZoneInfo("Asia/Shanghai")
ODD_ZONES = ("Europe/Berlin", "America/St_Johns", "America/Sao_Paulo", "Africa/Cairo", "Pacific/Apia", "UTC")


def _at(text: str, zone: ZoneInfo = SHANGHAI, fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).timestamp()


@pytest.mark.parametrize(
    ("period", "now", "begins", "ends"),
    [
        (Period.DAILY, "2026-05-14 15:30", "2026-05-14 00:00", "2026-05-15 00:00"),
        (Period.DAILY, "2026-05-14 00:00", "2026-05-14 00:00", "2026-05-15 00:00"),
        (Period.DAILY, "2026-05-14 23:59:59.9", "2026-05-14 00:00", "2026-05-15 00:00"),
        (Period.WEEKLY, "2026-05-14 15:30", "2026-05-11 00:00", "2026-05-18 00:00"),
        (Period.WEEKLY, "2026-05-11 00:00", "2026-05-11 00:00", "2026-05-18 00:00"),
        (Period.WEEKLY, "2026-03-01 12:00", "2026-02-23 00:00", "2026-03-02 00:00"),
        (Period.MONTHLY, "2026-05-14 15:30", "2026-05-01 00:00", "2026-06-01 00:00"),
        (Period.MONTHLY, "2026-12-31 23:59", "2026-12-01 00:00", "2027-01-01 00:00"),
        (Period.MONTHLY, "2028-02-29 12:00", "2028-02-01 00:00", "2028-03-01 00:00"),
        (Period.MONTHLY, "2026-01-31 12:00", "2026-01-01 00:00", "2026-02-01 00:00"),
    ],
)
def test_periods_begin_and_end_at_midnight_of_the_zone(
    period: Period, now: str, begins: str, ends: str
) -> None:
    now_s = _at(now)
    assert day_at(SHANGHAI, now_s).begins(period) == _at(begins)
    assert resets_at_s(SHANGHAI, now_s, period) == _at(ends)


def test_a_total_never_begins_and_never_ends() -> None:
    assert day_at(SHANGHAI, 0.0).begins(Period.TOTAL) == float("-inf")
    assert resets_at_s(SHANGHAI, 0.0, Period.TOTAL) is None


@pytest.mark.parametrize(
    ("name", "now", "hours"),
    [
        ("Europe/Berlin", "2026-03-29 12:00", 23),
        ("Europe/Berlin", "2026-10-25 12:00", 25),
        # No midnight: clocks go from 23:59:59 to 01:00.
        ("Africa/Cairo", "2026-04-24 12:00", 23),
        # The 30th did not exist.
        ("Pacific/Apia", "2011-12-31 12:00", 24),
    ],
)
def test_a_day_is_as_long_as_the_clocks_make_it(name: str, now: str, hours: int) -> None:
    zone = ZoneInfo(name)
    day = day_at(zone, _at(now, zone))
    assert day.end_s - day.start_s == hours * 3600


def test_an_hour_that_comes_again_after_midnight_belongs_to_the_new_day() -> None:
    # At 00:01 of the 7th clocks went back to 23:01 of the 6th.
    zone = ZoneInfo("America/St_Johns")
    again_s = _at("2010-11-06 23:30", zone, fold=1)
    day = day_at(zone, again_s)
    assert day.holds(again_s)
    assert day == day_at(zone, _at("2010-11-07 12:00", zone))


@given(st.sampled_from(ODD_ZONES), st.integers(946_684_800, 1_900_000_000), st.integers(0, 3 * 86_400))
def test_days_follow_one_another_without_a_gap(name: str, now_s: int, later_s: int) -> None:
    zone = ZoneInfo(name)
    day, later = day_at(zone, now_s), day_at(zone, now_s + later_s)
    assert day.holds(now_s)
    assert day_at(zone, day.end_s).start_s == day.end_s
    assert day_at(zone, day.end_s - 1) == day
    assert day.month_s <= day.start_s
    assert day.week_s <= day.start_s
    for period in (Period.DAILY, Period.WEEKLY, Period.MONTHLY):
        end_s = resets_at_s(zone, now_s, period)
        assert end_s is not None
        assert now_s < end_s
        assert (later.begins(period) > day.begins(period)) == (now_s + later_s >= end_s)
