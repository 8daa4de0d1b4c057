"""Both readers of a message's usage agree wherever the fast one dares to answer."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from aimesh.core.usage import NO_USAGE, Usage
from aimesh.wire.anthropic.usage import PlainUsage, read_usage

COUNTS = st.one_of(st.none(), st.integers(0, 1_000))
USAGES = st.fixed_dictionaries(
    {"input_tokens": st.integers(0, 1_000), "output_tokens": st.integers(0, 1_000)},
    optional={
        "cache_read_input_tokens": COUNTS,
        "cache_creation_input_tokens": COUNTS,
        "cache_creation": st.one_of(
            st.none(),
            st.fixed_dictionaries(
                {},
                optional={
                    "ephemeral_5m_input_tokens": st.integers(0, 9),
                    "ephemeral_1h_input_tokens": st.integers(0, 9),
                },
            ),
        ),
        "output_tokens_details": st.one_of(st.none(), st.just({"thinking_tokens": 3}), st.just({})),
        "service_tier": st.just("standard"),
    },
)


@given(USAGES)
def test_the_fast_reader_agrees(usage: dict[str, object]) -> None:
    found = msgspec.convert(usage, PlainUsage).read()
    assert found is None or found == read_usage(usage)


def test_cached_parts_are_added_to_the_prompt() -> None:
    usage = {
        "input_tokens": 3,
        "cache_read_input_tokens": 2000,
        "cache_creation_input_tokens": 100,
        "output_tokens": 9,
    }
    expected = Usage(
        input_tokens=2103,
        output_tokens=9,
        cached_tokens=2000,
        cache_write_tokens=100,
        explicit_cached_tokens=2000,
    )
    assert read_usage(usage) == expected
    assert msgspec.convert(usage, PlainUsage).read() == expected


def test_nothing_counted_is_nothing_reported() -> None:
    assert read_usage({}) == NO_USAGE
    assert read_usage({"input_tokens": 0, "output_tokens": "x"}) == NO_USAGE


def test_hits_alone_may_be_of_either_cache() -> None:
    usage = {"input_tokens": 3, "cache_read_input_tokens": 2000, "output_tokens": 9}
    expected = Usage(input_tokens=2003, output_tokens=9, cached_tokens=2000)
    assert read_usage(usage) == expected
    assert msgspec.convert(usage, PlainUsage).read() == expected
