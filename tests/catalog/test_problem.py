import pytest

from aimesh.catalog.problem import ConfigError, Problem, did_you_mean, shown_name, shown_value


def test_a_problem_reads_like_a_compiler_message() -> None:
    problem = Problem("a.yaml", 3, 7, "unknown key 'x'", "did you mean 'y'?")
    assert str(problem) == "a.yaml:3:7: unknown key 'x' (did you mean 'y'?)"
    assert str(ConfigError([problem, Problem("a.yaml", 4, 1, "b")])) == f"{problem}\na.yaml:4:1: b"


@pytest.mark.parametrize(
    ("word", "known", "hint"),
    [
        ("qwen3.7-mx", ["qwen3.7-max", "qwen3-max"], "did you mean 'qwen3.7-max'?"),
        ("Listen", ["listen"], "did you mean 'listen'?"),
        ("zzz", ["listen"], ""),
        ("x", [], ""),
    ],
)
def test_did_you_mean(word: str, known: list[str], hint: str) -> None:
    assert did_you_mean(word, known) == hint


def test_long_texts_are_not_repeated() -> None:
    assert shown_value("short") == "'short'"
    assert shown_value("k" * 40) == "a text of 40 characters"
    assert len(shown_name("n" * 60)) < 24
