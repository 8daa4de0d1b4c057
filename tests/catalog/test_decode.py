from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

import pytest
from msgspec import Meta, Struct

from aimesh.catalog.decode import decode
from aimesh.catalog.document import interpolated, read_document
from aimesh.core.secret import Secret


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


class Inner(Struct, frozen=True):
    size: Annotated[int, Meta(ge=1, le=9)] = 1
    word: Annotated[str, Meta(pattern="^[a-z]+$")] = "x"


class Outer(Struct, frozen=True, rename={"upstream": "as"}):
    name: str
    upstream: str | None = None
    flag: bool = False
    ratio: Annotated[float, Meta(gt=0)] = 1.0
    price: Decimal | None = None
    colour: Colour = Colour.RED
    mode: Literal["off", "on"] = "off"
    secret: Secret[str] | None = None
    inner: Inner = Inner()
    many: tuple[Inner, ...] = ()
    table: dict[Literal["one", "two"], int] = {}
    label: Annotated[str, Meta(min_length=1)] = "x"
    place: Literal["x", "y"] | None = None
    mixed: int | dict[str, int] = 0
    either: str | tuple[str, ...] = ""


def _decode(text: str, environ: dict[str, str] | None = None) -> Outer | list[str]:
    document, problems = read_document(text, "f")
    assert problems == []
    document, problems = interpolated(document, (environ or {}).get)
    assert problems == []
    value, problems = decode(document, Outer)
    assert (value is None) == bool(problems)
    return [str(each) for each in problems] if value is None else value


def test_the_type_of_the_field_decides() -> None:
    value = _decode(
        "name: 123\nas: off\nflag: yes\nratio: 2\nprice: 3.20\ncolour: green\nmode: on\nsecret: abc\n"
        "inner: {size: 3, word: ab}\nmany: [{size: 2}]\ntable: {one: 1}\neither: [a]\n"
    )
    assert value == Outer(
        name="123",
        upstream="off",
        flag=True,
        ratio=2.0,
        price=Decimal("3.20"),
        colour=Colour.GREEN,
        mode="on",
        secret=Secret("abc"),
        inner=Inner(size=3, word="ab"),
        many=(Inner(size=2),),
        table={"one": 1},
        either=("a",),
    )


def test_empty_collections_and_sections_are_their_defaults() -> None:
    assert _decode("name: a\ninner:\nmany:\ntable:\nas: ~\n") == Outer(name="a")


def test_numbers_may_come_from_the_environment() -> None:
    value = _decode("name: a\ninner: {size: '${N}'}\n", {"N": "7"})
    assert isinstance(value, Outer)
    assert value.inner.size == 7


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("as: x\n", "f:1:1: the key 'name' is missing"),
        ("name: a\nnmae: b\n", "f:2:1: unknown key 'nmae' (did you mean 'name'?)"),
        ("name: a\ninner: {sise: 1}\n", "f:2:9: unknown key 'sise' (did you mean 'size'?)"),
        ("name: a\ninner: {zzz: 1}\n", "f:2:9: unknown key 'zzz' (known keys: size, word)"),
        ("name: [a]\n", "f:1:7: expected a text, found a list"),
        ("name: {a: b}\n", "f:1:7: expected a text, found a mapping"),
        ("name:\n", "f:1:6: expected a text, found nothing (leave the key out for its default)"),
        ("name: a\nflag: maybe\n", "f:2:7: expected true or false, found 'maybe'"),
        ("name: a\ninner: {size: 1.5}\n", "f:2:15: expected a whole number, found '1.5'"),
        ("name: a\ninner: {size: 0}\n", "f:2:15: 0 is too small, at least 1 is needed"),
        ("name: a\ninner: {size: 10}\n", "f:2:15: 10 is too large, at most 9 is possible"),
        ("name: a\nratio: 0\n", "f:2:8: 0.0 is too small, more than 0 is needed"),
        ("name: a\nratio: nan\n", "f:2:8: expected a number, found 'nan'"),
        ("name: a\nprice: 1,5\n", "f:2:8: expected an amount, found '1,5': not a decimal number"),
        ("name: a\ncolour: gren\n", "f:2:9: 'gren' is not possible here (did you mean 'green'?)"),
        ("name: a\nmode: auto\n", "f:2:7: 'auto' is not possible here (one of: off, on)"),
        ("name: a\ninner: 5\n", "f:2:8: expected a mapping (known keys: size, word)"),
        ("name: a\nmany: 5\n", "f:2:7: expected a list (begin each item with '- ')"),
        ("name: a\ntable: 5\n", "f:2:8: expected a mapping of names to values"),
        ("name: a\ntable: {on: 1}\n", "f:2:9: unknown name 'on' (did you mean 'one'?)"),
        ("name: a\ntable: {zzz: 1}\n", "f:2:9: unknown name 'zzz' (one of: one, two)"),
        ("name: a\ninner: {size: ٣}\n", "f:2:15: expected a whole number, found '٣'"),
        ("name: a\nlabel: ''\n", "f:2:8: expected a text, found an empty one"),
        ("name: a\nplace: [x]\n", "f:2:8: expected one word, found a list"),
        ("name: a\nmixed: [1]\n", "f:2:8: expected a whole number or a mapping"),
        ("name: a\neither: {a: b}\n", "f:2:9: expected a text or a list"),
        ("name: a\ninner: {word: A1}\n", "f:2:15: 'A1' has a character that is not allowed here"),
    ],
)
def test_a_problem_has_a_place_and_a_suggestion(text: str, expected: str) -> None:
    assert _decode(text) == [expected]


def test_a_schema_that_configuration_cannot_express_is_a_bug() -> None:
    class Odd(Struct):
        data: bytes

    document, _ = read_document("data: x\n", "f")
    with pytest.raises(TypeError, match="cannot express"):
        decode(document, Odd)


def test_every_problem_is_reported_in_one_run() -> None:
    found = _decode("nmae: a\nflag: maybe\ninner: {size: 0}\nmany: [{size: x}, {word: B}]\n")
    assert isinstance(found, list)
    assert [line.split(": ")[0] for line in found] == [
        "f:1:1",
        "f:1:1",
        "f:2:7",
        "f:3:15",
        "f:4:15",
        "f:4:26",
    ]


def test_what_came_from_the_environment_is_never_shown() -> None:
    found = _decode(
        "name: a\nflag: ${S}\nmode: ${S}\ninner: {size: '${S}', word: '${S}'}\n", {"S": "on-Secret9"}
    )
    assert isinstance(found, list)
    assert len(found) == 4
    assert not any("Secret9" in line for line in found)


def test_a_long_value_is_never_shown() -> None:
    key = "sk-0123456789abcdef0123456789"
    found = _decode(f"name: a\nflag: {key}\nmode: {key}\n{key}{key}: 1\n")
    assert isinstance(found, list)
    assert len(found) == 3
    assert not any("abcdef" in line for line in found)
