"""Prices as rates: what usage costs, and how endpoints rank by price. Pure; the time is an argument.

1. No price known for something that was counted: the cost is unknown (None), never zero.
2. The tier is chosen by the whole input of the request; a request above the last top pays the last tier.
3. A token kind without a price of its own costs what it is a part of: cached input costs input.
4. The price that held when a call began counts: of those with a time, the first that holds; else the one without.
5. Ranking compares unlike currencies by one setting; nothing else converts money.
"""

import hashlib
from datetime import datetime
from fractions import Fraction

import msgspec
from msgspec import Struct, structs

from aimesh.catalog.schema import PriceEntry, PriceTerms, Tier
from aimesh.core.money import (
    WHOLE,
    Currency,
    Money,
    Rate,
    rate_per_million,
    rate_per_unit,
    rounded,
)
from aimesh.core.priced import Priced
from aimesh.core.usage import Usage

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY_S = 86_400
_WEEK_S = 7 * _DAY_S
_EPOCH_DAY = 3
"""1 January 1970 was a Thursday."""

Total = int | Fraction
"""Units times rate: millionths of a nano-unit."""


class TierRates(Struct, frozen=True):
    """Rates of one tier. None: no price of its own."""

    up_to: int | None
    output_up_to: int | None
    input: Rate | None
    output: Rate | None
    cached_input: Rate | None
    """Of hits of which nobody said which cache served them."""
    explicit_cached_input: Rate | None
    cache_write: Rate | None
    cache_write_1h: Rate | None
    input_image: Rate | None
    input_audio: Rate | None
    output_audio: Rate | None
    reasoning: Rate | None


class WindowRates(Struct, frozen=True):
    offset_s: int
    spans: tuple[tuple[int, int], ...]
    """Seconds of the week from Monday 00:00 local time: from (inclusive) to (exclusive)."""
    tiers: tuple[TierRates, ...]

    def holds_at(self, wall_s: float) -> bool:
        second = (int(wall_s) + self.offset_s + _EPOCH_DAY * _DAY_S) % _WEEK_S
        return any(start <= second < end for start, end in self.spans)


class VideoRate(Struct, frozen=True):
    rate: Rate
    resolutions: tuple[str, ...]
    input_video: bool | None
    audio: bool | None
    variant: str

    def fits(self, usage: Usage, resolution: str) -> bool:
        return (
            (not self.resolutions or resolution in self.resolutions)
            and self.input_video in (None, usage.input_video)
            and self.audio in (None, usage.video_audio)
            and self.variant == usage.variant
        )


class Price(Struct, frozen=True):
    """A price entry, compiled."""

    currency: Currency
    version: str
    """Changes whenever anything about the price does; kept in usage records."""
    entry: PriceTerms
    """As written, for showing."""
    tiers: tuple[TierRates, ...]
    windows: tuple[WindowRates, ...]
    per_image: Rate | None
    per_second: dict[str, Rate]
    per_asset: dict[str, Rate]
    video_tokens: tuple[VideoRate, ...]
    since_s: float | None = None
    until_s: float | None = None
    dated: tuple["Price", ...] = ()
    """Of limited times; none of them has any itself."""

    def holds_at(self, wall_s: float) -> bool:
        """By its own times alone."""
        return (self.since_s is None or self.since_s <= wall_s) and (
            self.until_s is None or wall_s < self.until_s
        )


def compiled(entry: PriceTerms) -> Price:
    """Raises ``ValueError`` with safe text when an amount, a window or a time makes no sense."""
    since_s, until_s = _moment(entry.since), _moment(entry.until)
    if since_s is not None and until_s is not None and since_s >= until_s:
        raise ValueError("the price ends before it begins")
    dated = tuple(map(compiled, entry.dated)) if isinstance(entry, PriceEntry) else ()
    return Price(
        currency=entry.currency,
        version=hashlib.sha256(version_document(entry)).hexdigest()[:12],
        entry=entry,
        tiers=tuple(map(_tier, entry.tiers)),
        windows=tuple(
            WindowRates(
                offset_s=_offset(window.utc_offset),
                spans=tuple(_span(day, hours) for day in window.days for hours in window.hours),
                tiers=tuple(map(_tier, window.tiers)),
            )
            for window in entry.windows
        ),
        per_image=None if entry.per_image is None else rate_per_unit(entry.per_image),
        per_second={resolution_key(name): rate_per_unit(rate) for name, rate in entry.per_second.items()},
        per_asset={name: rate_per_unit(rate) for name, rate in entry.per_asset.items()},
        video_tokens=tuple(
            VideoRate(
                rate=rate_per_million(row.rate),
                resolutions=tuple(map(resolution_key, row.resolutions)),
                input_video=row.input_video,
                audio=row.audio,
                variant=row.variant,
            )
            for row in entry.video_tokens
        ),
        since_s=since_s,
        until_s=until_s,
        dated=dated,
    )


