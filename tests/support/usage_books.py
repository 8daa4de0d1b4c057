"""Random calls of several tenants, and what they must add up to: priced here by fractions, from the numbers below.

Nothing of the program prices or adds anything in this file.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Literal, NamedTuple

from hypothesis import strategies as st
from msgspec import Struct, structs
from tests.support.records import typical_record
from tests.support.usage import BEGIN_S

from aimesh.catalog.price_discount import Discount, DiscountTerms, Scope
from aimesh.core.ids import (
    CredentialId,
    EndpointName,
    KeyId,
    ModelName,
    ProviderId,
    RequestId,
    TaskId,
    TenantId,
)
from aimesh.core.money import Currency
from aimesh.core.outcome import Outcome
from aimesh.core.record import UsageRecord
from aimesh.core.usage import NO_USAGE, Usage

FILE = """
providers:
  p: {base_url: "https://p.example", speaks: {open_ai: {}, open_ai_embedding: {}, ark_image: {}, task: {}}}
  q: {base_url: "https://q.example", speaks: {open_ai: {}, task: {}}}
models:
  - name: v/chat
    kind: chat
    endpoints:
      - {provider: p, interfaces: [open_ai], as: c, price: {currency: CNY, source: test, date: 2026-01,
          tiers: [{input: 2.000000123, output: 8.1, cached_input: 0.123456789}]}}
      - {provider: q, interfaces: [open_ai], as: c, price: {currency: USD, source: test, date: 2026-01,
          tiers: [{input: 0.300000007, output: 1.2}]}}
  - name: v/unpriced
    kind: chat
    endpoints: [{provider: p, interfaces: [open_ai], as: u}]
  - name: v/vectors
    kind: embedding
    endpoints:
      - {provider: p, interfaces: [open_ai_embedding], as: e, price: {currency: CNY, source: test, date: 2026-01,
          tiers: [{input: 0.7}]}}
  - name: v/picture
    kind: image
    endpoints:
      - {provider: p, interfaces: [ark_image], as: i, price: {currency: CNY, source: test, date: 2026-01,
          per_image: 0.222222222}}
  - name: v/film
    kind: video
    endpoints:
      - {provider: q, interfaces: [task], as: f, price: {currency: USD, source: test, date: 2026-01,
          per_second: {720p: 0.050000001}}}
  - name: v/mesh
    kind: 3d
    endpoints:
      - {provider: p, interfaces: [task], as: m, price: {currency: CNY, source: test, date: 2026-01,
          per_asset: {default: 1.5}}}
