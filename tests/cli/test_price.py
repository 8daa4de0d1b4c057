"""``aimesh price``: versions as they were written."""

from pathlib import Path

from tests.support.pricing import ENDPOINTS, catalog_with, priced_record
from tests.support.shell import Shell
from tests.support.stores import opened_store

from aimesh.catalog.price_record import Pricer
from aimesh.store.database import default_url
from aimesh.store.prices import keep_versions


def test_versions_are_listed_and_shown(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    assert shell.data("price", "list") == []
    pricer = Pricer(catalog_with({ENDPOINTS[0]: "CNY 1 2", ENDPOINTS[1]: "USD 3 4"}))
    for endpoint in ENDPOINTS[:2]:
        pricer.price(priced_record("r1", endpoint))
    with opened_store(default_url(tmp_path)) as store, store.write() as db:
        keep_versions(db, pricer.used, 1_750_000_000.0)
    (told,) = shell.data("price", "list", "--endpoint", ENDPOINTS[1])
    assert told["price"] == {"currency": "USD", "tiers": [{"input": "3", "output": "4"}]}
    assert {row["version"] for row in shell.data("price", "list")} == set(pricer.used)
    assert shell.data("price", "show", told["version"]) == told
    assert ENDPOINTS[1] in shell.done("price", "show", told["version"])
    assert shell.refused("price", "show", "none")["code"] == "PRICE_VERSION_NOT_FOUND"
