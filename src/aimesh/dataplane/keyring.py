"""The virtual keys of a snapshot, each compiled when it is first used.

1. The file's keys come first, then what was compiled before, then the table that was published.
2. Only keys that exist are remembered, and not more than ``2 * MOST_RECENT``: a flood of made-up texts fills no memory,
   and an old key makes room for a new one.
3. A keyring is what was published at one moment; its memory is not part of that. A newer publication makes another
   keyring (``after``), which takes over what it knows of keys that did not change.
4. A key that cannot be understood lets nobody in.
"""

import ipaddress
from collections.abc import Callable, Mapping, Set

from aimesh.catalog.snapshot import Catalog
from aimesh.core.ids import ModelName, TenantId
from aimesh.core.policy import KeyPolicy, TenantPolicy
from aimesh.dataplane.hold import Account
from aimesh.dataplane.snapshot import VirtualKey
from aimesh.store.key_table import KeyTable, TableError

MOST_RECENT = 8_192
MOST_PATTERNS = 4_096

AccountOf = Callable[[KeyPolicy, TenantPolicy | None], Account | None]
"""What limits a key's calls; None: nothing does."""


def no_account(_key: KeyPolicy, _tenant: TenantPolicy | None) -> None:
    return None


class KeyCompiler:
    """From policies to keys, against one catalogue and its tenants."""

    __slots__ = ("_account_of", "_allowed", "_catalog", "tenants")

    def __init__(
        self, catalog: Catalog, tenants: Mapping[TenantId, TenantPolicy], account_of: AccountOf
    ) -> None:
        self._catalog = catalog
        self.tenants = tenants
        self._account_of = account_of
        self._allowed: dict[tuple[str, ...], frozenset[ModelName]] = {}
        """Many keys, few sets of patterns."""

    def compile(self, policy: KeyPolicy) -> VirtualKey:
        enabled = policy.enabled
        try:
            networks = tuple(map(ipaddress.ip_network, policy.networks))
        except ValueError:
            networks, enabled = (), False
        tenant = self.tenants.get(policy.tenant)
        return VirtualKey(
            id=policy.id,
            alias=policy.alias,
            tenant=policy.tenant,
            enabled=enabled,
            expires_at_s=policy.expires_at_s,
            models=self._models(policy.models),
            networks=networks,
            labels=policy.labels,
            route=policy.route,
            account=self._account_of(policy, tenant),
        )

    def _models(self, patterns: tuple[str, ...]) -> frozenset[ModelName] | None:
        if not patterns or "*" in patterns:
            return None
        allowed = self._allowed.get(patterns)
        if allowed is None:
            if len(self._allowed) >= MOST_PATTERNS:
                self._allowed.clear()
            allowed = self._allowed[patterns] = self._catalog.allowed(patterns)
        return allowed


class Keyring:
    """See ``dataplane.snapshot.Keys``. Belongs to the event loop."""

    __slots__ = ("_compiler", "_fading", "_file", "_old", "_on_bad", "_recent", "table")

    def __init__(
        self,
        file: Mapping[bytes, KeyPolicy],
        table: KeyTable | None,
        compiler: KeyCompiler,
        on_bad: Callable[[str], None],
    ) -> None:
        """``file``: of the operator's file, by digest. ``on_bad`` is told why a record of the table cannot be read."""
        self._file = file
        self.table = table
        self._compiler = compiler
        self._on_bad = on_bad
        self._recent: dict[bytes, VirtualKey] = {}
        self._old: dict[bytes, VirtualKey] = {}
        self._fading: dict[bytes, VirtualKey] = {}
        """Unused for so long that it goes, a little with each new key: freeing all at once takes milliseconds."""

    def get(self, digest: bytes, /) -> VirtualKey | None:
        key = self._recent.get(digest)
        return key if key is not None else self._found(digest)

    def after(self, table: KeyTable, changed: Set[bytes]) -> "Keyring":
        """With a newer table, of which only the keys ``changed`` differ."""
        newer = Keyring(self._file, table, self._compiler, self._on_bad)
        newer._recent, newer._old = self._recent.copy(), self._old.copy()
        for digest in changed - self._file.keys():
            newer._recent.pop(digest, None)
            newer._old.pop(digest, None)
        return newer

    def forget(self, count: int) -> bool:
        """Lets go of up to ``count`` keys, for a keyring that is about to go itself; whether it knows any more."""
        kept = self._recent or self._old or self._fading
        for _ in range(min(count, len(kept))):
            kept.popitem()
        return bool(self._recent or self._old or self._fading)

    def _found(self, digest: bytes) -> VirtualKey | None:
        key = self._old.pop(digest, None)
        if key is None:
            policy = self._file.get(digest) or self._published(digest)
            if policy is None:
                return None
            key = self._compiler.compile(policy)
        if len(self._recent) >= MOST_RECENT:
            self._recent, self._old, self._fading = {}, self._recent, self._old
        for _ in range(min(2, len(self._fading))):
            self._fading.popitem()
        self._recent[digest] = key
        return key

    def _published(self, digest: bytes) -> KeyPolicy | None:
        if self.table is None:
            return None
        try:
            return self.table.find(digest)
        except (TableError, OSError) as error:
            self._on_bad(str(error))
            return None
