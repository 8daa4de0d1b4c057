from datetime import datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from msgspec import structs

from aimesh.catalog.price import (
    Price,
    blended_rank,
    compiled,
    cost,
    holding,
    priced,
    read_version,
    resolution_key,
    version_document,
)
from aimesh.catalog.schema import PriceEntry, PriceTerms, Tier, VideoTokens, Window
from aimesh.core.money import Currency, plain
from aimesh.core.priced import Priced
from aimesh.core.usage import Usage

D = Decimal
_AT = 1_750_000_000.0


def _price(currency: Currency = Currency.CNY, **parts: object) -> Price:
    return compiled(structs.replace(PriceEntry(currency=currency), **parts))


def _paid(price: Price | None, usage: Usage, at_s: float = _AT) -> str | None:
    money = cost(price, usage, at_s)
    return None if money is None else f"{money.currency} {plain(Decimal(money.nano) / 10**9)}"


_TIERED = _price(
    tiers=(
        Tier(up_to=32_000, input=D("3.2"), cached_input=D("0.64"), output=D(16)),
        Tier(up_to=128_000, input=D("4.8"), cached_input=D("0.96"), output=D(24)),
    )
)


@pytest.mark.parametrize(
    ("usage", "paid"),
    [
        (Usage(input_tokens=1_000_000, output_tokens=0), "CNY 4.8"),
        (Usage(input_tokens=32_000, output_tokens=1000), "CNY 0.1184"),
        (Usage(input_tokens=32_001, output_tokens=1000), "CNY 0.1776048"),
        (Usage(input_tokens=10_000, cached_tokens=6_000, output_tokens=2_000), "CNY 0.04864"),
    ],
)
def test_tiers_are_chosen_by_the_whole_input_with_an_inclusive_top(usage: Usage, paid: str) -> None:
    assert _paid(_TIERED, usage) == paid


def test_published_examples_of_cached_and_written_tokens() -> None:
    sonnet = _price(
        Currency.USD, tiers=(Tier(input=D(3), output=D(15), cached_input=D("0.3"), cache_write=D("3.75")),)
    )
    assert _paid(sonnet, Usage(input_tokens=10_000, output_tokens=2_000)) == "USD 0.06"
    haiku = _price(
        Currency.USD,
        tiers=(
            Tier(input=D(1), output=D(5), cached_input=D("0.1"), cache_write=D("1.25"), cache_write_1h=D(2)),
        ),
    )
    first = Usage(input_tokens=5_000, cache_write_tokens=5_000, output_tokens=1_000)
    assert _paid(haiku, first) == "USD 0.01125"
    again = Usage(input_tokens=5_500, cached_tokens=5_000, output_tokens=1_000)
    assert _paid(haiku, again) == "USD 0.006"
    long = Usage(input_tokens=3_000, cache_write_tokens=3_000, cache_write_1h_tokens=1_000)
    assert _paid(haiku, long) == "USD 0.0045"
    gpt = _price(Currency.USD, tiers=(Tier(input=D("1.25"), output=D(10), cached_input=D("0.125")),))
    assert _paid(gpt, Usage(input_tokens=10_000, cached_tokens=6_000, output_tokens=2_000)) == "USD 0.02575"


def test_a_kind_without_a_price_of_its_own_costs_what_it_is_part_of() -> None:
    price = _price(tiers=(Tier(input=D(2), output=D(4)),))
    usage = Usage(input_tokens=1000, cached_tokens=400, input_audio_tokens=100, output_tokens=1000)
    assert _paid(price, usage) == "CNY 0.006"


def test_pictures_and_sound_in_the_input() -> None:
    embedding = _price(tiers=(Tier(input=D("0.7"), input_image=D("1.8")),))
    assert _paid(embedding, Usage(input_tokens=528, input_image_tokens=497)) == "CNY 0.0009163"
    speaking = _price(tiers=(Tier(input=D(1), input_audio=D(9), output=D(2), output_audio=D(20)),))
    usage = Usage(input_tokens=100, input_audio_tokens=60, output_tokens=50, output_audio_tokens=30)
    assert _paid(speaking, usage) == "CNY 0.00122"


