"""Every style of the fault matrix works when nothing is wrong; the other tests lean on it."""

import pytest
from tests.support.chaos_calls import STYLES, Style
from tests.support.chaos_http import call
from tests.support.chaos_worker import InnerGateway

pytestmark = pytest.mark.chaos


@pytest.mark.parametrize("style", STYLES, ids=lambda s: s.name)
def test_every_style_works_without_faults(gateway: InnerGateway, style: Style) -> None:
    seen = call(gateway.url, style.path, style.body)
    assert seen.status == 200, seen.body
    assert style.is_good(seen)
    assert gateway.record().outcome == "ok"
    gateway.wait_at_rest()
