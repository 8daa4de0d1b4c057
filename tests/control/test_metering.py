"""What is added to a record on its way into the database."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import structs
from tests.support.publishing import Press
from tests.support.records import typical_record
from tests.support.stores import any_store

from aimesh.control.metering import Meter
from aimesh.control.models_catalog import Catalogs
from aimesh.core.ids import CredentialId, EndpointName, KeyId, ModelName, ProviderId, TenantId, UserId
from aimesh.core.record import UsageRecord
from aimesh.core.secret import Secret
from aimesh.core.usage import NO_USAGE, Usage
from aimesh.store import virtual_keys
from aimesh.store.engine import Store
from aimesh.store.overlays import OverlayKind
from aimesh.store.people import Role
from aimesh.store.usage_rows import Metered
from aimesh.store.users import NewUser, UserTerms, add_user

__all__ = ["any_store"]

FILE = """
providers: {p: {base_url: "https://p.example", speaks: {open_ai: {}}}}
models:
  - name: v/m
    kind: chat
    endpoints:
      - provider: p
        interfaces: [open_ai]
        as: m
        price: {currency: CNY, source: test, date: 2026-01, tiers: [{input: 2, output: 8}]}
"""


@pytest.fixture
def press(any_store: Store, tmp_path: Path) -> Iterator[Press]:
    press = Press(any_store, tmp_path, FILE)
    yield press
    press.close()


def call(**changes: object) -> UsageRecord:
    record = structs.replace(
        typical_record(),
        model=ModelName("v/m"),
        endpoint=EndpointName("p@v/m@open_ai"),
        provider=ProviderId("p"),
        usage=Usage(input_tokens=1_000, output_tokens=500),
    )
    return structs.replace(record, **changes)


def meter_of(press: Press) -> Meter:
    return Meter(press.store, press.settings, Catalogs(), press.clock)


def known(meter: Meter, records: list[UsageRecord]) -> list[Metered]:
    """All of them, of which all is known that there is to know."""
    several = meter.metered(records).several
    found = [one for one in several if isinstance(one, Metered)]
    assert len(found) == len(several)
    return found


def test_a_call_gets_its_kind_and_its_price(press: Press) -> None:
    meter = meter_of(press)
    records = [call(), call(usage=NO_USAGE), call(model="gone/m", endpoint="p@gone/m@open_ai")]
    first, unused, gone = known(meter, records)
    batch = meter.metered(records)
    assert (first.kind, first.user) == ("chat", "")
    assert first.priced is not None
    assert (first.priced.cost_nano, first.priced.list_nano, first.priced.currency) == (
        6_000_000,
        6_000_000,
        "CNY",
    )
    assert (unused.kind, unused.priced) == ("chat", None)
    assert (gone.kind, gone.priced) == ("", None)
    assert set(batch.beside.versions) == {first.priced.version}
    assert batch.beside.at_s == press.clock.wall_s()


def test_what_is_known_of_an_endpoint_changes_with_the_database(press: Press) -> None:
    meter = meter_of(press)
    ask = call(model="v/new", endpoint="p@v/new@open_ai", credential=CredentialId("byok:default/p/own"))
    assert known(meter, [ask])[0].kind == ""
    press.put_overlay(
        OverlayKind.MODEL,
        "v/new",
        b'{"name": "v/new", "kind": "chat", "endpoints": [{"provider": "p", "interfaces": ["open_ai"], "as": "n"}]}',
    )
    assert known(meter, [ask])[0].kind == "chat"


def test_a_key_belongs_to_its_owner_of_the_time_of_the_import(press: Press) -> None:
    meter = meter_of(press)
    key = press.make_key("mine")
    ask = call(key_id=key.id)
    assert known(meter, [ask])[0].user == ""
    terms = UserTerms(display_name="", email="", role=Role.MEMBER, enabled=True)
    ann = NewUser(id=UserId("usr-1"), tenant=TenantId("default"), username="ann", terms=terms)
    press.write(lambda db: add_user(db, ann, 1.0))
    owned = virtual_keys.NewKey(
        id=KeyId("key-owned"),
        tenant=TenantId("default"),
        owner=ann.id,
        terms=virtual_keys.KeyTerms(alias="owned"),
        text=Secret("ck-owned-key-of-somebody"),
        envelope=None,
        at_s=1.0,
    )
    second = press.write(lambda db: virtual_keys.insert_key(db, owned))
    records = [ask, call(key_id=second.id), call(key_id=KeyId("file:demo"))]
    batch = meter.metered(records)
    assert [one.user for one in known(meter, records)] == ["", "usr-1", ""]
    assert batch.beside.users == {"usr-1": "ann"}