def test_short_answers_have_a_tier_of_their_own() -> None:
    price = _price(
        tiers=(
            Tier(up_to=32_000, output_up_to=200, input=D("0.8"), output=D(2)),
            Tier(up_to=32_000, input=D("0.8"), output=D(8)),
            Tier(up_to=128_000, input=D("1.2"), output=D(16)),
        )
    )
    assert _paid(price, Usage(input_tokens=1000, output_tokens=200)) == "CNY 0.0012"
    assert _paid(price, Usage(input_tokens=1000, output_tokens=201)) == "CNY 0.002408"
    assert _paid(price, Usage(input_tokens=40_000, output_tokens=10)) == "CNY 0.04816"
    assert blended_rank(price, Fraction(7)) == (3 * 800_000_000 + 8_000_000_000) // 4


def test_what_is_not_known_costs_none_not_zero() -> None:
    assert _paid(None, Usage(input_tokens=1)) is None
    assert _paid(_price(tiers=(Tier(input=D(1)),)), Usage(input_tokens=1, output_tokens=1)) is None
    assert _paid(_price(tiers=(Tier(output=D(1)),)), Usage(input_tokens=1, output_tokens=1)) is None
    assert _paid(_price(per_image=D(1)), Usage(input_tokens=1, output_tokens=1)) is None
    assert _paid(_price(per_second={"720p": D(1)}), Usage(video_seconds=5, video_resolution="1080p")) is None
    assert _paid(_price(video_tokens=(VideoTokens(rate=D(1), audio=True),)), Usage(output_tokens=9)) is None


def test_media_is_counted_in_its_own_units() -> None:
    assert _paid(_price(per_image=D("0.22")), Usage(images=3, output_tokens=99)) == "CNY 0.66"
    seconds = _price(Currency.USD, per_second={"720P": D("0.14"), "1080P": D("0.24")})
    assert _paid(seconds, Usage(video_seconds=5.5, video_resolution="720")) == "USD 0.77"
    assert _paid(seconds, Usage(video_seconds=5, video_resolution="1080P")) == "USD 1.2"
    assets = _price(per_asset={"1536": D("5.80"), "1536pro+texture": D("13.05")})
    assert _paid(assets, Usage(assets=1, variant="1536pro+texture")) == "CNY 13.05"
    assert _paid(assets, Usage(assets=1, variant="other")) is None
    assert _paid(_price(per_asset={"default": D("2.4")}), Usage(assets=1, output_tokens=30_000)) == "CNY 2.4"


def test_a_film_of_unknown_tokens_has_no_known_price() -> None:
    price = _price(video_tokens=(VideoTokens(rate=D(1)),))
    assert _paid(price, Usage(video_seconds=5.0)) is None
    assert _paid(price, Usage(video_seconds=5.0, output_tokens=9)) is not None
    assert _paid(price, Usage()) is not None


def test_video_tokens_by_resolution_and_input() -> None:
    price = _price(
        video_tokens=(
            VideoTokens(resolutions=("480p", "720p"), input_video=False, rate=D(46)),
            VideoTokens(resolutions=("480p", "720p"), input_video=True, rate=D(28)),
            VideoTokens(resolutions=("4k",), rate=D(26)),
        )
    )
    plain = Usage(output_tokens=50_220, video_resolution="480p")
    assert _paid(price, plain) == "CNY 2.31012"
    assert _paid(price, structs.replace(plain, input_video=True)) == "CNY 1.40616"
    assert _paid(price, structs.replace(plain, video_resolution="1080p")) is None
    sound = _price(video_tokens=(VideoTokens(audio=True, rate=D(16)), VideoTokens(audio=False, rate=D(8))))
    assert _paid(sound, Usage(output_tokens=1_000_000, video_audio=True)) == "CNY 16"
    assert _paid(sound, Usage(output_tokens=1_000_000)) == "CNY 8"
    flex = _price(video_tokens=(VideoTokens(rate=D(15)), VideoTokens(variant="flex", rate=D("7.5"))))
    assert _paid(flex, Usage(output_tokens=1_000_000)) == "CNY 15"
    assert _paid(flex, Usage(output_tokens=1_000_000, variant="flex")) == "CNY 7.5"
    assert _paid(sound, Usage(output_tokens=1_000_000, variant="flex")) is None


