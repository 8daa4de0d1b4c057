"""Both readers of a chat usage agree wherever the fast one dares to answer; golden cases hold the spellings."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimesh.core.usage import NO_USAGE
from aimesh.wire.open_ai.usage import PlainUsage, read_usage, read_usual

COUNTS = st.integers(0, 1_000)
USAGES = st.fixed_dictionaries(
    {"prompt_tokens": COUNTS, "completion_tokens": COUNTS},
    optional={
        "total_tokens": COUNTS,
        "prompt_tokens_details": st.one_of(
            st.none(),
            st.fixed_dictionaries(
                {},
                optional={
                    "cached_tokens": COUNTS,
                    "cache_write_tokens": COUNTS,
                    "cache_creation_input_tokens": COUNTS,
                    "image_tokens": COUNTS,
                    "video_tokens": COUNTS,
                    "audio_tokens": COUNTS,
                    "audio_cached_tokens": COUNTS,
                    "cache_type": st.just("ephemeral"),
                },
            ),
        ),
        "completion_tokens_details": st.one_of(
            st.none(),
            st.fixed_dictionaries({}, optional={"reasoning_tokens": COUNTS, "audio_tokens": COUNTS}),
        ),
        "prompt_cache_hit_tokens": COUNTS,
        "cached_tokens": COUNTS,
        "cache_read_input_tokens": COUNTS,
        "cache_creation_input_tokens": COUNTS,
        "reasoning_tokens": COUNTS,
    },
)


@given(USAGES)
def test_the_fast_reader_agrees(usage: dict[str, object]) -> None:
    found = msgspec.convert(usage, PlainUsage).read()
    assert found is None or found == read_usage(usage)
    assert read_usual(usage) == read_usage(usage)


@pytest.mark.parametrize(
    "usage", [{}, {"prompt_tokens": None}, {"prompt_tokens": 0, "completion_tokens": 0}, {"x": 1}]
)
def test_nothing_counted_is_nothing_reported(usage: dict[str, object]) -> None:
    assert read_usage(usage) == read_usual(usage) == NO_USAGE
