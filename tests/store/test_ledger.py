import errno
import mmap
from datetime import datetime
from pathlib import Path

import pytest
from tests.support.limits import ZONE, tokens

from aimesh.core.policy import Limits, Period, Quota, Unit
from aimesh.limits.bucket import FULL
from aimesh.limits.periods import Day, day_at
from aimesh.store import ledger_file
from aimesh.store.ledger import (
    Ledger,
    LedgerView,
    key_scope,
    prepare,
    release_slot,
    row_name,
    tenant_scope,
)
from aimesh.store.ledger_file import LedgerError, RowKind
from aimesh.store.ledger_row import Row

NAME = row_name(key_scope("k"), Unit.TOKENS)
DAY_S = 86_400.0


def _at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp()


NOON_S = _at("2026-05-14 12:00")
TODAY = day_at(ZONE, NOON_S)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "run" / "limits.bin"
    assert prepare(made, slots=3) == []
    return made


def _open(path: Path, slot: int = 0) -> Ledger:
    return Ledger(path, slot=slot, on_alarm=pytest.fail)


def _row(ledger: Ledger, day: Day = TODAY) -> Row:
    row = ledger.row(NAME, RowKind.QUOTA, day)
    assert row is not None
    return row


def _all(*periods: Period) -> Limits:
    return Limits(
        quotas=tuple(
            Quota(unit=Unit.TOKENS, period=period, limit=1000) for period in periods or tuple(Period)
        )
    )


def _used(path: Path, now_s: float = NOON_S, limits: Limits | None = None) -> list[int]:
    with LedgerView(path, ZONE) as view:
        return [standing.used for standing in view.standings(key_scope("k"), limits or _all(), now_s)]


def test_slots_see_one_another(path: Path) -> None:
    first, second = _open(path, 0), _open(path, 1)
    one, other = _row(first), _row(second)
    one.hold(30)
    other.hold(12)
    assert one.sums() == other.sums() == (42, 0)
    one.settle(30, 25)
    assert one.sums() == other.sums() == (12, 25)
    other.add(5)
    assert one.sums() == other.sums() == (12, 30)
    assert first.row(NAME, RowKind.QUOTA, TODAY) is one
    first.close()
    second.close()