@pytest.mark.parametrize(
    ("moment", "is_peak"),
    [
        ("2026-11-23T08:59:59+08:00", False),
        ("2026-11-23T09:00:00+08:00", True),
        ("2026-11-23T11:59:59+08:00", True),
        ("2026-11-23T12:00:00+08:00", False),
        ("2026-11-27T17:59:59+08:00", True),
        ("2026-11-28T10:00:00+08:00", False),
        ("2026-11-22T10:00:00+08:00", False),
        ("2026-11-23T01:00:00+00:00", True),
    ],
)
def test_windows_follow_their_own_clock(moment: str, is_peak: bool) -> None:
    price = _price(
        tiers=(Tier(input=D(1), output=D(1)),),
        windows=(
            Window(
                name="peak",
                utc_offset="+08:00",
                days=("mon", "tue", "wed", "thu", "fri"),
                hours=("09:00-12:00", "14:00-18:00"),
                tiers=(Tier(input=D(2), output=D(2)),),
            ),
        ),
    )
    at_s = datetime.fromisoformat(moment).timestamp()
    assert _paid(price, Usage(input_tokens=1_000_000), at_s) == ("CNY 2" if is_peak else "CNY 1")


@pytest.mark.parametrize("hours", ["12:00-09:00", "09:00-09:00", "24:30-25:00", "09:60-10:00"])
def test_hours_that_make_no_sense_are_refused(hours: str) -> None:
    window = Window(name="x", utc_offset="+00:00", days=("mon",), hours=(hours,), tiers=(Tier(input=D(1)),))
    with pytest.raises(ValueError, match=r"[0-9]"):
        _price(windows=(window,))


def test_an_offset_west_of_greenwich() -> None:
    window = Window(
        name="x", utc_offset="-05:00", days=("sun",), hours=("23:00-24:00",), tiers=(Tier(input=D(9)),)
    )
    price = _price(windows=(window,), tiers=(Tier(input=D(1)),))
    at_s = datetime.fromisoformat("2026-11-23T04:30:00+00:00").timestamp()
    assert _paid(price, Usage(input_tokens=1_000_000), at_s) == "CNY 9"


_PROMOTION = PriceTerms(
    currency=Currency.CNY, until="2026-10-08T00:00:00+08:00", tiers=(Tier(input=D(3), output=D(3)),)
)
_LATER = PriceTerms(
    currency=Currency.USD, since="2027-01-01T00:00:00Z", tiers=(Tier(input=D(1), output=D(1)),)
)


