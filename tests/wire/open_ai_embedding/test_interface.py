"""Golden cases of the interface; see tests/support/wire_cases.py."""

from pathlib import Path

import pytest
from tests.support.wire_cases import case_folders, check


@pytest.mark.parametrize("folder", case_folders("open_ai_embedding"), ids=lambda folder: folder.name)
def test_a_case_gives_its_golden_files(folder: Path) -> None:
    check(folder)
