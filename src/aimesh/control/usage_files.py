"""Tables as files: CSV as it comes, XLSX through a file on disk, neither ever whole in memory.

1. What others wrote cannot become a formula: a spreadsheet that opens the CSV sees text, and XLSX says of every cell
   what it is.
2. Decimals are exact: as text in CSV, in XLSX as numbers as long as a spreadsheet's numbers hold them, else as text.
3. A file that nobody waits for any more is no longer made, and leaves nothing behind.
"""

import csv
import io
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

# The package has no types.
import xlsxwriter  # type: ignore[import-untyped]
from msgspec import Struct

from aimesh.core.money import plain

Cell = str | int | float | Decimal | datetime | None
"""A time has the offset that it is to be shown with."""


class Table(Struct, frozen=True):
    name: str
    columns: Sequence[str]
    rows: Iterable[Sequence[Cell]]


Pieces = Callable[[Table], Generator[bytes, None, None]]

CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

SHEET_ROWS = 1_048_575
"""Below the names of the columns."""
_AT_ONCE = 500
_PIECE_BYTES = 64 * 1024
_MOST_TEXT = 32_767
"""Characters that a cell of a spreadsheet holds."""
_EXACT_DIGITS = 15
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_pieces(table: Table) -> Generator[bytes, None, None]:
    """With a mark at the beginning by which spreadsheets know UTF-8."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    buffer.write("\ufeff")
    writer.writerow(table.columns)
    for count, row in enumerate(table.rows, 1):
        writer.writerow([_text(one) for one in row])
        if count % _AT_ONCE == 0:
            yield _taken(buffer)
    yield _taken(buffer)


def xlsx_pieces(table: Table) -> Generator[bytes, None, None]:
    """An empty piece now and then while rows are written, for whoever wants to stop."""
    with TemporaryDirectory(prefix="aimesh-export-") as directory:
        path = Path(directory) / "export.xlsx"
        with closing(_write_xlsx(path, table)) as written:
            for _ in written:
                yield b""
        with path.open("rb") as file:
            while piece := file.read(_PIECE_BYTES):
                yield piece


def _write_xlsx(path: Path, table: Table) -> Generator[int, None, None]:
    """Gives how many rows are written."""
    options = {"constant_memory": True, "tmpdir": str(path.parent), "remove_timezone": True}
    # Left early, it still closes what it has open.
    with xlsxwriter.Workbook(path, options) as book:
        bold = book.add_format({"bold": True})
        moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        sheet, line = _new_sheet(book, table, bold), 0
        for count, row in enumerate(table.rows, 1):
            if line == SHEET_ROWS:
                sheet, line = _new_sheet(book, table, bold), 0
            line += 1
            for column, value in enumerate(row):
                _write_cell(sheet, line, column, value, moment)
            if count % _AT_ONCE == 0:
                yield count


def _new_sheet(
    book: xlsxwriter.Workbook, table: Table, bold: xlsxwriter.format.Format
) -> xlsxwriter.worksheet.Worksheet:
    number = len(book.worksheets()) + 1
    sheet = book.add_worksheet(table.name if number == 1 else f"{table.name} {number}")
    sheet.freeze_panes(1, 0)
    for column, name in enumerate(table.columns):
        sheet.set_column(column, column, max(12, len(name) + 2))
    for column, name in enumerate(table.columns):
        sheet.write_string(0, column, name, bold)
    return sheet


def _write_cell(
    sheet: xlsxwriter.worksheet.Worksheet,
    line: int,
    column: int,
    value: Cell,
    moment: xlsxwriter.format.Format,
) -> None:
    match value:
        case None:
            pass
        case str():
            sheet.write_string(line, column, value[:_MOST_TEXT])
        case datetime():
            sheet.write_datetime(line, column, value, moment)
        case _ if len(Decimal(str(value)).as_tuple().digits) > _EXACT_DIGITS:
            sheet.write_string(line, column, _text(value))
        case _:
            sheet.write_number(line, column, float(value))


def _text(value: Cell) -> str:
    match value:
        case None:
            return ""
        case str():
            return f"'{value}" if value.startswith(_FORMULA) else value
        case datetime():
            return value.isoformat()
        case Decimal():
            return plain(value)
        case _:
            return str(value)


def _taken(buffer: io.StringIO) -> bytes:
    taken = buffer.getvalue().encode()
    buffer.seek(0)
    buffer.truncate()
    return taken
