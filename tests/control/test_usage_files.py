"""Files are read back by other means than they were written by."""

import csv
import io
import math
import zipfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

import pytest

import aimesh.control.usage_files as room
from aimesh.control.usage_files import Cell, Table, csv_pieces, xlsx_pieces

_NS = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
AT = datetime(2026, 5, 29, 8, 30, tzinfo=timezone(timedelta(hours=8)))


def read_xlsx(data: bytes) -> list[list[list[tuple[str, str]]]]:
    """Sheets of rows of cells: their type and their text."""
    sheets = []
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        names = sorted(name for name in file.namelist() if name.startswith("xl/worksheets/sheet"))
        for name in names:
            tree = ElementTree.fromstring(file.read(name))
            rows = []
            for row in tree.iterfind(".//m:row", _NS):
                cells = []
                for one in row.iterfind("m:c", _NS):
                    assert one.find("m:f", _NS) is None, "a formula"
                    found = one.find("m:v", _NS)
                    text = "".join(one.itertext()) if found is None else (found.text or "")
                    cells.append((one.get("t") or "n", text))
                rows.append(cells)
            sheets.append(rows)
    return sheets


def table(rows: Sequence[Sequence[Cell]]) -> Table:
    return Table("calls", ("a", "b", "c"), rows)


def read_csv(data: bytes) -> list[list[str]]:
    text = data.decode("utf-8-sig")
    assert data.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", '=HYPERLINK("http://x")'])
def test_what_others_wrote_is_no_formula(text: str) -> None:
    rows = read_csv(b"".join(csv_pieces(table([(text, "x", None)]))))
    assert rows == [["a", "b", "c"], [f"'{text}", "x", ""]]
    ((_, cells),) = read_xlsx(b"".join(xlsx_pieces(table([(text, "x", None)]))))
    assert cells[0][0] in ("inlineStr", "s", "str")
    assert cells[0][1].strip() == text.strip()


def test_values_come_back_as_they_were() -> None:
    row: Sequence[Cell] = ('say "hi", 你好\n', Decimal("-0.000000001"), AT)
    (_, shown) = read_csv(b"".join(csv_pieces(table([row]))))
    assert shown == ['say "hi", 你好\n', "-0.000000001", "2026-05-29T08:30:00+08:00"]
    ((_, cells),) = read_xlsx(b"".join(xlsx_pieces(table([row]))))
    assert Decimal(cells[1][1]) == Decimal("-0.000000001")
    assert cells[1][0] == "n"
    # Days since the end of 1899, by the clock on the wall there.
    days = (
        datetime(2026, 5, 29, 8, 30, tzinfo=UTC) - datetime(1899, 12, 30, tzinfo=UTC)
    ).total_seconds() / 86_400
    assert math.isclose(float(cells[2][1]), days, abs_tol=1e-9)


def test_a_number_that_a_spreadsheet_would_round_is_text() -> None:
    exact = Decimal("1234567890.123456789")
    ((_, cells),) = read_xlsx(b"".join(xlsx_pieces(table([(exact, 10**17 + 1, 5)]))))
    assert [text for _, text in cells] == ["1234567890.123456789", "100000000000000001", "5"]
    assert [kind for kind, _ in cells][2] == "n"
    assert "n" not in [kind for kind, _ in cells][:2]


def test_more_rows_than_a_sheet_holds_go_on_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "SHEET_ROWS", 10)
    sheets = read_xlsx(b"".join(xlsx_pieces(table([(number, None, None) for number in range(25)]))))
    assert [len(rows) for rows in sheets] == [11, 11, 6]
    numbers = [int(row[0][1]) for rows in sheets for row in rows[1:]]
    assert numbers == list(range(25))


def test_an_empty_table_has_its_names() -> None:
    assert read_csv(b"".join(csv_pieces(table([])))) == [["a", "b", "c"]]
    ((names,),) = read_xlsx(b"".join(xlsx_pieces(table([]))))
    assert [text for _, text in names] == ["a", "b", "c"]


@pytest.mark.parametrize("pieces", [csv_pieces, xlsx_pieces])
def test_rows_are_taken_as_they_are_needed(
    pieces: room.Pieces, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    taken = 0

    def rows() -> Iterator[Sequence[Cell]]:
        nonlocal taken
        for number in range(100_000):
            taken += 1
            yield (number, "x", None)

    begun = pieces(Table("calls", ("a", "b", "c"), rows()))
    next(begun)
    next(begun)
    assert taken <= 2_000
    begun.close()
    assert taken <= 2_000
    assert list(tmp_path.iterdir()) == []
