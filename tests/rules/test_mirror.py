"""Tests mirror the source: a test file's name says which file it tests."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "aimesh"
TESTS = ROOT / "tests"
FREE = {"rules", "console", "conformance", "chaos", "support", "wire", "bench"}
"""Folders that test across files: whole rules, live gateways, golden cases."""

MIRRORED = sorted(path for path in TESTS.rglob("test_*.py") if path.relative_to(TESTS).parts[0] not in FREE)


@pytest.mark.parametrize("path", MIRRORED, ids=lambda path: str(path.relative_to(TESTS)))
def test_every_test_file_has_its_source(path: Path) -> None:
    relative = path.relative_to(TESTS)
    name = relative.name.removeprefix("test_")
    stem = name.removesuffix(".py")
    folder = SOURCE / relative.parent
    near = [one.stem for one in folder.glob("*.py")]
    fits = stem in near or any(stem.startswith(f"{one}_") for one in near) or stem in ("hostile", "fuzz")
    assert fits, f"there is no {folder / name}"
