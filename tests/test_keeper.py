"""A worker's snapshot, kept up to date: no process, no socket."""

import asyncio
import gc
import json
import statistics
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from msgspec import structs
from tests.support.publishing import Press, text_of
from tests.support.stores import opened_store

from aimesh.core.ids import CredentialId, EndpointName, InterfaceId, KeyId, ModelName, ProviderId, TenantId
from aimesh.core.policy import Route, TenantStatus
from aimesh.core.secret import Secret
from aimesh.dataplane.keyring import no_account
from aimesh.dataplane.snapshot import VirtualKey
from aimesh.keeper import Means, SnapshotKeeper
from aimesh.store import credentials, tenants, virtual_keys
from aimesh.store.database import default_url
from aimesh.store.key_text import digest
from aimesh.store.overlays import OverlayKind, delete_overlay
from aimesh.store.publication import place_of
from aimesh.store.vault import Vault, VaultError, open_vault
from aimesh.store.virtual_keys import KeyTerms
from aimesh.upstream.reach import candidate

FILE_KEY = "ck-of-the-file-0123456789"
SPEAKS = '{base_url: "https://p.example", speaks: {open_ai: {}}}'
FILE = f"""
providers: {{p: {SPEAKS}}}
credentials: {{p: sk-of-the-file}}
models: [{{name: v/m, kind: chat, endpoints: [{{provider: p, interfaces: [open_ai], as: m}}]}}]
virtual_keys: [{{alias: file, key: {FILE_KEY}, models: ["v/*"]}}]
"""
V_M, V_N = ModelName("v/m"), ModelName("v/n")
CHAT = InterfaceId("open_ai")
P, ACME = ProviderId("p"), TenantId("acme")


def model(name: str, *, title: str = "", upstream: str = "m", provider: str = "p") -> bytes:
    endpoint = {"provider": provider, "interfaces": ["open_ai"], "as": upstream}
    return json.dumps({"name": name, "kind": "chat", "title": title, "endpoints": [endpoint]}).encode()


class Bench:
    """A publisher, and a keeper that reads what it publishes."""

    def __init__(self, press: Press) -> None:
        self.press = press
        self.vaults = 0
        self.has_master_key = True
        self.alarms: list[tuple[str, str]] = []
        self.keeper = self.new_keeper()

    def new_keeper(self) -> SnapshotKeeper:
        means = Means(
            make=candidate,
            account_of=no_account,
            vault=self._vault,
            on_alarm=lambda name, message: self.alarms.append((name, message)),
        )
        return SnapshotKeeper(self.press.settings, means)

    def _vault(self) -> Vault:
        self.vaults += 1
        if not self.has_master_key:
            raise VaultError("the master key is gone")
        return open_vault(self.press.home, None)

    def key(self, alias: str) -> VirtualKey | None:
        return self.keeper.snapshot.keys.get(digest(text_of(alias)))

    def put_credential(
        self, name: str, secret: str, tenant: str = "", *, envelope: bytes | None = None
    ) -> None:
        owner = TenantId(tenant)
        credential = credentials.make_id(owner, P, name)
        sealed = open_vault(self.press.home, None).encrypt(
            Secret(secret), credentials.place_of(owner, credential)
        )
        new = credentials.NewCredential(
            id=credential,
            tenant=owner,
            provider=P,
            name=name,
            secret=Secret(secret),
            envelope=envelope or sealed,
            enabled=True,
            at_s=1.0,
        )
        self.press.write(lambda db: credentials.insert_credential(db, new))

    def publish(self) -> None:
        """And take over."""
        assert self.press.publisher.step()
        assert asyncio.run(self.keeper.refresh())

    def reach(self, tenant: str = "default", route: Route | None = None) -> list[tuple[str, str]]:
        """Name of the credential and secret, in the order in which calls for the model ``v/m`` try them."""
        snapshot = self.keeper.snapshot
        found = snapshot.catalog.found["v/m"]
        ranking = snapshot.supply.ranking(snapshot.supply.of(TenantId(tenant)), route or Route(), found, CHAT)
        return [(one.name, _bearer(one.head.reveal())) for one in ranking.candidates]


