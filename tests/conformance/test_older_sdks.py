"""The same calls again, through older releases of the SDKs that are still in wide use."""

import pytest
from tests.support.live import Live
from tests.support.live_older import run_again

pytestmark = pytest.mark.conformance


OPENAI = ["test_openai_chat.py", "test_openai_others.py", "test_openai_errors.py", "test_responses.py"]


@pytest.mark.parametrize(
    ("files", "package", "version", "without"),
    [
        # Its post() takes no raw content.
        (OPENAI, "openai", "1.109.1", "test_broken_json_from_a_caller"),
        (["test_anthropic.py"], "anthropic", "0.75.0", ""),
        (["test_dashscope_module.py"], "dashscope", "1.25.24", ""),
    ],
    ids=["openai", "anthropic", "dashscope"],
)
def test_older(live: Live, files: list[str], package: str, version: str, without: str) -> None:
    seen, last = run_again(live, files, version_of=package, without=without)
    assert seen == version
    assert " passed" in last
    assert "skipped" not in last
