import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimesh.routing import measure
from aimesh.routing.measure import HALF_LIFE_S, LEAST_TOKENS, STALE_S, Measures, tokens_per_s

ONE = ("a@m@open_ai", "a/default")
TWO = ("a@m@open_ai", "a/second")


def _fed(*calls: tuple[float, float], stream: bool = True) -> Measures:
    measures = Measures()
    for now_s, ttfb_s in calls:
        measures.feed(ONE, stream=stream, now_s=now_s, ttfb_s=ttfb_s, tokens_per_s=ttfb_s * 100)
    return measures


def test_one_measurement_is_the_mean() -> None:
    measures = _fed((1e6, 0.25))
    assert measures.ttfb_s(ONE, stream=True, now_s=1e6) == 0.25
    assert measures.tokens_per_s(ONE, stream=True, now_s=1e6) == 25


def test_a_measurement_counts_half_after_a_half_life() -> None:
    measures = _fed((1000, 1.0), (1000 + HALF_LIFE_S, 4.0))
    assert measures.ttfb_s(ONE, stream=True, now_s=1000 + HALF_LIFE_S) == pytest.approx(
        (1.0 / 2 + 4.0) / (1 / 2 + 1)
    )


def test_what_was_measured_long_ago_is_not_known() -> None:
    measures = _fed((1000, 1.0))
    assert measures.ttfb_s(ONE, stream=True, now_s=1000 + STALE_S) == 1.0
    assert measures.ttfb_s(ONE, stream=True, now_s=1001 + STALE_S) is None
    assert measures.tokens_per_s(ONE, stream=True, now_s=1001 + STALE_S) is None
    measures.feed(ONE, stream=True, now_s=1001 + STALE_S, ttfb_s=3.0, tokens_per_s=None)
    assert measures.ttfb_s(ONE, stream=True, now_s=1001 + STALE_S) == pytest.approx(3.0, rel=0.03)
    assert measures.tokens_per_s(ONE, stream=True, now_s=1001 + STALE_S) is None


def test_credentials_and_ways_of_answering_are_kept_apart() -> None:
    measures = _fed((1000, 1.0))
    assert measures.ttfb_s(ONE, stream=False, now_s=1000) is None
    assert measures.ttfb_s(TWO, stream=True, now_s=1000) is None
    measures.feed(ONE, stream=False, now_s=1000, ttfb_s=9.0, tokens_per_s=None)
    assert measures.ttfb_s(ONE, stream=False, now_s=1000) == 9.0
    assert measures.ttfb_s(ONE, stream=True, now_s=1000) == 1.0
    assert measures.tokens_per_s(ONE, stream=False, now_s=1000) is None


@given(
    st.lists(st.tuples(st.floats(0, 2000), st.floats(0.001, 900, allow_subnormal=False)), min_size=1),
    st.floats(0, 1e9),
)
def test_the_mean_is_the_weighted_mean(steps: list[tuple[float, float]], start_s: float) -> None:
    now_s = start_s
    calls = []
    for wait_s, value in steps:
        now_s += wait_s
        calls.append((now_s, value))
    measures = _fed(*calls)
    weights = [2 ** ((at_s - now_s) / HALF_LIFE_S) for at_s, _ in calls]
    expected = sum(w * v for w, (_, v) in zip(weights, calls, strict=True)) / sum(weights)
    assert measures.ttfb_s(ONE, stream=True, now_s=now_s) == pytest.approx(expected, rel=1e-6)


def test_circuits_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "MOST", 10)
    measures = Measures()

    def feed(number: int, now_s: float) -> None:
        measures.feed(("e", str(number)), stream=True, now_s=now_s, ttfb_s=1.0, tokens_per_s=None)

    def known(now_s: float) -> int:
        return sum(measures.ttfb_s(("e", str(n)), stream=True, now_s=now_s) is not None for n in range(1000))

    for number in range(5):
        feed(number, 0)
    for number in range(5, 10):
        feed(number, STALE_S)
    feed(10, STALE_S + 1)
    # The five stale ones went, and no other.
    assert known(STALE_S + 1) == 6
    for number in range(11, 1000):
        feed(number, STALE_S + 2)
    assert 0 < known(STALE_S + 2) <= 10


@pytest.mark.parametrize(
    ("tokens", "seconds", "expected"),
    [
        (LEAST_TOKENS, 2.0, LEAST_TOKENS / 2),
        (LEAST_TOKENS - 1, 2.0, None),
        (0, 2.0, None),
        (500, 0.0, None),
        (500, -1.0, None),
    ],
)
def test_the_pace_of_an_answer(tokens: int, seconds: float, expected: float | None) -> None:
    assert tokens_per_s(tokens, seconds) == expected
