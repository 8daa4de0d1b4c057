"""``aimesh usage reprice``: what it shows is what it does."""

from pathlib import Path

import pytest
from msgspec import structs
from sqlalchemy import func, select
from tests.support.records import typical_record
from tests.support.shell import Shell
from tests.support.stores import opened_store

import aimesh.control.reprice as room
from aimesh.catalog.load import load_built_in
from aimesh.catalog.price_record import Pricer
from aimesh.catalog.snapshot import Endpoint, compile_catalog
from aimesh.cli.reprice import _added
from aimesh.core.ids import RequestId, UserId
from aimesh.store.database import default_url
from aimesh.store.prices import keep_versions
from aimesh.store.tables import USAGE_RECORDS
from aimesh.store.usage_import import import_usage, prepared
from aimesh.store.usage_rows import Metered

SPAN = ("--since", "2025-06-15T00:00:00Z", "--until", "2025-06-16T00:00:00Z")
PRICES = """\
models:
  - name: {model}
    endpoints:
      - provider: {provider}
        interfaces: [{interface}]
        price:
          currency: CNY
          tiers: [{{input: 1000, output: 1000}}]
"""


def imported(home: Path, count: int) -> Endpoint:
    """Records priced by the built-in catalogue, whose price ``aimesh.yaml`` then changes."""
    built_in = load_built_in()
    catalog = compile_catalog(built_in.providers, built_in.models)
    endpoint = next(
        one
        for one in catalog.endpoints.values()
        if one.kind == "chat" and one.price is not None and one.price.tiers
    )
    pricer = Pricer(catalog)
    records = [
        structs.replace(
            typical_record(),
            id=RequestId(f"r{number:04d}"),
            at=1_750_000_000.0 + number,
            endpoint=endpoint.name,
            provider=endpoint.provider,
            model=endpoint.model,
        )
        for number in range(count)
    ]
    with opened_store(default_url(home)) as store:
        import_usage(
            store,
            prepared(
                Metered(record=one, user=UserId(""), kind="chat", priced=pricer.price(one)) for one in records
            ),
        )
        with store.write() as db:
            keep_versions(db, pricer.used, 0.0)
    yaml = PRICES.format(model=endpoint.model, provider=endpoint.provider, interface=endpoint.interface)
    (home / "aimesh.yaml").write_text(yaml, encoding="utf-8")
    return endpoint


def paid(home: Path) -> list[tuple[str, int]]:
    with opened_store(default_url(home)) as store, store.read() as db:
        question = select(USAGE_RECORDS.c.currency, func.sum(USAGE_RECORDS.c.cost_nano))
        return [(row[0], int(row[1])) for row in db.execute(question.group_by(USAGE_RECORDS.c.currency))]


def test_a_dry_run_a_run_and_a_second_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # So that the command has to ask several times.
    monkeypatch.setattr(room, "BATCH", 2)
    monkeypatch.setattr(room, "_MOST_BATCHES", 1)
    endpoint = imported(tmp_path, 5)
    shell = Shell(tmp_path)
    before = paid(tmp_path)
    dry = shell.data("usage", "reprice", *SPAN, "--dry-run")
    assert paid(tmp_path) == before
    assert (dry["examined"], dry["changed"], dry["kept"]) == (5, 5, 0)
    (told,) = dry["endpoints"]
    assert (told["endpoint"], told["records"]) == (endpoint.name, 5)
    assert told["after"]["cost"] == {"CNY": "7.725"}

    shown = shell.run("usage", "reprice", *SPAN)
    assert "5 of 5 records changed" in shown.output
    assert "7.725 CNY" in shown.output
    assert paid(tmp_path) == [("CNY", 7_725_000_000)]
    assert shell.done("usage", "reprice", *SPAN) == "0 of 5 records changed"


def test_back_to_the_version_before(tmp_path: Path) -> None:
    endpoint = imported(tmp_path, 3)
    shell = Shell(tmp_path)
    before = paid(tmp_path)
    (version,) = shell.data("price", "list")
    shell.done("usage", "reprice", *SPAN)
    assert paid(tmp_path) != before
    shell.done("usage", "reprice", *SPAN, "--version", version["version"], "--endpoint", endpoint.name)
    assert paid(tmp_path) == before
    assert shell.refused("usage", "reprice", *SPAN, "--version", "x")["code"] == "PRICE_VERSION_NOT_FOUND"


def test_answers_are_added_by_endpoint_and_currency() -> None:
    def answer(endpoint: str, cost: dict[str, str]) -> dict[str, object]:
        side = {"cost": cost, "list": cost, "unpriced": 1}
        row = {"endpoint": endpoint, "records": 2, "before": side, "after": side}
        return {"examined": 4, "changed": 2, "kept": 1, "endpoints": [row]}

    total = _added(answer("b", {"CNY": "0.1"}), answer("b", {"CNY": "0.2", "USD": "1"}))
    total = _added(total, answer("a", {"CNY": "5"}))
    assert (total["examined"], total["changed"], total["kept"]) == (12, 6, 3)
    assert [row["endpoint"] for row in total["endpoints"]] == ["a", "b"]
    assert total["endpoints"][1]["after"]["cost"] == {"CNY": "0.3", "USD": "1"}
    assert (total["endpoints"][1]["records"], total["endpoints"][1]["before"]["unpriced"]) == (4, 2)
