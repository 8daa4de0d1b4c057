"""Pure rooms: no coroutine, no global state, no I/O by the back door."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "aimesh"
PURE = ("core", "framing", "wire", "catalog", "routing", "limits")
FILES = sorted(path for room in PURE for path in (SOURCE / room).rglob("*.py"))
READS_FILES = {SOURCE / "catalog" / "load.py"}
"""The one file of the pure rooms that reads the package's own data."""


def impurities(source: str) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith):
            found.append(f"line {node.lineno}: async")
        elif isinstance(node, ast.Global | ast.Nonlocal):
            found.append(f"line {node.lineno}: {type(node).__name__.lower()}")
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in ("open", "print")
        ):
            found.append(f"line {node.lineno}: {node.func.id}()")
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_pure_room_waits_for_nothing_and_keeps_nothing(path: Path) -> None:
    found = impurities(path.read_text())
    if path in READS_FILES:
        found = [one for one in found if "open" not in one]
    assert found == []


def test_the_check_itself_sees_what_it_looks_for() -> None:
    assert impurities("async def f(): await g()") == ["line 1: async", "line 1: async"]
    assert impurities("def f():\n global x\n print(open('a'))") == [
        "line 2: global",
        "line 3: print()",
        "line 3: open()",
    ]
    assert impurities("def f(x): return x") == []
