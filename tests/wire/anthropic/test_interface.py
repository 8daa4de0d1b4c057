"""Golden cases of the interface (see tests/support/wire_cases.py), and how a broken stream ends."""

import json
from pathlib import Path

import pytest
from tests.support.wire_cases import case_folders, check

from aimesh.core.errors import BrokenStream
from aimesh.wire.anthropic.interface import Messages


@pytest.mark.parametrize("folder", case_folders("anthropic"), ids=lambda folder: folder.name)
def test_a_case_gives_its_golden_files(folder: Path) -> None:
    check(folder)


def test_the_event_that_ends_a_broken_stream() -> None:
    event = Messages().encode_stream_fault(BrokenStream("cut"), "req-1")
    assert event.startswith(b"event: error\ndata: ")
    assert event.endswith(b"\n\n")
    assert (
        json.loads(event.removeprefix(b"event: error\ndata: "))["error"]["code"] == "UPSTREAM_BROKEN_STREAM"
    )
