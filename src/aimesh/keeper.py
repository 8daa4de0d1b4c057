"""Keeps a worker's snapshot up to date: what the operator's file says with what the control process published.

1. What is expensive happens on a thread, in small steps that give way to calls, with the collector of garbage held
   back; a snapshot is complete before any call sees it.
2. Only what changed is made anew: a change of keys keeps the catalogue and everything that was worked out from it, a
   change of tenants or credentials keeps the catalogue.
3. What cannot be used changes nothing and is reported once. Entries of the database that do not fit leave the last
   ones that did; a credential that does not open is left out.
4. A worker without a publication serves the file's keys.
5. A snapshot that no call uses any more is taken apart little by little.
"""

import asyncio
import gc
import sys
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from hashlib import sha256

from msgspec import Struct, structs

from aimesh.catalog.problem import ConfigError
from aimesh.catalog.snapshot import Catalog
from aimesh.core.policy import CredentialPolicy, KeyPolicy
from aimesh.dataplane.keyring import AccountOf, KeyCompiler, Keyring
from aimesh.dataplane.snapshot import Snapshot, compile_snapshot
from aimesh.routing.candidate import Credential, Make
from aimesh.routing.supply import Supply
from aimesh.settings import (
    Settings,
    is_header_text,
    is_simulated,
    overlaid_catalog,
    read_overlays,
    with_catalog,
)
from aimesh.store.publication import (
    EMPTY_WORLD,
    Publication,
    Published,
    World,
    place_of,
    published_directory,
)
from aimesh.store.vault import Vault, VaultError

POLL_S = 0.2
"""How soon a publication is seen."""
SWITCH_S = 0.0005
"""How long the thread may keep calls waiting at a time."""
FORGOTTEN_AT_ONCE = 500
"""Of each sort, per poll, that an old snapshot lets go of: freeing it all at once would hold calls up."""

OnAlarm = Callable[[str, str], None]
"""A short name and a safe text; an empty text: it is well again."""


class Means(Struct, frozen=True):
    """What a keeper is given; put together by ``app.py``."""

    make: Make
    account_of: AccountOf
    vault: Callable[[], Vault]
    """Asked only when there is something to open. Raises ``VaultError``."""
    on_alarm: OnAlarm


class _Made(Struct, frozen=True):
    """A snapshot, and what it was made of."""

    published: Published | None
    entries: World
    """Those of its providers and models are in force."""
    catalog: Catalog
    credentials: tuple[Credential, ...]
    """Of the database, opened."""
    compiler: KeyCompiler
    keys: Keyring
    snapshot: Snapshot


_Part = Keyring | Supply | Catalog


