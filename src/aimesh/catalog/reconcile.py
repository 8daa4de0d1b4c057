"""A provider's bill against our own records: what the bill says, what we counted, and where they differ.

1. A bill is a CSV file whose columns, words and units a mapping names. Nothing about a provider is known here.
2. Sums are exact: decimals become fractions, and the order of rows, or how one is split into several, changes nothing.
3. Only what the bill tells apart is compared: the units that the mapping names, and money where it names a column.
   What one side has and the other has not is a difference from zero, never left out.
4. A row that cannot be read ends it: a bill that is half understood is worse than none.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from fractions import Fraction
from typing import Literal

from msgspec import Struct

from aimesh.catalog.decode import decode
from aimesh.catalog.document import read_document
from aimesh.catalog.problem import ConfigError
from aimesh.core.money import Currency

ZERO = Fraction(0)
_MOST_DIGITS = 40
"""Of a number in a bill; keeps a hostile exponent from growing an integer without end."""
_EMPTY = ("", "-", "--")


class Unit(StrEnum):
    REQUESTS = "requests"
    TOKENS = "tokens"
    """Input and output together."""
    INPUT_TOKENS = "input_tokens"
    """The whole prompt, cached or not."""
    FRESH_INPUT_TOKENS = "fresh_input_tokens"
    """What was neither read from a cache nor written to one."""
    CACHED_TOKENS = "cached_tokens"
    CACHE_WRITE_TOKENS = "cache_write_tokens"
    OUTPUT_TOKENS = "output_tokens"
    IMAGES = "images"
    VIDEO_SECONDS = "video_seconds"
    ASSETS = "assets"


class Grouping(StrEnum):
    DAY = "day"
    MONTH = "month"
    MODEL = "model"
    KIND = "kind"


class Columns(Struct, frozen=True, forbid_unknown_fields=True):
    """Names in the first row. Empty: the bill has no such column."""

    time: str
    model: str = ""
    kind: str = ""
    item: str = ""
    """What is charged: input, output, seconds."""
    unit: str = ""
    quantity: str = ""
    cost: str = ""
    currency: str = ""


class Item(Struct, frozen=True, forbid_unknown_fields=True):
    """A row with this item and this unit counts so many of ours. Empty: whichever it is."""

    counts: Unit
    item: str = ""
    unit: str = ""
    factor: Decimal = Decimal(1)
    """1000 where the bill counts thousands of tokens."""


class Tolerance(Struct, frozen=True, forbid_unknown_fields=True):
    """A difference up to the larger of the two is none: an amount, and a share of the larger side."""

    units: Decimal = Decimal(0)
    units_share: Decimal = Decimal(0)
    cost: Decimal = Decimal("0.01")
    cost_share: Decimal = Decimal(0)


class BillMapping(Struct, frozen=True, forbid_unknown_fields=True):
    provider: str
    """Only records of this one are compared."""
    columns: Columns
    items: tuple[Item, ...] = ()
    by: tuple[Grouping, ...] = (Grouping.DAY, Grouping.MODEL)
    encoding: Literal["auto", "utf-8", "gbk"] = "auto"
    zone: str = "Asia/Shanghai"
    """Whose days the bill has."""
    time_formats: tuple[str, ...] = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d", "%Y/%m/%d", "%Y-%m")
    skip_rows: int = 0
    """Before the one with the names."""
    delimiter: str = ","
    only: dict[str, tuple[str, ...]] = {}
    """Rows that have one of the values in each of these columns."""
    model_pattern: str = ""
    """Takes the model out of its column: the first group of this regular expression."""
    models: dict[str, str] = {}
    """The bill's names to ours. A name that is not here is taken as it is."""
    kinds: dict[str, str] = {}
    currency: Currency = Currency.CNY
    """Where no column says it."""
    money: Literal["list", "cost"] = "list"
    """Ours: before what tenants were given as discounts, or after."""
    tolerance: Tolerance = Tolerance()


class Line(Struct, frozen=True):
    """Of either side: so much of something on a day."""

    day: date
    model: str
    kind: str
    what: str
    """A ``Unit``, or a currency."""
    amount: Fraction


class Bill(Struct, frozen=True):
    lines: tuple[Line, ...]
    first_day: date
    last_day: date
    """Of a bill of months: the first of its last month."""
    is_monthly: bool
    rows: int
    left_out: int
    """Rows that ``only`` does not want."""
    unmapped: tuple[str, ...]
    """Items whose quantity counts nothing of ours."""