def _bearer(head: bytes) -> str:
    return head.partition(b"Bearer ")[2].partition(b"\r\n")[0].decode()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with opened_store(default_url(tmp_path)) as store:
        bench = Bench(Press(store, tmp_path, FILE))
        yield bench
        bench.keeper.close()
        bench.press.close()


def test_without_a_publication_the_file_serves(bench: Bench) -> None:
    key = bench.keeper.snapshot.keys.get(digest(Secret(FILE_KEY)))
    assert key is not None
    assert key.id == KeyId("file:file")
    assert key.models == frozenset({V_M})
    assert bench.reach() == [("default", "sk-of-the-file")]
    assert bench.keeper.version == 0
    assert not asyncio.run(bench.keeper.refresh())
    assert bench.alarms == []
    assert bench.vaults == 0, "a worker that has nothing to open makes no master key"


def test_the_last_publication_is_there_from_the_start(bench: Bench) -> None:
    bench.press.make_key("a")
    bench.press.put_overlay(OverlayKind.MODEL, "v/n", model("v/n"))
    bench.put_credential("spare", "sk-spare")
    bench.press.publisher.step()
    bench.keeper.close()
    bench.keeper = bench.new_keeper()
    assert bench.key("a") is not None
    assert V_N in bench.keeper.snapshot.catalog.models
    assert [name for name, _ in bench.reach()] == ["default", "spare"]
    assert bench.keeper.version == 1


def test_a_change_of_keys_changes_nothing_else(bench: Bench) -> None:
    stays, goes = bench.press.make_key("stays"), bench.press.make_key("goes")
    bench.publish()
    before = bench.keeper.snapshot
    kept = bench.key("stays")
    assert kept is not None
    assert bench.key("goes") is not None
    at_s = bench.press.clock.wall_s()
    bench.press.write(lambda db: virtual_keys.delete_key(db, goes, at_s))
    bench.press.make_key("comes")
    bench.publish()
    after = bench.keeper.snapshot
    assert bench.key("goes") is None
    assert bench.key("comes") is not None
    assert bench.key("stays") is kept
    assert after.catalog is before.catalog
    assert after.supply is before.supply
    assert after.version == before.version + 1
    bench.press.write(lambda db: virtual_keys.set_enabled(db, stays, False, at_s))
    bench.publish()
    key = bench.key("stays")
    assert key is not None
    assert not key.enabled
    # A call that began before goes on with its own.
    assert before.keys.get(digest(text_of("goes"))) is not None


def test_a_change_of_a_tenant_keeps_the_catalogue_and_the_rankings(bench: Bench) -> None:
    bench.press.make_key("a")
    bench.publish()
    before = bench.keeper.snapshot
    found = bench.press.write(lambda db: tenants.find_tenant(db, TenantId("default")))
    assert found is not None
    terms = structs.replace(found.terms, status=TenantStatus.OVERDUE)
    bench.press.write(lambda db: tenants.change_tenant(db, found, terms, 1.0))
    bench.publish()
    after = bench.keeper.snapshot
    assert after.tenants[TenantId("default")].status is TenantStatus.OVERDUE
    assert after.catalog is before.catalog
    assert after.supply is before.supply


def test_credentials_of_the_database_serve_and_go(bench: Bench) -> None:
    bench.put_credential("spare", "sk-spare")
    bench.put_credential("mine", "sk-mine", "acme")
    bench.publish()
    assert bench.reach() == [("default", "sk-of-the-file"), ("spare", "sk-spare")]
    assert bench.reach("acme") == [
        ("mine", "sk-mine"),
        ("default", "sk-of-the-file"),
        ("spare", "sk-spare"),
    ]
    bench.press.write(lambda db: credentials.delete_credential(db, CredentialId("byok:acme/p/mine")))
    bench.publish()
    assert bench.reach("acme") == bench.reach()
    assert bench.alarms == []


def test_a_credential_that_does_not_open_is_left_out(bench: Bench) -> None:
    bench.put_credential("good", "sk-good")
    bench.put_credential("bad", "sk-bad", envelope=b"\x01abcd" + bytes(40))
    bench.put_credential("worse", "sk bad for headers")
    bench.publish()
    assert bench.reach() == [("default", "sk-of-the-file"), ("good", "sk-good")]
    ((name, message),) = bench.alarms
    assert name == "credentials"
    assert message == "not used: db:p/bad: the secret was encrypted under another master key (and 1 more)"
    bench.press.write(lambda db: credentials.delete_credential(db, CredentialId("db:p/bad")))
    bench.press.write(lambda db: credentials.delete_credential(db, CredentialId("db:p/worse")))
    bench.publish()
    assert bench.alarms[1:] == [("credentials", "")]