def version_document(entry: PriceTerms) -> bytes:
    """JSON of what one version of a price says: without the prices of other times, which are versions themselves."""
    if isinstance(entry, PriceEntry) and entry.dated:
        entry = structs.replace(entry, dated=())
    return msgspec.json.encode(entry, order="deterministic")


def read_version(document: bytes) -> Price:
    """Raises ``ValueError`` where the bytes are no price."""
    return compiled(msgspec.json.decode(document, type=PriceTerms))


def holding(price: Price | None, at_s: float) -> Price | None:
    """The version that holds at a time (wall-clock seconds)."""
    if price is None:
        return None
    for one in price.dated:
        if one.holds_at(at_s):
            return one
    return price if price.holds_at(at_s) else None


def cost(price: Price | None, usage: Usage, at_s: float) -> Money | None:
    """What a call's usage costs at a time (wall-clock seconds). None: no price known for some of it."""
    held = holding(price, at_s)
    total = None if held is None else _total(held, usage, at_s)
    return None if held is None or total is None else Money(nano=rounded(total), currency=held.currency)


def priced(version: Price | None, usage: Usage, at_s: float, factor: Fraction = WHOLE) -> Priced | None:
    """What usage costs by one version of a price, whenever that held. ``factor`` is what a discount leaves; cost and
    list price are each rounded once, from the exact sum."""
    total = None if version is None else _total(version, usage, at_s)
    if version is None or total is None:
        return None
    whole = rounded(total)
    return Priced(
        cost_nano=whole if factor is WHOLE else rounded(total, factor),
        list_nano=whole,
        currency=version.currency,
        version=version.version,
    )


def blended_rank(price: Price | None, cny_per_usd: Fraction) -> int | None:
    """One number to order endpoints of a model by, in nano-CNY: 3:1 input to output of the first tier, or the
    first price per picture, second, asset or video token. None: no price known."""
    rate = None if price is None else _typical(price)
    if price is None or rate is None:
        return None
    return round(rate * cny_per_usd) if price.currency is Currency.USD else round(rate)


def resolution_key(text: str) -> str:
    """``720``, ``720P`` and ``720p`` are one resolution."""
    folded = text.casefold()
    return f"{folded}p" if folded.isdecimal() else folded


def _typical(price: Price) -> Fraction | None:
    # A tier for very short answers is not typical.
    tier = next((tier for tier in price.tiers if tier.output_up_to is None), None)
    if tier is not None and tier.input is not None:
        return Fraction(tier.input) if tier.output is None else Fraction(3 * tier.input + tier.output, 4)
    if price.per_image is not None:
        return Fraction(price.per_image)
    for table in (price.per_second, price.per_asset):
        if table:
            return Fraction(next(iter(table.values())))
    return Fraction(price.video_tokens[0].rate) if price.video_tokens else None


def _total(price: Price, usage: Usage, at_s: float) -> Total | None:
    if usage.video_seconds and price.per_second:
        rate = price.per_second.get(resolution_key(usage.video_resolution))
        # The decimal that the upstream wrote, not the binary number next to it.
        return None if rate is None else Fraction(str(usage.video_seconds)) * rate
    if usage.assets and price.per_asset:
        rate = price.per_asset.get(usage.variant, price.per_asset.get("default"))
        return None if rate is None else usage.assets * rate
    if usage.images and price.per_image is not None:
        return usage.images * price.per_image
    if price.video_tokens:
        if usage.video_seconds and not usage.output_tokens:
            # A film was made, and nobody said of how many tokens.
            return None
        resolution = resolution_key(usage.video_resolution)
        for row in price.video_tokens:
            if row.fits(usage, resolution):
                return usage.output_tokens * row.rate
        return None
    return _token_total(price, usage, at_s)


