"""Credentials towards providers, as the control plane keeps them: the platform's, and BYOK of a tenant.

1. A secret is stored as an envelope of the vault, bound to its owner and id; no question but ``envelope_of``
   gives it back.
2. A name is unique within its owner: routes and records show it. The id is made from the first name and stays when
   the name changes, because running tasks and records hold on to it.
3. Every change that the data plane must see moves the number of "world"; the result of a test does not.
"""

from typing import Any

from msgspec import Struct, structs
from sqlalchemy import Row, delete, insert, select, update

from aimesh.core.ids import CredentialId, ProviderId, TenantId
from aimesh.core.secret import Secret, masked
from aimesh.store.changes import bump
from aimesh.store.engine import Connection
from aimesh.store.tables import CREDENTIALS
from aimesh.store.vault import Place

PLATFORM = TenantId("")
"""Owner of the built-in credentials."""
_KIND = "credential"


class CredentialTest(Struct, frozen=True):
    """What the last real call with a credential gave."""

    ok: bool
    at_s: float
    latency_ms: int
    message: str


class StoredCredential(Struct, frozen=True):
    id: CredentialId
    tenant: TenantId
    """``PLATFORM``, or whose it is."""
    provider: ProviderId
    name: str
    masked: str
    enabled: bool
    test: CredentialTest | None
    created_at_s: float
    updated_at_s: float
    version: int


class NewCredential(Struct, frozen=True):
    id: CredentialId
    tenant: TenantId
    provider: ProviderId
    name: str
    secret: Secret[str]
    envelope: bytes
    enabled: bool
    at_s: float


class CredentialEdit(Struct, frozen=True):
    """What to change; None: as it is."""

    name: str | None = None
    enabled: bool | None = None
    secret: Secret[str] | None = None
    envelope: bytes | None = None
    """Of ``secret``: the two come together."""


def make_id(tenant: TenantId, provider: ProviderId, name: str, *, number: int = 1) -> CredentialId:
    """As records show it. ``number``: above 1 where an older credential that was renamed has the plain one."""
    owner = f"byok:{tenant}" if tenant else "db:"
    joined = f"{owner}/{provider}/{name}" if tenant else f"{owner}{provider}/{name}"
    return CredentialId(joined if number == 1 else f"{joined}~{number}")


def place_of(tenant: TenantId, credential: CredentialId) -> Place:
    return Place(_KIND, tenant, credential)


_COLUMNS = tuple(column for column in CREDENTIALS.c if column.name != "envelope")


def insert_credential(db: Connection, new: NewCredential) -> StoredCredential:
    """A name that is taken raises ``DuplicateError`` when the transaction is left."""
    shown = masked(new.secret.reveal())
    db.execute(
        insert(CREDENTIALS).values(
            id=new.id,
            tenant=new.tenant,
            provider=new.provider,
            name=new.name,
            envelope=new.envelope,
            masked=shown,
            enabled=new.enabled,
            created_at_s=new.at_s,
            updated_at_s=new.at_s,
            version=1,
        )
    )
    bump(db, "world")
    return StoredCredential(
        id=new.id,
        tenant=new.tenant,
        provider=new.provider,
        name=new.name,
        masked=shown,
        enabled=new.enabled,
        test=None,
        created_at_s=new.at_s,
        updated_at_s=new.at_s,
        version=1,
    )


def find_credential(db: Connection, credential: CredentialId) -> StoredCredential | None:
    row = db.execute(select(*_COLUMNS).where(CREDENTIALS.c.id == credential)).one_or_none()
    return _credential(row) if row is not None else None


def list_credentials(db: Connection, tenant: TenantId) -> list[StoredCredential]:
    """All of an owner's, by name: there are dozens, not thousands."""
    query = select(*_COLUMNS).where(CREDENTIALS.c.tenant == tenant).order_by(CREDENTIALS.c.name)
    return [_credential(row) for row in db.execute(query)]


def envelope_of(db: Connection, credential: CredentialId) -> bytes | None:
    envelope: bytes | None = db.execute(
        select(CREDENTIALS.c.envelope).where(CREDENTIALS.c.id == credential)
    ).scalar_one_or_none()
    return envelope


def update_credential(
    db: Connection, before: StoredCredential, edit: CredentialEdit, at_s: float
) -> StoredCredential | None:
    """None: another change came between."""
    after = structs.replace(
        before,
        name=before.name if edit.name is None else edit.name,
        enabled=before.enabled if edit.enabled is None else edit.enabled,
        masked=before.masked if edit.secret is None else masked(edit.secret.reveal()),
        # A new secret was never tested.
        test=before.test if edit.secret is None else None,
        updated_at_s=at_s,
        version=before.version + 1,
    )
    values: dict[str, Any] = {
        "name": after.name,
        "enabled": after.enabled,
        "updated_at_s": at_s,
        "version": after.version,
    }
    if edit.secret is not None:
        values |= {"envelope": edit.envelope, "masked": after.masked} | _test_columns(None)
    touched = db.execute(
        update(CREDENTIALS)
        .where(CREDENTIALS.c.id == before.id, CREDENTIALS.c.version == before.version)
        .values(**values)
    )
    if touched.rowcount == 0:
        return None
    bump(db, "world")
    return after


def delete_credential(db: Connection, credential: CredentialId) -> None:
    db.execute(delete(CREDENTIALS).where(CREDENTIALS.c.id == credential))
    bump(db, "world")


def note_test(db: Connection, credential: StoredCredential, test: CredentialTest) -> None:
    """Kept only while the secret that was tested is the one that is stored."""
    db.execute(
        update(CREDENTIALS)
        .where(CREDENTIALS.c.id == credential.id, CREDENTIALS.c.masked == credential.masked)
        .values(**_test_columns(test))
    )


def _test_columns(test: CredentialTest | None) -> dict[str, Any]:
    return {
        "test_ok": None if test is None else test.ok,
        "test_at_s": None if test is None else test.at_s,
        "test_ms": None if test is None else test.latency_ms,
        "test_message": None if test is None else test.message,
    }


# A row of a SQLAlchemy query has columns of any type.
def _credential(row: Row[Any]) -> StoredCredential:
    test = None
    if row.test_ok is not None:
        test = CredentialTest(
            ok=row.test_ok, at_s=row.test_at_s, latency_ms=row.test_ms, message=row.test_message
        )
    return StoredCredential(
        id=row.id,
        tenant=row.tenant,
        provider=row.provider,
        name=row.name,
        masked=row.masked,
        enabled=row.enabled,
        test=test,
        created_at_s=row.created_at_s,
        updated_at_s=row.updated_at_s,
        version=row.version,
    )