def test_without_a_master_key_the_rest_goes_on(bench: Bench) -> None:
    bench.put_credential("spare", "sk-spare")
    bench.press.make_key("a")
    bench.has_master_key = False
    bench.publish()
    assert bench.key("a") is not None
    assert bench.reach() == [("default", "sk-of-the-file")]
    assert bench.alarms == [("credentials", "none of the database is used: the master key is gone")]


def test_the_place_of_a_credential_is_the_one_it_was_sealed_for(bench: Bench) -> None:
    bench.put_credential("mine", "sk-mine", "acme")
    bench.put_credential("spare", "sk-spare")
    bench.press.publisher.step()
    for policy in bench.press.published.world.credentials:
        assert place_of(policy) == credentials.place_of(policy.tenant or TenantId(""), policy.id)


def test_entries_come_change_and_go(bench: Bench) -> None:
    name = EndpointName("p@v/n@open_ai")
    bench.press.put_overlay(OverlayKind.MODEL, "v/n", model("v/n"))
    bench.publish()
    before = bench.keeper.snapshot
    assert before.catalog.endpoints[name].upstream_name == "m"
    key = before.keys.get(digest(Secret(FILE_KEY)))
    assert key is not None
    assert key.models == frozenset({V_M, V_N})
    bench.press.put_overlay(OverlayKind.MODEL, "v/n", model("v/n", upstream="other"))
    bench.publish()
    assert bench.keeper.snapshot.catalog.endpoints[name].upstream_name == "other"
    assert before.catalog.endpoints[name].upstream_name == "m"
    bench.press.write(lambda db: delete_overlay(db, OverlayKind.MODEL, "v/n"))
    bench.publish()
    assert V_N not in bench.keeper.snapshot.catalog.models
    assert V_M in bench.keeper.snapshot.catalog.models


def test_entries_that_do_not_fit_this_workers_file(bench: Bench, tmp_path: Path) -> None:
    """The control process has read another file than this worker: a reload is under way."""
    bench.press.put_overlay(OverlayKind.MODEL, "v/n", model("v/n"))
    bench.publish()
    before = bench.keeper.snapshot
    document = model("v/n", provider="q")
    bench.press.publisher.close()
    wider = Press(bench.press.store, tmp_path, FILE.replace("providers: {", f"providers: {{q: {SPEAKS}, "))
    wider.put_overlay(OverlayKind.MODEL, "v/n", document)
    wider.make_key("goes on")
    assert wider.publisher.step()
    assert wider.published.world.models[V_N] == document
    assert asyncio.run(bench.keeper.refresh())
    assert bench.keeper.snapshot.catalog is before.catalog
    assert bench.key("goes on") is not None
    assert bench.alarms == [("entries", "not used: models.v/n.endpoints.0.provider: unknown provider 'q'")]
    wider.close()


def test_what_is_damaged_changes_nothing(bench: Bench) -> None:
    bench.press.make_key("a")
    bench.publish()
    before = bench.keeper.snapshot
    bench.press.make_key("b")
    bench.press.publisher.step()
    (bench.press.directory / "current.json").write_bytes(b"{")
    assert not asyncio.run(bench.keeper.refresh())
    assert bench.keeper.snapshot is before
    assert [name for name, _ in bench.alarms] == ["publication_bad"]
    bench.press.publisher.step()
    assert asyncio.run(bench.keeper.refresh())
    assert bench.key("b") is not None
    assert bench.alarms[1:] == [("publication_bad", "")]


