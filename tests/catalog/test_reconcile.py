"""Bills are read as their mapping says, and compared exactly, however their rows are ordered or split."""

import contextlib
from datetime import date
from decimal import Decimal
from fractions import Fraction
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimesh.catalog.problem import ConfigError
from aimesh.catalog.reconcile import (
    ZERO,
    BillError,
    BillMapping,
    Columns,
    Grouping,
    Item,
    Line,
    Tolerance,
    Unit,
    compare,
    read_bill,
    read_mapping,
    shown,
)

MAPPING = """
provider: example
columns: {time: 消费时间, model: 模型, item: 计费项, unit: 单位, quantity: 用量, cost: 原价, currency: 币种}
items:
  - {item: 输入, unit: 千Token, counts: input_tokens, factor: 1000}
  - {item: 输入, counts: input_tokens}
  - {item: 输出, unit: 千Token, counts: output_tokens, factor: 1000}
models: {one-2026: vendor/one}
only: {产品: [模型服务]}
"""
BILL = """\
产品,消费时间,模型,计费项,单位,用量,原价,币种
模型服务,2026-11-01 08:00:00,one-2026,输入,千Token,"1,234.5",0.0123,CNY
模型服务,2026-11-01,one-2026,输入,Token,500,0.000005,
云盘,2026-11-01,,存储,GB,9,99,CNY

模型服务,2026/11/02,two,输出,千Token,-,0,CNY
模型服务,2026-11-02,two,输出,千Token,-0.5,-1.5,USD
模型服务,2026-11-03,two,搜索,次,3,0.3,CNY
"""


def mapping(**changes: object) -> BillMapping:
    return msgspec.structs.replace(read_mapping(MAPPING, "map.yaml"), **changes)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_bill_is_read_as_the_mapping_says(encoding: str, end: str) -> None:
    bill = read_bill(BILL.replace("\n", end).encode(encoding), mapping())
    day = date(2026, 11, 1)
    assert bill.lines[:4] == (
        Line(day, "vendor/one", "", "CNY", Fraction("0.0123")),
        Line(day, "vendor/one", "", "input_tokens", Fraction(1_234_500)),
        Line(day, "vendor/one", "", "CNY", Fraction("0.000005")),
        Line(day, "vendor/one", "", "input_tokens", Fraction(500)),
    )
    assert Line(date(2026, 11, 2), "two", "", "USD", Fraction("-1.5")) in bill.lines
    assert (bill.first_day, bill.last_day, bill.is_monthly) == (day, date(2026, 11, 3), False)
    assert (bill.rows, bill.left_out, bill.unmapped) == (6, 1, ("搜索 (次)",))


def test_named_encodings_are_held_to() -> None:
    with pytest.raises(BillError, match="not UTF-8"):
        read_bill(BILL.encode("gbk"), mapping(encoding="utf-8"))
    assert read_bill(BILL.encode("gbk"), mapping(encoding="gbk")).rows == 6
    with pytest.raises(BillError, match="not UTF-8 or GBK"):
        read_bill(b"\xff\xff\xff", mapping())


def test_rows_before_the_names_and_other_delimiters() -> None:
    text = "账单 2026-11;\n\n" + BILL.replace('"1,234.5"', "1234.5").replace(",", ";")
    assert read_bill(text.encode(), mapping(skip_rows=1, delimiter=";")).rows == 6


def test_a_model_may_be_a_part_of_its_column() -> None:
    text = BILL.replace("one-2026", "cn-beijing;one-2026;text")
    found = read_bill(text.encode(), mapping(model_pattern=r"^[^;]+;([^;]+);"))
    assert {line.model for line in found.lines} == {"vendor/one", "two"}


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ("原价", "价格", "has no column 原价; it has 产品"),
        ("99,CNY", "99,CNY\n模型服务,gestern,two,输出,千Token,1,1,CNY", "line 5: 'gestern' is no time"),
        ("0.000005", "viel", "line 3: 'viel' is no number"),
        ("0.000005", "NaN", "no number"),
        ("0.000005", "1e999999", "no number"),
        ("2026/11/02", "2026-11", "is a month"),
        ("模型服务", "其他", "no row to compare; 6 are not wanted"),
    ],
)
def test_what_cannot_be_read_ends_it(before: str, after: str, why: str) -> None:
    assert before in BILL
    with pytest.raises(BillError, match=why):
        read_bill(BILL.replace(before, after).encode(), mapping())