def _token_total(price: Price, usage: Usage, at_s: float) -> int | None:
    tiers = price.tiers
    for window in price.windows:
        if window.holds_at(at_s):
            tiers = window.tiers
            break
    if not tiers or not (usage.input_tokens or usage.output_tokens):
        return None
    tier = tiers[0] if len(tiers) == 1 else _fitting(tiers, usage)
    taken = _input_total(tier, usage)
    given = _output_total(tier, usage) if usage.output_tokens else 0
    return None if taken is None or given is None else taken + given


def _input_total(tier: TierRates, usage: Usage) -> int | None:
    # Cached pictures may be counted under both heads; the plain part never goes below nothing.
    rest, total = usage.input_tokens, 0
    if usage.cached_tokens:
        explicit = usage.explicit_cached_tokens if tier.explicit_cached_input is not None else 0
        if tier.cached_input is not None:
            rest -= usage.cached_tokens
            total += (usage.cached_tokens - explicit) * tier.cached_input
            if tier.explicit_cached_input is not None:
                total += explicit * tier.explicit_cached_input
    if usage.cache_write_tokens:
        long = usage.cache_write_1h_tokens if tier.cache_write_1h is not None else 0
        if tier.cache_write_1h is not None:
            rest -= long
            total += long * tier.cache_write_1h
        if tier.cache_write is not None:
            rest -= usage.cache_write_tokens - long
            total += (usage.cache_write_tokens - long) * tier.cache_write
    if usage.input_image_tokens and tier.input_image is not None:
        rest -= usage.input_image_tokens
        total += usage.input_image_tokens * tier.input_image
    if usage.input_audio_tokens and tier.input_audio is not None:
        rest -= usage.input_audio_tokens
        total += usage.input_audio_tokens * tier.input_audio
    if rest <= 0:
        return total
    return None if tier.input is None else total + rest * tier.input


def _output_total(tier: TierRates, usage: Usage) -> int | None:
    rest, total = usage.output_tokens, 0
    if usage.output_audio_tokens and tier.output_audio is not None:
        rest -= usage.output_audio_tokens
        total += usage.output_audio_tokens * tier.output_audio
    if usage.reasoning_tokens and tier.reasoning is not None:
        rest -= usage.reasoning_tokens
        total += usage.reasoning_tokens * tier.reasoning
    if rest <= 0:
        return total
    return None if tier.output is None else total + rest * tier.output


def _fitting(tiers: tuple[TierRates, ...], usage: Usage) -> TierRates:
    for tier in tiers:
        if (tier.up_to is None or usage.input_tokens <= tier.up_to) and (
            tier.output_up_to is None or usage.output_tokens <= tier.output_up_to
        ):
            return tier
    return tiers[-1]


def _tier(tier: Tier) -> TierRates:
    def rate(name: str) -> Rate | None:
        amount = getattr(tier, name)
        return None if amount is None else rate_per_million(amount)

    return TierRates(
        up_to=tier.up_to,
        output_up_to=tier.output_up_to,
        input=rate("input"),
        output=rate("output"),
        # Where nobody says which cache served a hit: the implicit price is the one without a request for it.
        cached_input=rate("cached_input") if tier.cached_input is not None else rate("explicit_cached_input"),
        explicit_cached_input=rate("explicit_cached_input"),
        cache_write=rate("cache_write"),
        cache_write_1h=rate("cache_write_1h"),
        input_image=rate("input_image"),
        input_audio=rate("input_audio"),
        output_audio=rate("output_audio"),
        reasoning=rate("reasoning"),
    )


def _moment(text: str | None) -> float | None:
    """Raises ``ValueError``."""
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        raise ValueError(f"{text} is no time") from None


def _minutes(text: str) -> int:
    hours, _, minutes = text.partition(":")
    total = int(hours) * 60 + int(minutes)
    if total > 24 * 60 or int(minutes) > 59:
        raise ValueError(f"{text} is no time of day")
    return total


def _offset(text: str) -> int:
    return (-60 if text.startswith("-") else 60) * _minutes(text[1:])


def _span(day: str, hours: str) -> tuple[int, int]:
    start, _, end = hours.partition("-")
    if _minutes(start) >= _minutes(end):
        raise ValueError(f"{hours} ends before it begins; write two spans around midnight")
    midnight = _DAYS.index(day) * _DAY_S
    return midnight + _minutes(start) * 60, midnight + _minutes(end) * 60