def test_old_snapshots_are_taken_apart_when_nobody_uses_them(bench: Bench) -> None:
    bench.press.make_key("a")
    bench.press.put_overlay(OverlayKind.MODEL, "v/n", model("v/n"))
    bench.publish()
    in_use = bench.keeper.snapshot
    assert bench.key("a") is not None
    bench.press.make_key("b")
    bench.publish()
    # A later one with the same catalogue goes unused.
    bench.press.put_overlay(OverlayKind.MODEL, "v/n", model("v/n", title="x"))
    bench.publish()
    for _ in range(5):
        asyncio.run(bench.keeper.refresh())
    assert V_N in in_use.catalog.models
    assert in_use.keys.get(digest(text_of("a"))) is not None
    catalog = in_use.catalog
    del in_use
    until_s = time.monotonic() + 5
    # The thread, too, lets go of it only a moment after it gave its result.
    while bench.keeper._old and time.monotonic() < until_s:
        asyncio.run(bench.keeper.refresh())
        time.sleep(0.001)
    assert catalog.models == {}
    assert catalog.found == {}
    # What is in force, and what the settings hold, stays.
    assert V_N in bench.keeper.snapshot.catalog.models
    assert V_M in bench.press.settings.catalog.models
    assert bench.keeper._old == []


# Calls do not wait.

BAR_MS = 20.0


@asynccontextmanager
async def longest_gap(gaps: list[float]) -> AsyncIterator[None]:
    """Appends the longest time, in milliseconds, that this process spent elsewhere before the loop came round again.
    Time of the processor, so that a busy machine is not taken for a busy process."""
    longest = 0.0

    async def tick() -> None:
        nonlocal longest
        last = time.process_time()
        while True:
            await asyncio.sleep(0.001)
            now = time.process_time()
            longest = max(longest, now - last)
            last = now

    ticker = asyncio.get_running_loop().create_task(tick())
    try:
        yield
    finally:
        ticker.cancel()
        gaps.append(longest * 1000)


def fill(press: Press, *, models: int, round_number: int) -> None:
    """Five endpoints each."""
    names = [f"p{number}" for number in range(5)]
    provider = json.dumps({"base_url": "https://p.example", "speaks": {"open_ai": {}}}).encode()
    press.put_overlays(OverlayKind.PROVIDER, dict.fromkeys(names, provider))
    tiers = [{"up_to": 32_000, "input": "1.2", "output": "4"}, {"input": "2", "output": "9"}]
    endpoints = [
        {
            "provider": name,
            "interfaces": ["open_ai"],
            "as": "upstream",
            "price": {"currency": "CNY", "tiers": tiers},
        }
        for name in names
    ]
    entry = {"kind": "chat", "title": f"Round {round_number}", "endpoints": endpoints}
    made = [f"v{number % 20}/model-{number}" for number in range(models)]
    press.put_overlays(
        OverlayKind.MODEL, {name: json.dumps({"name": name} | entry).encode() for name in made}
    )


def longest_gaps(bench: Bench, *, models: int, in_use: list[bytes], rounds: int) -> list[float]:
    """One of each of several publications in which every model changed, until the one before is gone."""
    gaps: list[float] = []

    async def run() -> None:
        for number in range(rounds):
            fill(bench.press, models=models, round_number=number)
            assert bench.press.publisher.step()
            for one in in_use:
                assert bench.keeper.snapshot.keys.get(one) is not None
            async with longest_gap(gaps):
                assert await bench.keeper.refresh()
                while bench.keeper._old:
                    await asyncio.sleep(0.002)
                    await bench.keeper.refresh()

    interval_s = sys.getswitchinterval()
    asyncio.run(run())
    assert sys.getswitchinterval() == interval_s
    assert gc.isenabled()
    return gaps


def test_calls_do_not_wait_for_a_publication(bench: Bench) -> None:
    gaps = longest_gaps(bench, models=60, in_use=[], rounds=5)
    # Of several: threads take turns by a clock that goes on while the machine does other things.
    assert statistics.median_low(gaps) < BAR_MS, gaps
    assert len(bench.keeper.snapshot.catalog.models) > 60


@pytest.mark.long
def test_soak_of_a_large_publication(bench: Bench) -> None:
    """1,000 models with 5,000 endpoints, 100,000 keys of which 15,000 are in use."""
    aliases = [f"many {number}" for number in range(100_000)]
    bench.press.make_keys(aliases, KeyTerms(alias="", models=("v1/*",), labels={"team": "a"}))
    bench.publish()
    in_use = [digest(text_of(alias)) for alias in aliases[:15_000]]
    gaps = longest_gaps(bench, models=1_000, in_use=in_use, rounds=6)
    print("longest gaps in ms:", [round(gap, 1) for gap in gaps])
    assert statistics.median_low(gaps) < BAR_MS, gaps