"""

TENANTS = (TenantId("default"), TenantId("other"))
SPAN_S = 3 * 86_400
_NANO, _MILLION = 10**9, 10**6

Sort = Literal["chat", "unpriced", "vectors", "picture", "film", "mesh"]
_TASKS: tuple[Sort, ...] = ("film", "mesh")
_INTERFACES: dict[Sort, str] = {
    "chat": "open_ai",
    "unpriced": "open_ai",
    "vectors": "open_ai_embedding",
    "picture": "ark_image",
    "film": "task",
    "mesh": "task",
}


class Books(Struct, frozen=True):
    """What happened, and how it got into the journal."""

    records: tuple[UsageRecord, ...]
    discounts: tuple[Discount, ...]
    batch: int
    steps: tuple["Step", ...]
    is_summed: bool
    """Sums of days and weeks are made before anybody looks."""


class Step(Struct, frozen=True):
    """A segment of the journal, then some turns of an importer that may be killed afterwards."""

    written: tuple[int, ...]
    """Places of records; any may come again."""
    turns: int
    then: Literal["", "restart", "forget"]
    """``forget``: the positions are lost, everything is read again."""
    periods: int = 0
    """So many sums of days and weeks are made then."""


class Sums(NamedTuple):
    requests: int = 0
    succeeded: int = 0
    abandoned: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    images: int = 0
    video_ms: int = 0
    assets: int = 0
    unpriced: int = 0
    estimated: int = 0
    cost_cny: int = 0
    cost_usd: int = 0
    list_cny: int = 0
    list_usd: int = 0


class Cost(NamedTuple):
    currency: Currency
    cost: int
    listed: int


def added(several: Iterable[Sums]) -> Sums:
    columns = list(zip(*several, strict=True))
    return Sums(*map(sum, columns)) if columns else Sums()


def sums_of(record: UsageRecord, cost: Cost | None) -> Sums:
    usage = record.usage
    used = bool(
        usage.input_tokens or usage.output_tokens or usage.images or usage.video_seconds or usage.assets
    )
    is_request = is_call(record.id)
    return Sums(
        requests=int(is_request),
        succeeded=int(is_request and record.outcome is Outcome.OK),
        abandoned=int(is_request and record.outcome is Outcome.CLIENT_GONE),
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cached_tokens=usage.cached_tokens,
        cache_write_tokens=usage.cache_write_tokens,
        reasoning_tokens=usage.reasoning_tokens,
        images=usage.images,
        video_ms=int(Decimal(str(usage.video_seconds)) * 1000),
        assets=usage.assets,
        unpriced=int(used and cost is None),
        estimated=int(used and not usage.reported),
        cost_cny=cost.cost if cost and cost.currency is Currency.CNY else 0,
        cost_usd=cost.cost if cost and cost.currency is Currency.USD else 0,
        list_cny=cost.listed if cost and cost.currency is Currency.CNY else 0,
        list_usd=cost.listed if cost and cost.currency is Currency.USD else 0,
    )


def is_call(record_id: str) -> bool:
    """A task is one request, that of its creation; its settlement adds what it used and cost."""
    return not record_id.startswith("task:")


def by_hand(books: Books) -> dict[str, Sums]:
    """Of each tenant."""
    return {
        tenant: added(
            sums_of(record, cost_of(record, books.discounts))
            for record in books.records
            if record.tenant == tenant
        )
        for tenant in TENANTS
    }


def cost_of(record: UsageRecord, discounts: Sequence[Discount]) -> Cost | None:
    found = _listed(record)
    if found is None:
        return None
    currency, listed = found
    factor = Fraction(1)
    if not record.credential.startswith("byok:"):
        factor = _factor(record, discounts)
    # Each is rounded once; Python rounds halves to even.
    return Cost(currency, round(listed * factor * _NANO), round(listed * _NANO))


def _listed(record: UsageRecord) -> tuple[Currency, Fraction] | None:
    """In the currency's own unit, not rounded."""
    usage, rate = record.usage, Fraction
    match record.endpoint:
        case "p@v/chat@open_ai" if usage.input_tokens or usage.output_tokens:
            fresh = usage.input_tokens - usage.cached_tokens
            total = fresh * rate("2.000000123") + usage.cached_tokens * rate("0.123456789")
            return Currency.CNY, (total + usage.output_tokens * rate("8.1")) / _MILLION
        case "q@v/chat@open_ai" if usage.input_tokens or usage.output_tokens:
            total = usage.input_tokens * rate("0.300000007") + usage.output_tokens * rate("1.2")
            return Currency.USD, total / _MILLION
        case "p@v/vectors@open_ai_embedding" if usage.input_tokens:
            return Currency.CNY, usage.input_tokens * rate("0.7") / _MILLION
        case "p@v/picture@ark_image" if usage.images:
            return Currency.CNY, usage.images * rate("0.222222222")
        case "q@v/film@task" if usage.video_seconds and usage.video_resolution == "720p":
            return Currency.USD, rate(str(usage.video_seconds)) * rate("0.050000001")
        case "p@v/mesh@task" if usage.assets:
            return Currency.CNY, usage.assets * rate("1.5")
    return None


def _factor(record: UsageRecord, discounts: Sequence[Discount]) -> Fraction:
    for scope, name in (
        (Scope.MODEL, record.model),
        (Scope.PROVIDER, record.provider),
        (Scope.ALL, ""),
    ):
        fits = [
            one.terms
            for one in discounts
            if (one.tenant, one.terms.scope, one.terms.name) == (record.tenant, scope, name)
            and one.terms.since_s <= record.at
            and (one.terms.until_s is None or record.at < one.terms.until_s)
        ]
        if fits:
            return Fraction(max(fits, key=lambda terms: terms.since_s).factor)
    return Fraction(1)


@st.composite
def books(draw: st.DrawFn) -> Books:
    records: list[UsageRecord] = []
    for number in range(draw(st.integers(1, 9))):
        records += _call(draw, f"call-{number:04d}")
    places = st.integers(0, len(records) - 1)
    steps = draw(
        st.lists(
            st.builds(
                Step,
                written=st.lists(places, max_size=8).map(tuple),
                turns=st.integers(0, 3),
                then=st.sampled_from(["", "restart", "forget"]),
                periods=st.integers(0, 3),
            ),
            max_size=5,
        )
    )
    written = {place for step in steps for place in step.written}
    rest = draw(st.permutations([place for place in range(len(records)) if place not in written]))
    where = draw(st.integers(0, len(steps)))
    steps.insert(where, Step(written=tuple(rest), turns=1, then=""))
    return Books(
        records=tuple(records),
        discounts=_discounts(draw),
        batch=draw(st.integers(1, 9)),
        steps=tuple(steps),
        is_summed=draw(st.booleans()),
    )