def test_an_empty_file_is_no_bill() -> None:
    with pytest.raises(BillError, match="empty"):
        read_bill(b"\n\n", mapping())


def test_a_bill_of_months_is_compared_by_months() -> None:
    by_month = mapping(by=(Grouping.MONTH, Grouping.MODEL))
    bill = read_bill(BILL.replace("2026/11/02", "2026-11").encode(), by_month)
    assert bill.is_monthly
    ours = [Line(date(2026, 11, 30), "vendor/one", "", "input_tokens", Fraction(1_235_000))]
    compared = {(one.day, one.model, one.what): one for one in compare(bill.lines, ours, by_month)}
    assert not compared["2026-11", "vendor/one", "input_tokens"].is_different
    assert {day for day, _, _ in compared} == {"2026-11"}


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ("columns: {time: t}", "nothing to compare"),
        ("columns: {time: t, cost: c}\nby: [model]", "name its column"),
        ("columns: {time: t, cost: c}\nby: [kind]", "name its column"),
        (
            "columns: {time: t, cost: c}\nby: [day]\nitems: [{counts: images}]",
            "'quantity', which is not named",
        ),
        ("columns: {time: t, cost: c}\nby: [day]\ndelimiter: '::'", "one character"),
        ("columns: {time: t, cost: c}\nby: [day]\nskip_rows: -1", "no less than 0"),
        ("columns: {time: t, cost: c}\nby: [day]\nmodel_pattern: '('", "no regular expression"),
        ("columns: {time: t, cost: c}\nby: [day]\nmodel_pattern: 'x'", "group in brackets"),
        ("columns: {time: t, cost: c}\nby: [hour]", "not possible here"),
        ("columns: {time: t, price: c}", "unknown key"),
        ("columns: [", "map.yaml"),
    ],
)
def test_a_mapping_that_contradicts_itself_is_refused(changed: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        read_mapping(f"provider: p\n{changed}\n", "map.yaml")


def test_only_what_the_bill_tells_apart_is_compared() -> None:
    day = date(2026, 11, 1)
    plain = BillMapping(
        provider="p",
        columns=Columns(time="t", model="m", quantity="q"),
        items=(Item(counts=Unit.IMAGES),),
    )
    bill = [Line(day, "a", "", "images", Fraction(3))]
    ours = [
        Line(day, "a", "image", "images", Fraction(2)),
        Line(day, "a", "image", "input_tokens", Fraction(99)),
        Line(day, "a", "image", "CNY", Fraction(1)),
        Line(day, "b", "image", "images", Fraction(4)),
    ]
    found = [(one.model, one.what, one.difference, one.is_different) for one in compare(bill, ours, plain)]
    assert found == [("a", "images", Fraction(1), True), ("b", "images", Fraction(-4), True)]


@pytest.mark.parametrize(
    ("what", "bill", "ours", "is_different"),
    [
        ("images", "100", "99", False),
        ("images", "100", "98.9", True),
        ("images", "1", "0.5", False),
        ("images", "1", "0.4", True),
        ("CNY", "10", "9.98", False),
        ("CNY", "10", "9.9799", True),
    ],
)
def test_the_larger_of_the_tolerances_counts(what: str, bill: str, ours: str, is_different: bool) -> None:
    allowing = BillMapping(
        provider="p",
        columns=Columns(time="t", quantity="q", cost="c"),
        items=(Item(counts=Unit.IMAGES),),
        by=(),
        tolerance=Tolerance(units=Decimal("0.5"), units_share=Decimal("0.01"), cost=Decimal("0.02")),
    )
    there, here = (Line(date(2026, 11, 1), "", "", what, Fraction(amount)) for amount in (bill, ours))
    (one,) = compare([there], [here], allowing)
    assert one.is_different is is_different


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0", "0"),
        ("-0.5", "-0.5"),
        ("1234567890123", "1234567890123"),
        ("0.000000001", "0.000000001"),
        ("1/3", "0.333333333333"),
        ("-1/10000000000000", "0"),
        ("12.50", "12.5"),
    ],
)
def test_amounts_are_shown_as_decimals(amount: str, text: str) -> None:
    assert shown(Fraction(amount)) == text


