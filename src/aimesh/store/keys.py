"""Virtual keys: made here, looked up by digest, shown in full once or, where the setting allows, again.

1. The text of a key is stored as SHA-256 and, if there is a vault, as an envelope; never as it is.
2. An alias is unique within a tenant among the keys that are not deleted.
3. Every change moves ``version``, in the same transaction: a worker that sees the number unmoved has every
   key.
4. Deleting keeps the row, for the usage records that name it, and forgets the text for good.
"""

import hashlib
import secrets
import string

import msgspec
from msgspec import Struct

from aimesh.core.clock import Clock
from aimesh.core.ids import DEFAULT_TENANT, KeyId, TenantId
from aimesh.core.secret import Secret, masked
from aimesh.store.database import Database, Row, Session, Value
from aimesh.store.vault import Place, Vault

PREFIX = "ck-"
_LENGTH = 40
_ALPHABET = string.digits + string.ascii_letters
_KIND = "virtual_key"


class KeyDraft(Struct, frozen=True):
    alias: str
    tenant: TenantId = DEFAULT_TENANT
    allowed_models: tuple[str, ...] = ()
    """Patterns; empty: every model."""
    allowed_cidrs: tuple[str, ...] = ()
    """Source networks; empty: any."""
    expires_at_s: float | None = None
    labels: dict[str, str] = {}


class StoredKey(Struct, frozen=True):
    id: KeyId
    tenant: TenantId
    alias: str
    sha256: bytes
    """Digest of the key's text."""
    masked: str
    enabled: bool
    allowed_models: tuple[str, ...]
    allowed_cidrs: tuple[str, ...]
    expires_at_s: float | None
    labels: dict[str, str]
    created_at_s: float
    updated_at_s: float


class MadeKey(Struct, frozen=True):
    key: StoredKey
    text: Secret[str]


class LoadedKeys(Struct, frozen=True):
    version: int
    """As ``version`` gave it when the keys were read."""
    keys: tuple[StoredKey, ...]
    """Disabled and expired ones too: their callers are told so."""


_COLUMNS = """id, tenant, alias, sha256, masked, enabled, allowed_models, allowed_cidrs, expires_at_s, labels,
    created_at_s, updated_at_s"""

_INSERT = f"""
INSERT INTO virtual_keys ({_COLUMNS}, ciphertext) VALUES (
    :id, :tenant, :alias, :sha256, :masked, TRUE, :allowed_models, :allowed_cidrs, :expires_at_s, :labels,
    :now_s, :now_s, :ciphertext
)"""  # noqa: S608 - the columns above

_ALL = f"SELECT {_COLUMNS} FROM virtual_keys WHERE NOT deleted ORDER BY created_at_s, id"  # noqa: S608 - as above
_ONE = f"SELECT {_COLUMNS} FROM virtual_keys WHERE id = :id AND NOT deleted"  # noqa: S608 - as above
_NAMED = f"SELECT {_COLUMNS} FROM virtual_keys WHERE tenant = :tenant AND alias = :alias AND NOT deleted"  # noqa: S608

_ENABLE = """
UPDATE virtual_keys SET enabled = :enabled, updated_at_s = :now_s WHERE id = :id AND NOT deleted"""

_DELETE = """
UPDATE virtual_keys SET deleted = TRUE, enabled = FALSE, ciphertext = NULL, updated_at_s = :now_s
WHERE id = :id AND NOT deleted"""

_MOVE = """
INSERT INTO versions (name, number) VALUES ('keys', 1)
ON CONFLICT (name) DO UPDATE SET number = versions.number + 1"""

_VERSION = "SELECT number FROM versions WHERE name = 'keys'"


def make_text() -> Secret[str]:
    return Secret(PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH)))


def digest(text: Secret[str]) -> bytes:
    """What a key is looked up by. The text is 238 random bits: it needs no salt and no slow hash."""
    return hashlib.sha256(text.reveal().encode()).digest()


