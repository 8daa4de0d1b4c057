import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimesh.catalog.document import (
    EMPTY,
    Document,
    Mapping,
    Scalar,
    Sequence,
    expand,
    interpolated,
    read_document,
)
from aimesh.catalog.problem import Problem


def _read(text: str) -> Document:
    document, problems = read_document(text, "f.yaml")
    assert problems == []
    return document


def _wrong(text: str) -> list[tuple[int, int, str]]:
    return [(each.line, each.column, each.message) for each in read_document(text, "f.yaml")[1]]


def test_nodes_know_their_place_and_keep_their_text() -> None:
    root = _read("a: off\nb:\n  - 3.20\n  - 'x'\n").root
    assert isinstance(root, Mapping)
    key, value = root.entries["a"]
    assert (key.line, key.column) == (1, 1)
    assert isinstance(value, Scalar)
    assert (value.text, value.line, value.column) == ("off", 1, 4)
    _, items = root.entries["b"]
    assert isinstance(items, Sequence)
    assert [item.text for item in items.items if isinstance(item, Scalar)] == ["3.20", "x"]
    assert [item.is_plain for item in items.items if isinstance(item, Scalar)] == [True, False]


def test_an_empty_text_is_an_empty_mapping() -> None:
    for text in ("", "# nothing\n", "---\n"):
        document, problems = read_document(text, "f.yaml")
        assert problems == []
        assert document.root == EMPTY


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, 1, "'a' is set twice"),
        ("a:\n  - [1, 2\n", 3, 1, "not YAML"),
        ("a: b: c\n", 1, 5, "not YAML"),
        ("a:\n\tb: 1\n", 2, 1, "not YAML"),
        ("a: *nobody\n", 1, 4, "an alias of nothing"),
        ("a: &x [*x]\n", 1, 8, "an alias contains itself"),
        ("? [a, b]\n: 1\n", 1, 3, "a key is a plain word"),
        ("a: \x07\n", 1, 1, "a forbidden character"),
        ("a: 1\n---\nb: 2\n", 2, 1, "a second document"),
    ],
)
def test_what_is_wrong_is_found_at_its_place(text: str, line: int, column: int, words: str) -> None:
    found = _wrong(text)
    assert len(found) == 1
    assert found[0][:2] == (line, column)
    assert words in found[0][2]


def test_a_syntax_problem_repeats_nothing_of_the_file() -> None:
    for text in (
        "key: *sk-very-secret\n",
        "key: 'sk-very-secret\n",
        "a: !sk-very-secret x: y\n",
        "sk-very-secret: : b\n",
    ):
        _, problems = read_document(text, "f.yaml")
        assert all("very" not in str(each) for each in problems)


def test_deep_nesting_is_a_problem_not_a_crash() -> None:
    for text in (
        "[" * 100_000,
        "- " * 100_000,
        "{a: " * 100_000,
        "".join(f"{' ' * n}a:\n" for n in range(200)),
    ):
        assert [message for _, _, message in _wrong(text)] == ["nested too deeply"]


def test_an_alias_repeats_its_node() -> None:
    root = _read("a: &x {b: 1}\nc: *x\n").root
    assert isinstance(root, Mapping)
    assert root.entries["a"][1] == root.entries["c"][1]
    scalars = _read("a: &x 5\nb: *x\n").root
    assert isinstance(scalars, Mapping)
    assert scalars.entries["b"][1] == scalars.entries["a"][1]


def test_a_problem_points_at_the_nearest_that_exists() -> None:
    document = _read("a:\n  b: [1, {c: 2}]\n")
    assert document.problem(("a", "b", 1, "c"), "m") == Problem("f.yaml", 2, 14, "m")
    assert document.problem(("a", "b", 1, "c"), "m", at_key=True) == Problem("f.yaml", 2, 11, "m")
    assert document.problem(("a", "b", 7, "z"), "m") == Problem("f.yaml", 2, 6, "m")
    assert document.problem(("z",), "m") == Problem("f.yaml", 1, 1, "m")


_ENVIRON = {"SET": "value", "EMPTY": "", "A_1": "one"}


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("plain", "plain"),
        ("${SET}", "value"),
        ("x${SET}y${A_1}z", "xvalueyonez"),
        ("${EMPTY}", ""),
        ("${EMPTY:-other}", "other"),
        ("${UNSET:-other}", "other"),
        ("${UNSET:-}", ""),
        ("${SET:-other}", "value"),
        ("${UNSET:-a:-b}", "a:-b"),
        ("$${SET}", "${SET}"),
        ("$SET costs 5$", "$SET costs 5$"),
    ],
)
def test_expansion(text: str, result: str) -> None:
    assert expand(text, _ENVIRON.get) == (result, [])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("${UNSET}", "'UNSET' is not set"),
        ("${}", "is read by"),
        ("${A B}", "is read by"),
        ("a${SET", "without '}'"),
    ],
)
def test_expansion_that_cannot_be(text: str, words: str) -> None:
    _, wrong = expand(text, _ENVIRON.get)
    assert [words in message for message, _ in wrong] == [True]


@given(st.text(alphabet="ab${}:-_AX \n", max_size=40))
def test_expansion_takes_any_text(text: str) -> None:
    result, _ = expand(text, _ENVIRON.get)
    if "$" not in text:
        assert result == text


@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=30))
def test_a_value_is_inserted_as_it_is(before: str, value: str, after: str) -> None:
    before, after = before.replace("$", ""), after.replace("$", "")
    assert expand(f"{before}${{V}}{after}", {"V": value}.get)[0] == before + value + after


def test_interpolation_marks_what_came_from_the_environment() -> None:
    document, problems = interpolated(_read("a: ${SET}\nb: 5$\n"), _ENVIRON.get)
    assert problems == []
    assert isinstance(document.root, Mapping)
    first, second = (document.root.entries[name][1] for name in "ab")
    assert isinstance(first, Scalar)
    assert isinstance(second, Scalar)
    assert (first.text, first.is_from_environment) == ("value", True)
    assert (second.text, second.is_from_environment) == ("5$", False)


def test_interpolation_says_where_a_variable_is_missing() -> None:
    _, problems = interpolated(_read("a:\n  - x\n  - ${UNSET}\n"), _ENVIRON.get)
    assert [(each.line, each.column) for each in problems] == [(3, 5)]
    assert "${UNSET:-}" in problems[0].suggestion