def test_a_call_that_settles_while_others_read_is_seen(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = _open(path, 0), _open(path, 1)
    one, other = _row(first), _row(second)
    one.hold(30)
    read = other._read_cells
    seen: list[int] = []

    def slowly(data: mmap.mmap, at: int) -> tuple[int, ...]:
        cells: tuple[int, ...] = read(data, at)
        seen.append(sum(cells))
        if len(seen) == 1:
            one.settle(30, 25)
        return cells

    monkeypatch.setattr(other, "_read_cells", slowly)
    assert other.sums() == (30, 25)
    first.close()
    second.close()


def test_standings_say_used_held_remaining_and_when_it_resets(path: Path) -> None:
    ledger = _open(path)
    row = _row(ledger)
    row.add(700)
    row.hold(100)
    with LedgerView(path, ZONE) as view:
        standings = view.standings(key_scope("k"), _all(), NOON_S)
        assert [standing.quota.period for standing in standings] == list(Period)
        for standing in standings:
            assert (standing.used, standing.held, standing.remaining) == (700, 100, 200)
        assert [standing.resets_at_s for standing in standings] == [
            _at("2026-05-15 00:00"),
            _at("2026-05-18 00:00"),
            _at("2026-06-01 00:00"),
            None,
        ]
        (stranger,) = view.standings(tenant_scope("k"), tokens(5), NOON_S)
        assert (stranger.used, stranger.held, stranger.remaining) == (0, 0, 5)
    ledger.close()


@pytest.mark.parametrize("damage", ["absent", "damaged"])
def test_a_view_of_nothing_reads_as_nothing_used(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "limits.bin"
    if damage == "damaged":
        path.write_bytes(b"x" * 100)
    assert _used(path) == [0, 0, 0, 0]


def test_periods_begin_anew_each_in_its_time(path: Path) -> None:
    ledger = _open(path)
    row = _row(ledger)
    row.add(1)
    expected = {
        # Thursday; then the next day, the next week, the next month, and after a long pause.
        "2026-05-15 00:00": [0, 1, 1, 1],
        "2026-05-17 23:59": [0, 11, 11, 11],
        "2026-05-18 00:00": [0, 0, 111, 111],
        "2026-06-01 08:00": [0, 0, 0, 1111],
        "2027-01-05 08:00": [0, 0, 0, 11111],
    }
    added = 1
    for when, used in expected.items():
        now_s = _at(when)
        # Told rightly even before any call of the new period came.
        assert _used(path, now_s) == used
        row.begin(day_at(ZONE, now_s))
        assert _used(path, now_s) == used
        added *= 10
        row.add(added)
        assert _used(path, now_s) == [one + added for one in used]
    ledger.close()


def test_a_period_that_another_slot_began_is_not_begun_again(path: Path) -> None:
    first, second = _open(path, 0), _open(path, 1)
    one, other = _row(first), _row(second)
    tomorrow = day_at(ZONE, NOON_S + DAY_S)
    one.add(5)
    other.begin(tomorrow)
    other.add(3)
    one.begin(tomorrow)
    assert _used(path, NOON_S + DAY_S, _all(Period.DAILY)) == [3]
    first.close()
    second.close()


def test_a_call_that_spans_midnight_is_counted_once(path: Path) -> None:
    ledger = _open(path)
    row = _row(ledger)
    row.hold(50)
    row.begin(day_at(ZONE, NOON_S + DAY_S))
    assert row.sums() == (50, 0)
    row.settle(50, 40)
    assert _used(path, NOON_S + DAY_S) == [40, 40, 40, 40]
    ledger.close()


def test_a_clock_that_was_ahead_forgets_nothing_and_the_next_day_begins(path: Path) -> None:
    ledger = _open(path)
    row = _row(ledger)
    row.begin(day_at(ZONE, NOON_S + 40 * DAY_S))
    row.add(7)
    row.begin(TODAY)
    assert _used(path, NOON_S) == [7, 7, 7, 7]
    row.begin(day_at(ZONE, NOON_S + DAY_S))
    assert _used(path, NOON_S + DAY_S) == [0, 7, 7, 7]
    ledger.close()


def test_what_a_dead_process_held_is_released_and_what_it_used_stays(path: Path) -> None:
    first, second = _open(path, 0), _open(path, 1)
    row = _row(first)
    row.add(20)
    row.hold(30)
    with pytest.raises(LedgerError, match="living process"):
        release_slot(path, 0)
    first.close()
    assert _row(second).sums() == (30, 20)
    release_slot(path, 0)
    assert _row(second).sums() == (0, 20)
    successor = _open(path, 0)
    heir = _row(successor)
    heir.add(1)
    assert heir.sums() == (0, 21)
    heir.hold(9)
    successor.close()
    # A successor releases as well.
    _open(path, 0).close()
    assert _row(second).sums() == (0, 21)
    second.close()


def test_a_slot_that_is_not_there_or_taken_is_refused(path: Path) -> None:
    ledger = _open(path, 2)
    with pytest.raises(LedgerError, match="living process"):
        _open(path, 2)
    with pytest.raises(LedgerError, match="no slot 3"):
        _open(path, 3)
    ledger.close()
    _open(path, 2).close()


@pytest.mark.parametrize("slots", [1, 3, 8])
def test_a_new_number_of_slots_keeps_what_was_used(path: Path, slots: int) -> None:
    for slot in range(3):
        ledger = _open(path, slot)
        row = _row(ledger)
        row.add(10)
        if slot == 1:
            row.begin(day_at(ZONE, NOON_S + DAY_S))
        row.hold(5)
        rate = ledger.row(b"rate", RowKind.RATE, TODAY)
        assert rate is not None
        rate.add(1 << 50)
        ledger.close()
    before = _used(path, NOON_S + DAY_S)
    assert before == [10, 30, 30, 30]
    assert prepare(path, slots=slots) == []
    assert _used(path, NOON_S + DAY_S) == before
    ledger = _open(path, slots - 1)
    row = _row(ledger, day_at(ZONE, NOON_S + DAY_S))
    assert row.sums() == (0, 30)
    row.add(1)
    rate = ledger.row(b"rate", RowKind.RATE, TODAY)
    assert rate is not None
    assert rate.base(0) == FULL
    ledger.close()
    assert _used(path, NOON_S + DAY_S) == [11, 31, 31, 31]


def test_a_ledger_in_use_is_left_as_it_is(path: Path) -> None:
    ledger = _open(path, 1)
    row = _row(ledger)
    row.hold(5)
    assert prepare(path, slots=2) == []
    assert _row(ledger).sums() == (5, 0)
    with pytest.raises(LedgerError, match="living process"):
        prepare(path, slots=4)
    row.settle(5, 5)
    assert _used(path) == [5, 5, 5, 5]
    ledger.close()


def test_a_damaged_ledger_begins_anew_and_says_so(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"\0" * 64)
    (note,) = prepare(path, slots=3)
    assert "was damaged" in note
    _open(path).close()


def test_a_damaged_row_is_forgotten_alone(path: Path) -> None:
    ledger = _open(path)
    for name in (NAME, b"negative", b"hash"):
        row = ledger.row(name, RowKind.QUOTA, TODAY)
        assert row is not None
        row.add(10)
    negative = ledger.known(b"negative")
    assert negative is not None
    negative.set_base(0, 1000)
    ledger.close()
    file = ledger_file.LedgerFile(path)
    place = file.find(b"hash")
    assert place is not None
    place.segment.cells[place.cell + ledger_file.KIND] ^= 1 << 20
    file.close()
    (note,) = prepare(path, slots=3)
    assert "2 damaged rows" in note
    assert _used(path) == [10, 10, 10, 10]


def test_rows_that_nobody_used_are_left_out_when_there_are_many(path: Path) -> None:
    ledger = _open(path)
    _row(ledger).add(5)
    for number in range(1500):
        ledger.row(f"unused {number}".encode(), RowKind.QUOTA, TODAY)
    ledger.close()
    assert prepare(path, slots=3) == []
    ledger = _open(path)
    assert ledger.known(b"unused 7") is None
    assert _row(ledger).sums() == (0, 5)
    ledger.close()


def test_on_a_full_disk_a_ledger_that_is_there_goes_on(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = _open(path)
    row = _row(ledger)
    row.add(5)
    row.hold(5)
    ledger.close()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", full)
    assert prepare(path, slots=3) == []
    ledger = _open(path)
    assert _row(ledger).sums() == (0, 5)
    ledger.close()
    with pytest.raises(LedgerError, match="No space left"):
        prepare(path, slots=4)


def test_a_directory_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("no directory")
    with pytest.raises(LedgerError):
        prepare(tmp_path / "run" / "limits.bin", slots=3)


def test_a_row_that_cannot_be_made_is_an_alarm_once_and_made_later(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alarms: list[str] = []
    ledger = Ledger(path, slot=0, on_alarm=alarms.append)
    with monkeypatch.context() as patch:
        patch.setattr(ledger_file.LedgerFile, "try_lock", lambda *_: False)
        assert ledger.row(NAME, RowKind.QUOTA, TODAY) is None
        assert ledger.row(NAME, RowKind.QUOTA, TODAY) is None
    assert len(alarms) == 1
    assert "not enforced" in alarms[0]
    assert ledger.row(NAME, RowKind.QUOTA, TODAY) is not None
    ledger.close()


def test_the_largest_number_is_the_end_and_no_crash(path: Path) -> None:
    ledger = _open(path)
    row = _row(ledger)
    for _ in range(5):
        row.settle(0, 1 << 62)
        row.add(1 << 62)
    assert row.sums()[1] == (1 << 63) - 1
    row.begin(day_at(ZONE, NOON_S + DAY_S))
    ledger.sync()
    ledger.close()