AMOUNTS = st.decimals(min_value=-(10**6), max_value=10**9, places=6, allow_nan=False).map(Fraction)
LINES = st.lists(
    st.builds(
        Line,
        day=st.dates(date(2026, 10, 30), date(2026, 11, 3)),
        model=st.sampled_from(["a", "b"]),
        kind=st.sampled_from(["chat", "image"]),
        what=st.sampled_from(["images", "input_tokens", "CNY", "USD"]),
        amount=AMOUNTS,
    ),
    max_size=12,
)
GROUPINGS = st.lists(st.sampled_from(Grouping), unique=True).map(tuple)
EXACT = Tolerance(cost=Decimal(0))


def exact(by: tuple[Grouping, ...]) -> BillMapping:
    return BillMapping(
        provider="p",
        columns=Columns(time="t", model="m", kind="k", quantity="q", cost="c"),
        items=(Item(counts=Unit.IMAGES), Item(counts=Unit.INPUT_TOKENS)),
        by=by,
        tolerance=EXACT,
    )


@given(LINES, GROUPINGS, st.randoms(use_true_random=False))
def test_a_bill_that_says_the_same_in_other_rows_does_not_differ(
    lines: list[Line], by: tuple[Grouping, ...], dice: Random
) -> None:
    parts = [
        part
        for line in lines
        for share in (Fraction(1, 3), Fraction(2, 3))
        for part in (msgspec.structs.replace(line, amount=line.amount * share),)
    ]
    dice.shuffle(parts)
    assert not any(one.is_different or one.difference for one in compare(parts, lines, exact(by)))


@given(LINES, LINES, GROUPINGS)
def test_differences_add_up_to_the_difference_of_the_sums(
    bill: list[Line], ours: list[Line], by: tuple[Grouping, ...]
) -> None:
    compared = compare(bill, ours, exact(by))
    for what in ("images", "input_tokens", "CNY", "USD"):
        total = sum((line.amount for line in bill if line.what == what), ZERO)
        total -= sum((line.amount for line in ours if line.what == what), ZERO)
        assert sum(one.difference for one in compared if one.what == what) == total
    assert all(one.is_different is (one.difference != 0) for one in compared)
    keys = [(one.day, one.model, one.kind, one.what) for one in compared]
    assert keys == sorted(set(keys))


@given(LINES, LINES, GROUPINGS)
def test_either_side_may_be_the_bill(bill: list[Line], ours: list[Line], by: tuple[Grouping, ...]) -> None:
    there = {
        (one.day, one.model, one.kind, one.what): one.difference for one in compare(bill, ours, exact(by))
    }
    back = {
        (one.day, one.model, one.kind, one.what): -one.difference for one in compare(ours, bill, exact(by))
    }
    assert there == back


@given(st.lists(st.tuples(st.dates(date(2026, 1, 1), date(2026, 12, 31)), AMOUNTS), min_size=1, max_size=9))
def test_what_is_written_into_a_bill_is_read_from_it(rows: list[tuple[date, Fraction]]) -> None:
    plain = BillMapping(provider="p", columns=Columns(time="t", cost="c"), by=(Grouping.DAY,))
    text = "t,c\n" + "".join(f'{day},"{shown(amount)}"\n' for day, amount in rows)
    bill = read_bill(text.encode(), plain)
    assert bill.lines == tuple(Line(day, "", "", "CNY", amount) for day, amount in rows)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_bill_or_refused(data: bytes) -> None:
    plain = BillMapping(provider="p", columns=Columns(time="t", cost="c"), by=(Grouping.DAY,))
    # Anything else that is raised fails the test.
    with contextlib.suppress(BillError):
        bill = read_bill(b"t,c\n" + data, plain)
        assert bill.first_day <= bill.last_day
