"""What holds for every price: parts add up, more never costs less where rates do not fall, unknown stays unknown, and
no binary fraction takes part."""

import ast
import inspect
from decimal import Decimal
from fractions import Fraction
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from aimesh.catalog import price as price_module
from aimesh.catalog import price_discount, price_record
from aimesh.catalog.price import Price, compiled, priced
from aimesh.catalog.schema import PriceEntry, Tier, VideoTokens
from aimesh.core import money
from aimesh.core.money import MILLION, WHOLE, Currency
from aimesh.core.priced import Priced
from aimesh.core.usage import Usage

_AT = 1_750_000_000.0
_KINDS = (
    "input",
    "output",
    "cached_input",
    "explicit_cached_input",
    "cache_write",
    "cache_write_1h",
    "input_image",
    "input_audio",
    "output_audio",
    "reasoning",
)

amounts = st.integers(0, 10**12).map(lambda nano: Decimal(nano).scaleb(-9))
optional = st.none() | amounts
factors = st.integers(0, 10**9).map(lambda part: Fraction(part, 10**9))


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    """Parts that fit into their wholes, without one token under two heads."""
    counts = [draw(st.integers(0, 10**7)) for _ in range(9)]
    explicit, implicit, written, long, image, sound, plain, thinking, speech = counts
    return Usage(
        input_tokens=explicit + implicit + written + long + image + sound + plain,
        cached_tokens=explicit + implicit,
        explicit_cached_tokens=explicit,
        cache_write_tokens=written + long,
        cache_write_1h_tokens=long,
        input_image_tokens=image,
        input_audio_tokens=sound,
        output_tokens=thinking + speech + draw(st.integers(0, 10**7)),
        reasoning_tokens=thinking,
        output_audio_tokens=speech,
    )


@st.composite
def single_tiers(draw: st.DrawFn) -> Price:
    rates = {name: draw(optional) for name in _KINDS}
    rates["input"], rates["output"] = draw(amounts), draw(amounts)
    return compiled(PriceEntry(currency=Currency.CNY, tiers=(structs.replace(Tier(), **rates),)))


def reference(tier: Tier, usage: Usage) -> Fraction:
    """The sum as the price list says it, one token kind after the other, in nano-units."""

    def rate(*names: str) -> Fraction:
        known = next(amount for name in names if (amount := getattr(tier, name)) is not None)
        return Fraction(known) * 1000

    explicit = usage.explicit_cached_tokens
    implicit = usage.cached_tokens - explicit
    long = usage.cache_write_1h_tokens
    short = usage.cache_write_tokens - long
    given_plain = (
        usage.input_tokens
        - usage.cached_tokens
        - usage.cache_write_tokens
        - usage.input_image_tokens
        - usage.input_audio_tokens
    )
    answered_plain = usage.output_tokens - usage.reasoning_tokens - usage.output_audio_tokens
    return (
        explicit * rate("explicit_cached_input", "cached_input", "input")
        + implicit * rate("cached_input", "explicit_cached_input", "input")
        + short * rate("cache_write", "input")
        + long * rate("cache_write_1h", "cache_write", "input")
        + usage.input_image_tokens * rate("input_image", "input")
        + usage.input_audio_tokens * rate("input_audio", "input")
        + given_plain * rate("input")
        + usage.reasoning_tokens * rate("reasoning", "output")
        + usage.output_audio_tokens * rate("output_audio", "output")
        + answered_plain * rate("output")
    )


def paid(price: Price, usage: Usage, factor: Fraction = WHOLE) -> Priced:
    found = priced(price, usage, _AT, factor)
    assert found is not None
    return found


@given(single_tiers(), usages(), factors)
def test_the_sum_is_that_of_the_price_list_rounded_once(price: Price, usage: Usage, factor: Fraction) -> None:
    found = priced(price, usage, _AT, factor)
    if not (usage.input_tokens or usage.output_tokens):
        assert found is None
        return
    assert found is not None
    exact = reference(price.entry.tiers[0], usage)
    assert (found.list_nano, found.cost_nano) == (round(exact), round(exact * factor))
    assert (type(found.list_nano), type(found.cost_nano)) == (int, int)