class Compared(Struct, frozen=True):
    """One group. A part that is not grouped by is empty."""

    day: str
    model: str
    kind: str
    what: str
    bill: Fraction
    ours: Fraction
    is_different: bool

    @property
    def difference(self) -> Fraction:
        """Positive: the bill says more."""
        return self.bill - self.ours


class BillError(Exception):
    """The bill cannot be read with this mapping; the message is for people."""


def read_mapping(text: str, file: str) -> BillMapping:
    """Raises ``ConfigError`` with everything that is wrong."""
    document, problems = read_document(text, file)
    if problems:
        raise ConfigError(problems)
    mapping, problems = decode(document, BillMapping)
    if mapping is None:
        raise ConfigError(problems)
    wrong = list(_contradictions(mapping))
    if wrong:
        raise ConfigError([document.problem(path, message) for path, message in wrong])
    return mapping


def _contradictions(mapping: BillMapping) -> Iterable[tuple[tuple[str, ...], str]]:
    columns = mapping.columns
    if not columns.cost and not (mapping.items and columns.quantity):
        yield ("columns",), "there is nothing to compare: name 'cost', or 'quantity' and what 'items' count"
    if mapping.items and not columns.quantity:
        yield ("items",), "they count the column 'quantity', which is not named"
    for grouping, column in ((Grouping.MODEL, columns.model), (Grouping.KIND, columns.kind)):
        if grouping in mapping.by and not column:
            yield ("by",), f"to group by {grouping.value}, name its column"
    if len(mapping.delimiter) != 1:
        yield ("delimiter",), "expected one character"
    if mapping.skip_rows < 0:
        yield ("skip_rows",), "expected no less than 0"
    try:
        pattern = re.compile(mapping.model_pattern)
    except re.error as error:
        yield ("model_pattern",), f"this is no regular expression: {error}"
    else:
        if mapping.model_pattern and not pattern.groups:
            yield ("model_pattern",), "it needs a group in brackets: that is the model"


def decoded(data: bytes, encoding: Literal["auto", "utf-8", "gbk"]) -> str:
    """Raises ``BillError``."""
    # GB18030 contains GBK, and both contain what exports call GB2312.
    names = {"auto": ("utf-8-sig", "gb18030"), "utf-8": ("utf-8-sig",), "gbk": ("gb18030",)}[encoding]
    for name in names:
        try:
            return data.decode(name)
        except UnicodeDecodeError:
            continue
    raise BillError(f"the bill is not {'UTF-8 or GBK' if encoding == 'auto' else encoding.upper()}")


def read_bill(data: bytes, mapping: BillMapping) -> Bill:
    """Raises ``BillError``."""
    text = decoded(data, mapping.encoding)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=mapping.delimiter)
    reader = _Reader(mapping)
    try:
        for number, row in enumerate(rows):
            cells = [cell.strip() for cell in row]
            if number < mapping.skip_rows or not any(cells):
                continue
            reader.take(cells, rows.line_num)
    except csv.Error as error:
        raise BillError(f"line {rows.line_num}: this is no CSV: {error}") from error
    return reader.bill()