class KeyStore:
    """``vault`` None: only the hash is stored, and ``reveal`` gives nothing."""

    def __init__(self, database: Database, clock: Clock, vault: Vault | None) -> None:
        self._database = database
        self._clock = clock
        self._vault = vault

    async def create_key(self, draft: KeyDraft) -> MadeKey:
        """Raises ``DuplicateError`` when the tenant has a key with this alias."""
        text = make_text()
        now_s = self._clock.wall_s()
        # Sorts by time of creation.
        key_id = KeyId(f"key-{int(now_s * 1000):012x}{secrets.token_hex(6)}")
        place = Place(_KIND, draft.tenant, key_id)
        values: dict[str, Value] = {
            "id": key_id,
            "tenant": draft.tenant,
            "alias": draft.alias,
            "sha256": digest(text),
            "masked": masked(text.reveal()),
            "allowed_models": _encode(draft.allowed_models),
            "allowed_cidrs": _encode(draft.allowed_cidrs),
            "expires_at_s": draft.expires_at_s,
            "labels": _encode(draft.labels),
            "now_s": now_s,
            "ciphertext": self._vault.encrypt(text, place) if self._vault is not None else None,
        }

        def work(session: Session) -> StoredKey:
            session.change(_INSERT, values)
            session.change(_MOVE)
            row = session.one(_ONE, {"id": key_id})
            assert row is not None
            return _key(row)

        return MadeKey(key=await self._database.write(work), text=text)

    async def list_keys(self, tenant: TenantId | None = None) -> list[StoredKey]:
        """Oldest first; None: of every tenant."""
        keys = (await self.load_keys()).keys
        return [key for key in keys if tenant is None or key.tenant == tenant]

    async def find(self, key_id: KeyId) -> StoredKey | None:
        row = await self._database.read(lambda session: session.one(_ONE, {"id": key_id}))
        return _key(row) if row is not None else None

    async def find_alias(self, alias: str, tenant: TenantId = DEFAULT_TENANT) -> StoredKey | None:
        values: dict[str, Value] = {"tenant": tenant, "alias": alias}
        row = await self._database.read(lambda session: session.one(_NAMED, values))
        return _key(row) if row is not None else None

    async def set_enabled(self, key_id: KeyId, enabled: bool) -> bool:
        """False: there is no such key."""
        return await self._change(_ENABLE, {"id": key_id, "enabled": enabled})

    async def delete(self, key_id: KeyId) -> bool:
        """False: there is no such key."""
        return await self._change(_DELETE, {"id": key_id})

    async def reveal(self, key_id: KeyId) -> Secret[str] | None:
        """The key's text, or None where only its hash is stored. Whoever shows it records that. Raises
        ``VaultError`` when the master key is not the one it was encrypted under."""
        sql = "SELECT tenant, ciphertext FROM virtual_keys WHERE id = :id AND NOT deleted"
        row = await self._database.read(lambda session: session.one(sql, {"id": key_id}))
        if row is None or row["ciphertext"] is None or self._vault is None:
            return None
        return self._vault.decrypt(row["ciphertext"], Place(_KIND, TenantId(row["tenant"]), key_id))

    async def load_keys(self) -> LoadedKeys:
        """Every key, with the version that they are of."""

        def work(session: Session) -> LoadedKeys:
            return LoadedKeys(version=_version(session), keys=tuple(_key(row) for row in session.all(_ALL)))

        return await self._database.read(work)

    async def version(self) -> int:
        """Moves with every change by any process. One row: cheap enough to ask every half second."""
        return await self._database.read(_version)

    async def _change(self, sql: str, values: dict[str, Value]) -> bool:
        def work(session: Session) -> bool:
            changed = session.change(sql, {**values, "now_s": self._clock.wall_s()}) > 0
            if changed:
                session.change(_MOVE)
            return changed

        return await self._database.write(work)


def _version(session: Session) -> int:
    row = session.one(_VERSION)
    return int(row["number"]) if row is not None else 0


def _encode(value: tuple[str, ...] | dict[str, str]) -> str:
    return msgspec.json.encode(value).decode()


def _key(row: Row) -> StoredKey:
    return StoredKey(
        id=row["id"],
        tenant=row["tenant"],
        alias=row["alias"],
        sha256=row["sha256"],
        masked=row["masked"],
        enabled=bool(row["enabled"]),
        allowed_models=msgspec.json.decode(row["allowed_models"], type=tuple[str, ...]),
        allowed_cidrs=msgspec.json.decode(row["allowed_cidrs"], type=tuple[str, ...]),
        expires_at_s=row["expires_at_s"],
        labels=msgspec.json.decode(row["labels"], type=dict[str, str]),
        created_at_s=row["created_at_s"],
        updated_at_s=row["updated_at_s"],
    )