def _call(draw: st.DrawFn, name: str) -> list[UsageRecord]:
    """One record; of a task that was settled two."""
    sort: Sort = draw(st.sampled_from(list(_INTERFACES)))
    provider = "q" if sort == "film" or (sort == "chat" and draw(st.booleans())) else "p"
    tenant = draw(st.sampled_from(TENANTS))
    model = f"v/{sort}"
    outcome = draw(st.sampled_from([Outcome.OK, Outcome.OK, Outcome.UPSTREAM_FAILED, Outcome.CLIENT_GONE]))
    is_byok = draw(st.booleans())
    labels = draw(
        st.sampled_from(
            [dict[str, str](), {"team": "red"}, {"team": "blue", "cost": "4711"}, {"团队": 'a"b\\'}]
        )
    )
    record = structs.replace(
        typical_record(name),
        at=BEGIN_S + draw(st.integers(0, SPAN_S * 1000 - 1)) / 1000,
        tenant=tenant,
        key_id=KeyId(f"{tenant}-key-{draw(st.integers(0, 1))}"),
        key_alias="first",
        labels=labels,
        model_asked=model,
        model=ModelName(model),
        endpoint=EndpointName(f"{provider}@{model}@{_INTERFACES[sort]}"),
        provider=ProviderId(provider),
        credential=CredentialId(f"byok:{tenant}/{provider}/own" if is_byok else provider),
        outcome=outcome,
        error_code="" if outcome is Outcome.OK else "UPSTREAM_FAILED",
        duration_ms=draw(st.integers(0, 10**7)) / 1000,
        ttft_ms=draw(st.none() | st.integers(0, 10**6).map(float)),
        usage=NO_USAGE if sort in _TASKS else draw(_usage(sort)),
        attempts=(),
    )
    if sort not in _TASKS:
        return [record]
    task = f"task:ark:{name}"
    record = structs.replace(record, task_id=TaskId(name))
    if outcome is not Outcome.OK or draw(st.booleans()):
        return [record]
    settled = structs.replace(
        record,
        id=RequestId(task),
        at=BEGIN_S + draw(st.integers(0, SPAN_S * 1000 - 1)) / 1000,
        outcome=draw(st.sampled_from([Outcome.OK, Outcome.UPSTREAM_FAILED])),
        usage=draw(_usage(sort)),
        ttft_ms=None,
    )
    return [record, settled]


def _usage(sort: Sort) -> st.SearchStrategy[Usage]:
    tokens = st.integers(0, 200_000)
    few = st.integers(0, 4)
    match sort:
        case "chat" | "unpriced":
            return st.builds(
                Usage,
                reported=st.booleans(),
                input_tokens=st.integers(1_000, 200_000),
                output_tokens=tokens,
                cached_tokens=st.integers(0, 1_000),
                cache_write_tokens=few,
                reasoning_tokens=few,
            ) | st.just(NO_USAGE)
        case "vectors":
            return st.builds(Usage, input_tokens=tokens)
        case "picture":
            return st.builds(Usage, images=few)
        case "film":
            return st.builds(
                Usage,
                video_seconds=st.sampled_from([0.0, 5.0, 7.2, 0.04]),
                # No price is known of the second.
                video_resolution=st.sampled_from(["720p", "480p"]),
            )
        case "mesh":
            return st.builds(Usage, assets=few)


def _discounts(draw: st.DrawFn) -> tuple[Discount, ...]:
    several = []
    # No two of one tenant begin at the same time.
    times = draw(st.lists(st.integers(-10, SPAN_S), unique=True, max_size=4))
    for number, since in enumerate(times):
        scope = draw(st.sampled_from(list(Scope)))
        names: Mapping[Scope, tuple[str, ...]] = {
            Scope.ALL: ("",),
            Scope.PROVIDER: ("p", "q"),
            Scope.MODEL: ("v/chat", "v/film"),
        }
        lasts = draw(st.none() | st.integers(1, SPAN_S))
        terms = DiscountTerms(
            scope=scope,
            name=draw(st.sampled_from(names[scope])),
            factor=draw(st.sampled_from(["0.812345679", "0.5", "0", "1.1"])),
            since_s=BEGIN_S + since,
            until_s=None if lasts is None else BEGIN_S + since + lasts,
        )
        several.append(
            Discount(
                id=f"dsc-{number}",
                tenant=draw(st.sampled_from(TENANTS)),
                terms=terms,
                created_at_s=1.0,
                updated_at_s=1.0,
                version=1,
            )
        )
    return tuple(several)
