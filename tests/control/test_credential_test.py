"""How often a credential may be tested, and which endpoint it is tested with."""

import pytest
from tests.support.catalogs import catalog

from aimesh.control.credential_test import (
    AT_ONCE,
    MOST_PER_MINUTE,
    Pace,
    cheap_endpoints,
    choose_endpoint,
)
from aimesh.control.errors import Invalid, TooManyRequests
from aimesh.core.ids import ProviderId

ONE, TWO = ProviderId("one_bj"), ProviderId("two_bj")
FILES = {
    "providers/one_bj.yaml": """
name: One
site: https://one.test
checked: "2026-11-24"
base_url: https://one.test/v1
speaks: {open_ai: {}, anthropic: {}, open_ai_embedding: {}, open_ai_image: {}}
""",
    "providers/two_bj.yaml": """
name: Two
site: https://two.test
checked: "2026-11-24"
base_url: https://two.test/v1
speaks: {open_ai_embedding: {}, open_ai_image: {}}
""",
    "models/t.yaml": """
vendor: T
models:
  - name: t/dear
    kind: chat
    endpoints:
      - {provider: one_bj, interfaces: [open_ai], as: dear,
         price: {currency: CNY, source: T, date: "2026", tiers: [{input: 9, output: 9}]}}
  - name: t/cheap
    kind: chat
    endpoints:
      - {provider: one_bj, interfaces: [anthropic, open_ai], as: cheap,
         price: {currency: CNY, source: T, date: "2026", tiers: [{input: 1, output: 1}]}}
  - name: t/unpriced
    kind: chat
    endpoints: [{provider: one_bj, interfaces: [open_ai], as: unpriced}]
  - name: t/off
    kind: chat
    endpoints: [{provider: one_bj, interfaces: [open_ai], as: off, enabled: false}]
  - name: t/vectors
    kind: embedding
    endpoints:
      - {provider: one_bj, interfaces: [open_ai_embedding], as: vectors}
      - {provider: two_bj, interfaces: [open_ai_embedding], as: vectors}
  - name: t/picture
    kind: image
    endpoints: [{provider: two_bj, interfaces: [open_ai_image], as: picture}]
""",
}
CATALOG = catalog(FILES)


def chosen(provider: ProviderId, model: str = "") -> str:
    found = choose_endpoint(CATALOG, provider, model)
    assert found is not None
    return found.name


def test_the_cheapest_chat_comes_first_then_unknown_prices_then_embeddings() -> None:
    assert [one.name.partition("@")[2] for one in cheap_endpoints(CATALOG, ONE)] == [
        "t/cheap@open_ai", "t/cheap@anthropic", "t/dear@open_ai", "t/unpriced@open_ai",
        "t/vectors@open_ai_embedding",
    ]  # fmt: skip


def test_an_endpoint_is_chosen_by_model_or_by_its_own_name() -> None:
    assert chosen(ONE) == "one_bj@t/cheap@open_ai"
    assert chosen(TWO) == "two_bj@t/vectors@open_ai_embedding"
    assert chosen(ONE, "t/cheap") == "one_bj@t/cheap@open_ai"
    assert chosen(ONE, "one_bj@t/cheap@anthropic") == "one_bj@t/cheap@anthropic"
    assert chosen(TWO, "t/picture") == "two_bj@t/picture@open_ai_image"
    for model in ("t/off", "none", "two_bj@t/vectors@open_ai_embedding"):
        with pytest.raises(Invalid):
            choose_endpoint(CATALOG, ONE, model)
    assert choose_endpoint(CATALOG, ProviderId("none"), "") is None


def test_a_caller_gets_so_many_in_a_minute_and_others_are_not_held_up() -> None:
    pace = Pace()
    for second in range(MOST_PER_MINUTE):
        with pace.turn("ann", float(second)):
            pass
    with pytest.raises(TooManyRequests) as refused, pace.turn("ann", 20.0):
        pass
    assert refused.value.retry_after_s == 40.0
    with pace.turn("bob", 20.0):
        pass
    with pace.turn("ann", 60.0):
        pass


def test_few_run_at_once_and_one_that_fails_gives_its_place_back() -> None:
    pace = Pace()
    with pytest.raises(LookupError), pace.turn("x", 0.0):
        raise LookupError
    turns = [pace.turn(str(index), 0.0) for index in range(AT_ONCE)]
    for turn in turns:
        turn.__enter__()
    with pytest.raises(TooManyRequests), pace.turn("one more", 0.0):
        pass
    turns[0].__exit__(None, None, None)
    with pace.turn("one more", 0.0):
        pass