def _at(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


@pytest.mark.parametrize(
    ("moment", "paid"),
    [
        ("2026-10-07T15:59:59+00:00", "CNY 3"),
        ("2026-10-07T16:00:00+00:00", "CNY 4"),
        ("2026-12-31T23:59:59+00:00", "CNY 4"),
        ("2027-01-01T00:00:00+00:00", "USD 1"),
    ],
)
def test_the_price_that_held_when_a_call_began_counts(moment: str, paid: str) -> None:
    price = _price(tiers=(Tier(input=D(4), output=D(4)),), dated=(_PROMOTION, _LATER))
    assert _paid(price, Usage(input_tokens=1_000_000), _at(moment)) == paid


def test_of_two_that_hold_the_first_counts() -> None:
    always = structs.replace(_PROMOTION, until="2099-01-01T00:00:00Z", tiers=(Tier(input=D(7)),))
    price = _price(dated=(_PROMOTION, always))
    assert _paid(price, Usage(input_tokens=1_000_000), _at("2026-01-01T00:00:00Z")) == "CNY 3"
    assert _paid(price, Usage(input_tokens=1_000_000), _at("2026-12-01T00:00:00Z")) == "CNY 7"


def test_before_and_after_its_own_times_a_price_is_unknown() -> None:
    price = _price(tiers=(Tier(input=D(1)),), since="2026-01-01T00:00:00Z", until="2026-02-01T00:00:00Z")
    usage = Usage(input_tokens=1_000_000)
    assert _paid(price, usage, _at("2025-12-31T23:59:59Z")) is None
    assert _paid(price, usage, _at("2026-01-01T00:00:00Z")) == "CNY 1"
    assert _paid(price, usage, _at("2026-02-01T00:00:00Z")) is None
    assert holding(None, _AT) is None


def test_prices_of_other_times_are_versions_of_their_own() -> None:
    plain = _price(tiers=(Tier(input=D(4)),))
    both = _price(tiers=(Tier(input=D(4)),), dated=(_PROMOTION,))
    assert both.version == plain.version
    assert both.dated[0].version == compiled(_PROMOTION).version != plain.version
    assert read_version(version_document(both.entry)).version == plain.version


@pytest.mark.parametrize(
    "times",
    [
        {"since": "2026-13-01T00:00:00Z"},
        {"until": "2026-02-30T00:00:00Z"},
        {"since": "2026-02-01T00:00:00Z", "until": "2026-02-01T00:00:00Z"},
    ],
)
def test_times_that_make_no_sense_are_refused(times: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"is no time|ends before"):
        compiled(structs.replace(PriceEntry(currency=Currency.CNY), **times))


def test_a_document_that_is_no_price_is_refused() -> None:
    with pytest.raises(ValueError, match=r"."):
        read_version(b'{"currency":"EUR"}')


def test_hits_of_an_explicit_cache_have_their_price_where_it_is_known() -> None:
    both = _price(tiers=(Tier(input=D(10), cached_input=D(2), explicit_cached_input=D(1)),))
    usage = Usage(input_tokens=1_000_000, cached_tokens=600_000, explicit_cached_tokens=200_000)
    assert _paid(both, usage) == "CNY 5"
    implicit = _price(tiers=(Tier(input=D(10), cached_input=D(2)),))
    assert _paid(implicit, usage) == "CNY 5.2"
    explicit = _price(tiers=(Tier(input=D(10), explicit_cached_input=D(1)),))
    assert _paid(explicit, usage) == "CNY 4.6"
    neither = _price(tiers=(Tier(input=D(10)),))
    assert _paid(neither, usage) == "CNY 10"


def test_thinking_may_have_a_price_of_its_own() -> None:
    usage = Usage(output_tokens=1_000_000, reasoning_tokens=750_000)
    assert _paid(_price(tiers=(Tier(output=D(4)),)), usage) == "CNY 4"
    assert _paid(_price(tiers=(Tier(output=D(4), reasoning=D(8)),)), usage) == "CNY 7"
    only = _price(tiers=(Tier(reasoning=D(8)),))
    assert _paid(only, usage) is None
    assert _paid(only, structs.replace(usage, output_tokens=750_000)) == "CNY 6"


def test_what_is_counted_under_two_heads_leaves_no_debt() -> None:
    price = _price(tiers=(Tier(input=D(1), cached_input=D(2), input_image=D(3)),))
    usage = Usage(input_tokens=1_000_000, cached_tokens=800_000, input_image_tokens=500_000)
    assert _paid(price, usage) == "CNY 3.1"


def test_a_discount_is_taken_from_the_exact_sum() -> None:
    price = _price(tiers=(Tier(input=D("0.0015")),))
    found = priced(price, Usage(input_tokens=1), _AT, Fraction(9, 10))
    assert found == Priced(cost_nano=1, list_nano=2, currency=Currency.CNY, version=price.version)
    assert priced(price, Usage(), _AT) is None


def test_rank_compares_currencies_by_the_setting_only() -> None:
    dollars = _price(Currency.USD, tiers=(Tier(input=D(1), output=D(5)),))
    assert blended_rank(dollars, Fraction(7)) == 14_000_000_000
    assert blended_rank(dollars, Fraction("7.25")) == 14_500_000_000
    assert blended_rank(_price(tiers=(Tier(input=D(1), output=D(5)),)), Fraction(7)) == 2_000_000_000
    assert blended_rank(_price(tiers=(Tier(input=D("0.5")),)), Fraction(7)) == 500_000_000
    assert blended_rank(None, Fraction(7)) is None
    assert blended_rank(_price(tiers=(Tier(output=D(1)),)), Fraction(7)) is None
    for media in (
        _price(per_image=D(2)),
        _price(per_asset={"a": D(2)}),
        _price(per_second={"720p": D(2)}),
        _price(video_tokens=(VideoTokens(rate=D(2)),)),
    ):
        assert blended_rank(media, Fraction(7)) is not None


def test_the_version_changes_with_the_price() -> None:
    first = _price(per_image=D("0.22"))
    assert first.version == _price(per_image=D("0.22")).version
    assert first.version != _price(per_image=D("0.23")).version


def test_resolutions_have_one_spelling() -> None:
    assert {resolution_key(text) for text in ("720", "720p", "720P")} == {"720p"}
    assert resolution_key("4K") == "4k"
