"""Sizes and names: a newcomer finds the room for a change, and reads it in one sitting."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "aimesh"
FILE_LINES = 600
FUNCTION_LINES = 100
TEST_FILE_LINES = 800
PARAMETERS = 6
BANNED_NAMES = {"utils", "helpers", "common", "base", "misc", "manager", "types"}

SOURCES = sorted(SOURCE.rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
IS_COMMAND_LINE = {path for path in SOURCES if path.parent.name == "cli"}
"""Parameters of a command are its options; they are documented one by one."""


def functions(tree: ast.AST) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_source_files_are_short(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= FILE_LINES
    assert path.stem not in BANNED_NAMES
    assert path.stem == "__main__" or text.lstrip().startswith(('"""', 'r"""')), (
        "a module begins with a docstring"
    )
    for function in functions(ast.parse(text)):
        assert function.end_lineno is not None
        assert function.end_lineno - function.lineno < FUNCTION_LINES, f"{function.name} is too long"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_functions_have_few_parameters(path: Path) -> None:
    if path in IS_COMMAND_LINE:
        return
    for function in functions(ast.parse(path.read_text())):
        given = function.args
        names = [one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
        count = len([name for name in names if name not in ("self", "cls")])
        assert count <= PARAMETERS or function.name == "__init__", f"{function.name} takes {count} parameters"


@pytest.mark.parametrize("path", TESTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_test_files_are_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= TEST_FILE_LINES