@given(single_tiers(), usages(), usages())
def test_within_a_tier_two_calls_cost_what_they_would_cost_as_one(
    price: Price, one: Usage, other: Usage
) -> None:
    counted = [name for name in Usage.__struct_fields__ if name.endswith("_tokens")]
    both = Usage(**{name: getattr(one, name) + getattr(other, name) for name in counted})
    if not one.input_tokens * other.input_tokens:
        return
    apart = paid(price, one).list_nano + paid(price, other).list_nano
    assert abs(apart - paid(price, both).list_nano) <= 1


@given(
    st.lists(st.tuples(st.integers(1, 10**6), amounts, amounts), min_size=1, max_size=5),
    st.integers(0, 10**7),
    st.integers(1, 10**6),
    st.integers(1, 10**6),
)
def test_where_rates_do_not_fall_more_never_costs_less(
    drawn: list[tuple[int, Decimal, Decimal]], given_tokens: int, answered: int, more: int
) -> None:
    tops, inputs, outputs = (sorted(column) for column in zip(*drawn, strict=True))
    tiers = tuple(
        Tier(up_to=top, input=given, output=answer)
        for top, given, answer in zip(tops, inputs, outputs, strict=True)
    )
    price = compiled(PriceEntry(currency=Currency.USD, tiers=tiers))
    less = paid(price, Usage(input_tokens=given_tokens, output_tokens=answered)).list_nano
    for usage in (
        Usage(input_tokens=given_tokens + more, output_tokens=answered),
        Usage(input_tokens=given_tokens, output_tokens=answered + more),
    ):
        assert paid(price, usage).list_nano >= less


@given(single_tiers(), usages(), st.sampled_from(["input", "output"]))
def test_unknown_stays_unknown(price: Price, usage: Usage, missing: str) -> None:
    """Without the plain rate, plain tokens have no price; and none is made up for them."""
    entry = structs.replace(price.entry, tiers=(structs.replace(price.entry.tiers[0], **{missing: None}),))
    bare = compiled(entry)
    found = priced(bare, usage, _AT)
    if found is not None:
        # Then nothing plain was used, and the missing rate could not have mattered.
        dear = structs.replace(entry.tiers[0], **{missing: Decimal(10**6)})
        assert found.list_nano == paid(compiled(structs.replace(entry, tiers=(dear,))), usage).list_nano
    assert priced(None, usage, _AT) is None


@given(st.integers(1, 10**6), st.integers(1, 999), amounts)
def test_seconds_are_the_decimals_that_were_written(whole: int, thousandths: int, rate: Decimal) -> None:
    price = compiled(PriceEntry(currency=Currency.USD, per_second={"720p": rate}))
    seconds = Decimal(whole * 1000 + thousandths).scaleb(-3)
    found = paid(price, Usage(video_seconds=float(seconds), video_resolution="720"))
    assert found.list_nano == round(Fraction(seconds) * Fraction(rate) * 10**9)


@given(st.integers(1, 10**12), amounts)
def test_no_count_is_too_large_to_be_exact(tokens: int, rate: Decimal) -> None:
    price = compiled(PriceEntry(currency=Currency.CNY, video_tokens=(VideoTokens(rate=rate),)))
    found = paid(price, Usage(output_tokens=tokens))
    assert found.list_nano == round(Fraction(tokens) * Fraction(rate) * 10**9 / MILLION)


@pytest.mark.parametrize("module", [price_module, price_discount, price_record, money])
def test_no_binary_fraction_in_the_code(module: ModuleType) -> None:
    tree = ast.parse(inspect.getsource(module))
    floats = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, float)
    ]
    called = [
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    ]
    assert floats == []
    assert "float" not in called
