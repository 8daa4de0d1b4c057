"""Calls for a first look, made against the live demo."""

import pytest
from tests.support.live import running_demo

from aimesh.cli.demo_samples import run, sample_calls

pytestmark = pytest.mark.conformance


def test_all_but_the_unknown_model_are_answered() -> None:
    with running_demo() as live:
        assert run(live.url, live.key) == len(sample_calls()) - 1
