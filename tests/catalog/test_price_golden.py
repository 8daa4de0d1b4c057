"""Golden money: what calls cost, to the nano-unit (``golden_money.yaml``).

Each case says its sum twice, as units times rates and as the amount: the two are held together here with decimals, and
both with what the code under test says. So a case is right by itself or it fails, whatever the code does.
"""

from datetime import datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from msgspec import Struct
from tests.support.records import typical_record

from aimesh.catalog.load import load_built_in
from aimesh.catalog.price import Price, compiled, cost, holding, priced, read_version, version_document
from aimesh.catalog.price_discount import factor_of
from aimesh.catalog.price_record import Pricer
from aimesh.catalog.schema import PriceEntry
from aimesh.catalog.snapshot import compile_catalog
from aimesh.core.ids import EndpointName
from aimesh.core.money import WHOLE, plain
from aimesh.core.usage import Usage

_EXACT = Context(prec=60)
_NANO = Decimal("0.000000001")
FIELDS = {
    "input": "input_tokens",
    "output": "output_tokens",
    "hit": "cached_tokens",
    "explicit": "explicit_cached_tokens",
    "written": "cache_write_tokens",
    "written_1h": "cache_write_1h_tokens",
    "thinking": "reasoning_tokens",
    "image": "input_image_tokens",
    "audio_in": "input_audio_tokens",
    "audio_out": "output_audio_tokens",
    "images": "images",
    "seconds": "video_seconds",
    "resolution": "video_resolution",
    "audio": "video_audio",
    "input_video": "input_video",
    "assets": "assets",
    "variant": "variant",
}


class Case(Struct, frozen=True, forbid_unknown_fields=True):
    what: str
    of: str | dict[str, Any]
    used: dict[str, int | float | str | bool]
    costs: str | None
    sum: str = ""
    lists: str | None = None
    """Before the discount; None: there is none."""
    at: str = "2026-11-21T12:00:00+08:00"
    factor: str = "1"

    @property
    def usage(self) -> Usage:
        return msgspec.convert({FIELDS[name]: value for name, value in self.used.items()}, Usage)

    @property
    def at_s(self) -> float:
        return datetime.fromisoformat(self.at).timestamp()

    @property
    def price(self) -> Price | None:
        if isinstance(self.of, str):
            return CATALOG.endpoints[EndpointName(self.of)].price
        return compiled(msgspec.convert(self.of, PriceEntry, strict=False))


def cases() -> list[Case]:
    loaded = yaml.safe_load(Path(__file__).with_name("golden_money.yaml").read_text())
    return msgspec.convert(loaded, list[Case])


_BUILT_IN = load_built_in()
CATALOG = compile_catalog(_BUILT_IN.providers, _BUILT_IN.models)
CASES = cases()
KNOWN = [case for case in CASES if case.costs is not None]


def written_out(text: str) -> Decimal:
    """``3 x 0.22 + 1000 x 15/M``, exactly."""
    total = Decimal(0)
    for part in text.split(" + "):
        units, rate = part.split(" x ")
        amount = _EXACT.multiply(Decimal(units), Decimal(rate.removesuffix("/M")))
        total = _EXACT.add(total, amount.scaleb(-6) if rate.endswith("/M") else amount)
    return total


def shown(nano: int, currency: str) -> str:
    return f"{currency} {plain(Decimal(nano).scaleb(-9))}"


def test_there_are_enough_and_no_two_are_called_the_same() -> None:
    assert len(KNOWN) >= 70
    assert len({case.what for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", KNOWN, ids=lambda case: case.what)
def test_the_case_is_right_by_itself(case: Case) -> None:
    assert case.costs is not None
    assert (case.lists is None) == (case.factor == "1")
    exact = written_out(case.sum)
    listed = exact.quantize(_NANO, ROUND_HALF_EVEN)
    paid = _EXACT.multiply(exact, Decimal(case.factor)).quantize(_NANO, ROUND_HALF_EVEN)
    assert Decimal(case.costs.split()[1]) == paid
    assert Decimal((case.lists or case.costs).split()[1]) == listed


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.what)
def test_the_code_says_so_too(case: Case) -> None:
    found = priced(holding(case.price, case.at_s), case.usage, case.at_s, factor_of(case.factor))
    if case.costs is None:
        assert found is None
        assert cost(case.price, case.usage, case.at_s) is None
        return
    assert found is not None
    assert shown(found.cost_nano, found.currency) == case.costs
    assert shown(found.list_nano, found.currency) == (case.lists or case.costs)
    assert (type(found.cost_nano), type(found.list_nano)) == (int, int)
    whole = cost(case.price, case.usage, case.at_s)
    assert whole is not None
    assert (whole.nano, whole.currency) == (found.list_nano, found.currency)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.what)
def test_what_is_kept_of_a_version_prices_the_same(case: Case) -> None:
    held = holding(case.price, case.at_s)
    if held is None:
        assert case.costs is None
        return
    again = read_version(version_document(held.entry))
    assert again.version == held.version
    assert priced(again, case.usage, case.at_s) == priced(held, case.usage, case.at_s)


@pytest.mark.parametrize(
    "case", [case for case in CASES if isinstance(case.of, str)], ids=lambda case: case.what
)
def test_a_record_of_the_endpoint_costs_the_same(case: Case) -> None:
    assert isinstance(case.of, str)
    provider, model, _ = case.of.split("@")
    record = msgspec.structs.replace(
        typical_record(), endpoint=case.of, provider=provider, model=model, usage=case.usage, at=case.at_s
    )
    found = Pricer(CATALOG).price(record)
    listed = case.lists or case.costs
    assert (None if found is None else shown(found.cost_nano, found.currency)) == listed


def test_factors_are_exact() -> None:
    assert factor_of("0.333333333") == Fraction(333333333, 10**9)
    assert factor_of("1.000") is WHOLE
