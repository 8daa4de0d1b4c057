"""Counts out of usage objects, which no upstream types reliably."""

from typing import Any

Path = tuple[str, ...]


def whole(value: object) -> int:
    """A count as the upstream gave it; 0 for anything that is none (null, a text, a negative)."""
    if isinstance(value, int) and not isinstance(value, bool):
        return max(value, 0)
    if isinstance(value, float) and 0 <= value < 2**63:
        return int(value)
    return 0


def seconds(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 2**63:
        return float(value)
    return 0.0


def first(document: dict[str, Any], paths: tuple[Path, ...]) -> int:
    """The first count that is not 0 among several spellings of one unit."""
    for path in paths:
        value: Any = document
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        if found := whole(value):
            return found
    return 0
