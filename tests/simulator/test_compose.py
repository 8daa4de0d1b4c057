"""What the simulated model says."""

from typing import Any

import pytest

from aimesh.simulator.answers import PLAIN, Shape
from aimesh.simulator.compose import ToolSpec, Wish, compose, count_tokens, example

TOOLS = (ToolSpec("one", {"type": "object"}), ToolSpec("two", {"type": "object"}))


def names(wish: Wish) -> list[str]:
    return [call.name for call in compose(wish, PLAIN).calls]


def test_same_wish_same_words() -> None:
    wish = Wish("hello", is_thinking=True)
    assert compose(wish, PLAIN) == compose(wish, PLAIN)
    assert compose(wish, PLAIN).text.startswith("[simulated]")
    assert compose(wish, PLAIN).thought.startswith("[simulated]")


def test_pieces_are_short_and_lose_nothing() -> None:
    made = compose(Wish("数据流在城市夜景中汇聚成智能中枢。 and\n\nsome  English"), PLAIN)
    assert made.text.endswith("数据流在城市夜景中汇聚成智能中枢。 and\n\nsome  English")
    assert all(len(piece.strip()) <= 10 for piece in made.pieces)


def test_when_tools_are_called() -> None:
    assert names(Wish("hello", TOOLS)) == []
    assert names(Wish("use tool", TOOLS)) == ["one"]
    assert names(Wish("Use Tools", TOOLS)) == ["one", "two"]
    assert names(Wish("use tools", TOOLS, is_parallel=False)) == ["one"]
    assert names(Wish("use tools", TOOLS[:1])) == ["one", "one"]
    assert names(Wish("use tools", TOOLS, tool_choice="none")) == []
    assert names(Wish("x", TOOLS, tool_choice="required")) == ["one"]
    assert names(Wish("x", TOOLS, tool_choice="=two")) == ["two"]
    assert names(Wish("use tool", TOOLS, answers_tool=True)) == []
    assert names(Wish("use tool")) == []


@pytest.mark.parametrize(
    ("limit", "counts", "reasoning", "pieces", "finish"),
    [
        (5, False, True, 5, "length"),
        (3, True, True, 0, "length"),
        (999, True, True, None, "stop"),
        (0, False, False, 0, "length"),
    ],
)
def test_limits(limit: int, counts: bool, reasoning: bool, pieces: int | None, finish: str) -> None:
    made = compose(Wish("hello", limit=limit, limit_counts_reasoning=counts, is_thinking=reasoning), PLAIN)
    assert made.finish == finish
    assert pieces is None or len(made.pieces) == pieces
    assert bool(made.reasoning) is reasoning
    assert not counts or len(made.reasoning) + len(made.pieces) <= limit


def test_the_first_stop_wins() -> None:
    made = compose(Wish("alpha beta gamma", stops=["gamma", "beta", ""]), PLAIN)
    assert (made.finish, made.stop_sequence, made.text.endswith("alpha ")) == ("stop_sequence", "beta", True)


def test_shapes() -> None:
    made = compose(Wish("x"), Shape(chunks=3, chunk_bytes=20))
    assert [len(piece) for piece in made.pieces] == [20, 20, 20]
    assert made.pieces[1:] == [made.pieces[1], made.pieces[2]]
    with pytest.raises(IndexError):
        made.pieces[3]
    assert len(compose(Wish("x"), Shape(chunks=4)).pieces) == 4


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"const": 4}, 4),
        ({"enum": ["a", "b"]}, "a"),
        ({"type": "string"}, "simulated"),
        ({"type": "integer", "minimum": 7}, 7),
        ({"type": "number"}, 1.5),
        ({"type": "boolean"}, True),
        ({"type": ["null", "string"]}, None),
        ({"type": "array", "items": {"type": "boolean"}}, [True]),
        ({"type": "array"}, []),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, 1),
        ({"properties": {"a": {"$ref": "#/$defs/x"}}, "$defs": {"x": {"const": 1}}}, {"a": 1}),
        ({"properties": {"a": {"$ref": "#/nowhere"}}}, {"a": {}}),
        ({}, {}),
    ],
)
def test_examples_fit_their_schema(schema: dict[str, Any], value: object) -> None:
    assert example(schema) == value


def test_a_schema_that_holds_itself_ends() -> None:
    schema: dict[str, Any] = {"properties": {"next": {"$ref": "#"}}}
    assert isinstance(example(schema), dict)


def test_count_tokens() -> None:
    assert [count_tokens(text) for text in ("", "a", "abcd", "abcde", "数")] == [0, 1, 1, 2, 1]