class _Reader:
    def __init__(self, mapping: BillMapping) -> None:
        self._mapping = mapping
        self._pattern = re.compile(mapping.model_pattern) if mapping.model_pattern else None
        self._places: dict[str, int] | None = None
        self._lines: list[Line] = []
        self._days: set[date] = set()
        self._is_monthly = False
        self._unmapped: set[str] = set()
        self._rows = 0
        self._left_out = 0

    def take(self, cells: Sequence[str], number: int) -> None:
        if self._places is None:
            self._places = self._found_columns(cells)
            return
        self._rows += 1
        row = {name: cells[place] if place < len(cells) else "" for name, place in self._places.items()}
        if any(row[name] not in values for name, values in self._mapping.only.items()):
            self._left_out += 1
            return
        try:
            self._lines += self._read(row)
        except ValueError as error:
            raise BillError(f"line {number}: {error}") from None

    def bill(self) -> Bill:
        if self._places is None:
            raise BillError("the bill is empty")
        if not self._days:
            raise BillError(f"the bill has no row to compare; {self._left_out} are not wanted by 'only'")
        return Bill(
            lines=tuple(self._lines),
            first_day=min(self._days),
            last_day=max(self._days),
            is_monthly=self._is_monthly,
            rows=self._rows,
            left_out=self._left_out,
            unmapped=tuple(sorted(self._unmapped)),
        )

    def _found_columns(self, names: Sequence[str]) -> dict[str, int]:
        columns = self._mapping.columns
        named = [getattr(columns, field) for field in columns.__struct_fields__]
        wanted = [name for name in (*named, *self._mapping.only) if name]
        missing = sorted({name for name in wanted if name not in names})
        if missing:
            raise BillError(f"the bill has no column {', '.join(missing)}; it has {', '.join(names)}")
        return {name: names.index(name) for name in wanted}

    def _read(self, row: dict[str, str]) -> Iterable[Line]:
        mapping, columns = self._mapping, self._mapping.columns
        day = self._day(row[columns.time])
        self._days.add(day)
        model = self._model(row[columns.model]) if columns.model else ""
        kind = row[columns.kind] if columns.kind else ""
        kind = mapping.kinds.get(kind, kind)
        if columns.cost:
            said = row[columns.currency] if columns.currency else ""
            currency = said or mapping.currency.value
            yield Line(day, model, kind, currency, _number(row[columns.cost]))
        if columns.quantity:
            text, unit = row.get(columns.item, ""), row.get(columns.unit, "")
            amount = _number(row[columns.quantity])
            found = next(
                (one for one in mapping.items if one.item in ("", text) and one.unit in ("", unit)), None
            )
            if found is not None:
                yield Line(day, model, kind, found.counts.value, amount * Fraction(found.factor))
            elif mapping.items and amount:
                self._unmapped.add(f"{text} ({unit})" if unit else text)

    def _day(self, text: str) -> date:
        for given in self._mapping.time_formats:
            try:
                # A day of the bill's own zone, whatever it is.
                day = datetime.strptime(text, given).date()  # noqa: DTZ007
            except ValueError:
                continue
            if "%d" not in given:
                if Grouping.DAY in self._mapping.by:
                    raise ValueError(f"{text!r} is a month; group by month instead of day")
                self._is_monthly = True
            return day
        raise ValueError(f"{text[:40]!r} is no time in any of the formats {list(self._mapping.time_formats)}")

    def _model(self, text: str) -> str:
        if self._pattern is not None:
            found = self._pattern.search(text)
            text = (found[1] or "") if found is not None else text
        return self._mapping.models.get(text, text)


def _number(text: str) -> Fraction:
    """Raises ``ValueError``."""
    if text in _EMPTY:
        return ZERO
    plain = text.replace(",", "")
    try:
        value = Decimal(plain)
    except InvalidOperation:
        raise ValueError(f"{text[:40]!r} is no number") from None
    if not value.is_finite() or abs(value.adjusted()) > _MOST_DIGITS:
        raise ValueError(f"{text[:40]!r} is no number")
    return Fraction(value)


def compare(bill: Iterable[Line], ours: Iterable[Line], mapping: BillMapping) -> list[Compared]:
    """Every group, sorted."""
    wanted = {item.counts.value for item in mapping.items}
    if mapping.columns.cost:
        wanted |= {currency.value for currency in Currency}
    sums: dict[tuple[str, str, str, str], list[Fraction]] = {}
    for side, lines in enumerate((bill, ours)):
        for line in lines:
            # A currency that we do not know is the bill's, and a difference.
            if side == 1 and line.what not in wanted:
                continue
            sums.setdefault(_group(line, mapping.by), [ZERO, ZERO])[side] += line.amount
    return [
        Compared(*group, said, counted, is_different=_differs(group[3], said, counted, mapping.tolerance))
        for group, (said, counted) in sorted(sums.items())
        if said or counted
    ]


def _group(line: Line, by: Sequence[Grouping]) -> tuple[str, str, str, str]:
    day = ""
    if Grouping.DAY in by:
        day = line.day.isoformat()
    elif Grouping.MONTH in by:
        day = f"{line.day:%Y-%m}"
    return (
        day,
        line.model if Grouping.MODEL in by else "",
        line.kind if Grouping.KIND in by else "",
        line.what,
    )


_UNITS = frozenset(unit.value for unit in Unit)


def _differs(what: str, bill: Fraction, ours: Fraction, tolerance: Tolerance) -> bool:
    if what in _UNITS:
        amount, share = tolerance.units, tolerance.units_share
    else:
        amount, share = tolerance.cost, tolerance.cost_share
    allowed = max(Fraction(amount), Fraction(share) * max(abs(bill), abs(ours)))
    return abs(bill - ours) > allowed


def shown(amount: Fraction) -> str:
    """As a decimal: of twelve places at most, should it have more."""
    scaled = amount * 10**12
    text = str(abs(round(scaled))).rjust(13, "0")
    whole, rest = text[:-12], text[-12:].rstrip("0")
    sign = "-" if scaled < 0 and int(text) else ""
    return f"{sign}{whole}.{rest}" if rest else f"{sign}{whole}"