class SnapshotKeeper:
    """One per worker."""

    def __init__(self, settings: Settings, means: Means) -> None:
        """Blocks: reads what was published last."""
        self._settings = settings
        self._means = means
        self._alarms: dict[str, str] = {}
        self._file_keys = file_policies(settings)
        self._publication = Publication(published_directory(settings.home), self._alarm)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="snapshot")
        self._old: list[_Part] = []
        """Of snapshots that were replaced."""
        self._used: list[weakref.ref[Snapshot]] = []
        """Snapshots that were replaced and that a call may still have."""
        self._now = self._first(self._publication.poll())

    @property
    def snapshot(self) -> Snapshot:
        return self._now.snapshot

    @property
    def version(self) -> int:
        """Of what was published; 0: nothing was."""
        return self._now.published.version if self._now.published is not None else 0

    async def refresh(self) -> bool:
        """Takes over what was published since; whether anything was. For one child, every ``POLL_S``."""
        if self._old:
            self._take_apart()
        if not self._publication.has_moved():
            return False
        loop = asyncio.get_running_loop()
        before = self._now
        published = await loop.run_in_executor(self._thread, self._publication.poll)
        if published is None:
            return False
        self._well("publication_bad")
        if before.published is not None and published.world is before.published.world:
            changed = await loop.run_in_executor(
                self._thread, published.keys.changed_since, before.published.keys
            )
            self._replace(self._with_keys(before, published, changed), is_kin=changed is not None)
        else:
            made = await loop.run_in_executor(self._thread, self._apart, published, before)
            self._replace(made, is_kin=False)
        return True

    def close(self) -> None:
        self._thread.shutdown(wait=True)

    def _first(self, published: Published | None) -> _Made:
        world = EMPTY_WORLD if published is None else published.world
        entries, catalog = self._merged(world, EMPTY_WORLD, self._settings.catalog)
        return self._made(published, entries, catalog, self._opened(world.credentials))

    def _apart(self, published: Published, before: _Made) -> _Made:
        """On the thread: everything but the keys may be another."""
        with _giving_way():
            world = published.world
            entries, catalog = self._merged(world, before.entries, before.catalog)
            old = EMPTY_WORLD if before.published is None else before.published.world
            credentials = before.credentials
            if world.credentials != old.credentials:
                credentials = self._opened(world.credentials)
            made = self._made(published, entries, catalog, credentials)
            if catalog is before.catalog and credentials is before.credentials:
                # What was worked out about the order of attempts still holds.
                snapshot = structs.replace(made.snapshot, supply=before.snapshot.supply)
                made = structs.replace(made, snapshot=snapshot)
            return made

    def _made(
        self,
        published: Published | None,
        entries: World,
        catalog: Catalog,
        credentials: tuple[Credential, ...],
    ) -> _Made:
        world = EMPTY_WORLD if published is None else published.world
        settings = with_catalog(self._settings, catalog, credentials)
        tenants = {tenant.id: tenant for tenant in world.tenants}
        compiler = KeyCompiler(catalog, tenants, self._means.account_of)
        table = None if published is None else published.keys
        keys = Keyring(self._file_keys, table, compiler, self._bad_key)
        snapshot = compile_snapshot(
            0 if published is None else published.version,
            catalog,
            keys=keys,
            credentials=(*(one for held in settings.credentials.values() for one in held), *settings.byok),
            make=self._means.make,
        )
        return _Made(
            published=published,
            entries=entries,
            catalog=catalog,
            credentials=credentials,
            compiler=compiler,
            keys=keys,
            snapshot=structs.replace(snapshot, tenants=tenants),
        )

    def _with_keys(self, before: _Made, published: Published, changed: set[bytes] | None) -> _Made:
        """Only keys changed. ``changed`` None: any may have."""
        if changed is None:
            keys = Keyring(self._file_keys, published.keys, before.compiler, self._bad_key)
        else:
            keys = before.keys.after(published.keys, changed)
        snapshot = structs.replace(before.snapshot, version=published.version, keys=keys)
        return structs.replace(before, published=published, keys=keys, snapshot=snapshot)

    def _merged(self, world: World, before: World, catalog: Catalog) -> tuple[World, Catalog]:
        """The entries that are in force from now on, and the catalogue with them; ``catalog`` is the one with those
        that were before."""
        if world.providers == before.providers and world.models == before.models:
            self._well("entries")
            return world, catalog
        try:
            merged = overlaid_catalog(self._settings, read_overlays(world.providers, world.models))
        except ConfigError as error:
            self._alarm("entries", f"not used: {error.described()}")
            return before, catalog
        self._well("entries")
        return world, merged

    def _opened(self, policies: tuple[CredentialPolicy, ...]) -> tuple[Credential, ...]:
        """Those that open and may be used; a worker that has none to open needs no master key."""
        if not policies:
            return ()
        try:
            vault = self._means.vault()
        except VaultError as error:
            self._alarm("credentials", f"none of the database is used: {error}")
            return ()
        found: list[Credential] = []
        shut: list[str] = []
        for policy in policies:
            try:
                secret = vault.decrypt(policy.envelope, place_of(policy))
            except VaultError as error:
                shut.append(f"{policy.id}: {error}")
                continue
            if not is_header_text(secret.reveal()):
                shut.append(f"{policy.id}: no header can carry it")
            elif self._settings.simulator and not is_simulated(secret):
                shut.append(f"{policy.id}: the simulator never stands in for a real credential")
            else:
                found.append(
                    Credential(
                        id=policy.id,
                        provider=policy.provider,
                        name=policy.name,
                        secret=secret,
                        tenant=policy.tenant,
                    )
                )
        if shut:
            more = f" (and {len(shut) - 1} more)" if len(shut) > 1 else ""
            self._alarm("credentials", f"not used: {shut[0]}{more}")
        else:
            self._well("credentials")
        return tuple(found)

    def _replace(self, made: _Made, *, is_kin: bool) -> None:
        """``is_kin``: what the old keyring knew is in the new one."""
        before, self._now = self._now, made
        self._used = [one for one in self._used if one() is not None]
        self._used.append(weakref.ref(before.snapshot))
        if not is_kin:
            self._old.append(before.keys)
        if before.snapshot.supply is not made.snapshot.supply:
            self._old.append(before.snapshot.supply)
        # The settings keep their own.
        if before.catalog is not made.catalog and before.catalog is not self._settings.catalog:
            self._old.append(before.catalog)

    def _take_apart(self) -> None:
        """A slice of each part that nobody uses."""
        used = [one for reference in self._used if (one := reference()) is not None]
        parts = {id(part) for one in used for part in (one.keys, one.supply, one.catalog)}
        self._old = [part for part in self._old if id(part) in parts or _forget(part)]

    def _bad_key(self, why: str) -> None:
        self._alarm("keys", f"a key is refused: {why}")

    def _alarm(self, name: str, message: str) -> None:
        if self._alarms.get(name) != message:
            self._alarms[name] = message
            self._means.on_alarm(name, message)

    def _well(self, name: str) -> None:
        if self._alarms.pop(name, ""):
            self._means.on_alarm(name, "")


def file_policies(settings: Settings) -> dict[bytes, KeyPolicy]:
    """The virtual keys declared in the operator's file, by digest."""
    return {
        sha256(key.secret.reveal().encode()).digest(): KeyPolicy(
            id=key.id,
            alias=key.alias,
            tenant=key.tenant,
            enabled=key.enabled,
            expires_at_s=key.expires_at_s or 0.0,
            models=key.patterns,
            networks=key.cidrs,
            labels=key.labels,
            route=key.route,
            limits=key.limits,
        )
        for key in settings.virtual_keys
    }


def _forget(part: _Part) -> bool:
    """A slice of it; whether anything is left."""
    if not isinstance(part, Catalog):
        return part.forget(FORGOTTEN_AT_ONCE)
    tables = (part.found, part.callable, part.endpoints, part.models, part.aliases)
    for table in tables:
        for _ in range(min(FORGOTTEN_AT_ONCE, len(table))):
            table.popitem()
    return any(tables)


@contextmanager
def _giving_way() -> Iterator[None]:
    """Work beside calls. The interpreter switches often, and no collection looks at the half-made: each would walk over
    everything at once. What is left at the end lives long and need not be looked at again."""
    interval_s, was_on = sys.getswitchinterval(), gc.isenabled()
    gc.disable()
    sys.setswitchinterval(SWITCH_S)
    try:
        yield
    finally:
        sys.setswitchinterval(interval_s)
        gc.freeze()
        if was_on:
            gc.enable()
