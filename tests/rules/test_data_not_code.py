"""Providers are data: no provider's id stands in code, and every trait that data can set is read by some code."""

import ast
from pathlib import Path

from aimesh.catalog.load import load_built_in
from aimesh.core.traits import Traits

SOURCE = Path(__file__).parents[2] / "src" / "aimesh"


def literals(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_no_provider_id_is_a_literal_in_code() -> None:
    ids = set(load_built_in().providers)
    assert ids
    # An id that is an ordinary word ("anthropic" is also an interface) cannot be told from other uses.
    unambiguous = {name for name in ids if "_" in name}
    assert unambiguous
    found = {
        str(path.relative_to(SOURCE)): names
        for path in SOURCE.rglob("*.py")
        if (names := literals(path) & unambiguous)
    }
    assert found == {}


def test_every_trait_is_read_by_code() -> None:
    code = "\n".join(
        path.read_text()
        for path in SOURCE.rglob("*.py")
        if path.name not in ("traits.py", "schema.py") and "data" not in path.parts
    )
    unread = [name for name in Traits.__struct_fields__ if f"traits.{name}" not in code]
    assert unread == []
