"""What the platform's credentials and those of tenants share: found, shown, kept, changed, tested.

1. The owner is a tenant, or ``PLATFORM``. What is another owner's is 404.
2. A secret goes into an envelope before the transaction and into no answer, error or line of the audit log.
3. What a route of a key names is not taken away or renamed under it: 409 ``CREDENTIAL_IN_USE``, unless forced.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from msgspec import Struct

from aimesh.catalog.problem import did_you_mean, shown_name
from aimesh.catalog.snapshot import Endpoint
from aimesh.control.audit import SECRET, Target, audited
from aimesh.control.credential_test import Trial, choose_endpoint, try_credential
from aimesh.control.errors import Conflict, Detail, Invalid, NotFound, Stale, Unavailable
from aimesh.control.http import check_version
from aimesh.control.identity import Caller
from aimesh.control.parts import Parts
from aimesh.control.schemas_gateway_credentials import (
    CredentialCreate,
    CredentialPatch,
    CredentialView,
    LastTest,
    ProbeAnswer,
    UsedBy,
)
from aimesh.control.texts import shown_time
from aimesh.core.ids import CredentialId, ProviderId, TenantId
from aimesh.core.secret import Secret, masked
from aimesh.settings import Credential, Settings
from aimesh.store import credentials
from aimesh.store.credentials import (
    CredentialEdit,
    CredentialTest,
    NewCredential,
    StoredCredential,
)
from aimesh.store.database import DuplicateError
from aimesh.store.engine import Connection
from aimesh.store.vault import Vault, VaultError
from aimesh.store.virtual_keys import StoredKey, keys_naming
from aimesh.telemetry.logs import Event


class Owned(Struct, frozen=True):
    """Whose credentials an operation is about, and who asks."""

    parts: Parts
    caller: Caller
    owner: TenantId

    @property
    def kind(self) -> str:
        return "byok" if self.owner else "credential"


def find_own(of: Owned, db: Connection, credential: CredentialId) -> StoredCredential:
    found = credentials.find_credential(db, credential)
    if found is None or found.tenant != of.owner:
        if not of.owner and find_of_file(of.parts.settings, credential) is not None:
            raise Conflict(
                "CREDENTIAL_READ_ONLY", "this credential is not from the database; change it where it is set"
            )
        raise not_found()
    return found


def not_found() -> NotFound:
    return NotFound("CREDENTIAL_NOT_FOUND", "there is no such credential")


def of_file(settings: Settings) -> Iterator[tuple[Credential, str]]:
    """Credentials of aimesh.yaml and of variables, with where each is from."""
    for source, held in (("file", settings.sources.declared), ("environment", settings.sources.environment)):
        for credential in (one for several in held.values() for one in several):
            yield credential, source


def find_of_file(settings: Settings, credential: CredentialId) -> tuple[Credential, str] | None:
    return next((found for found in of_file(settings) if found[0].id == credential), None)


def add(of: Owned, body: CredentialCreate) -> CredentialView:
    provider, secret = ProviderId(body.provider), Secret(body.secret.get_secret_value())
    with _naming(body.name), of.parts.store.write() as db:
        check_provider(of, db, provider)
        credential = _free_id(db, of.owner, provider, body.name)
        new = NewCredential(
            id=credential,
            tenant=of.owner,
            provider=provider,
            name=body.name,
            secret=secret,
            envelope=_sealed(of, credential, secret),
            enabled=body.enabled,
            at_s=of.caller.source.at_s,
        )
        made = credentials.insert_credential(db, new)
        changes = {"provider": provider, "name": body.name, "enabled": body.enabled, "secret": SECRET}
        audited(db, of.caller, f"{of.kind}.create", _target(of, made), changes)
    return show(made, ())


def change(
    of: Owned, credential: CredentialId, body: CredentialPatch, if_match: str | None
) -> CredentialView:
    secret = None if body.secret is None else Secret(body.secret.get_secret_value())
    with _naming(body.name or ""), of.parts.store.write() as db:
        found = find_own(of, db, credential)
        check_version(if_match, found.version)
        users = users_of(of, db, found)
        if body.name not in (None, found.name) and users:
            raise _in_use(users, "renamed")
        edit = CredentialEdit(
            name=body.name,
            enabled=body.enabled,
            secret=secret,
            envelope=None if secret is None else _sealed(of, credential, secret),
        )
        changes: dict[str, object] = {
            name: {"from": getattr(found, name), "to": value}
            for name, value in (("name", body.name), ("enabled", body.enabled))
            if value not in (None, getattr(found, name))
        }
        if secret is not None:
            changes["secret"] = SECRET
        if not changes:
            return show(found, users)
        changed = credentials.update_credential(db, found, edit, of.caller.source.at_s)
        if changed is None:
            raise Stale
        audited(db, of.caller, f"{of.kind}.change", _target(of, changed), changes)
    return show(changed, users)


def remove(of: Owned, credential: CredentialId, *, if_match: str | None, force: bool) -> None:
    with of.parts.store.write() as db:
        found = find_own(of, db, credential)
        if if_match is not None:
            check_version(if_match, found.version)
        users = users_of(of, db, found)
        if users and not force:
            raise _in_use(users, "deleted")
        credentials.delete_credential(db, credential)
        changes = {"provider": found.provider, "name": found.name, "forced": bool(users)}
        audited(db, of.caller, f"{of.kind}.delete", _target(of, found), changes)


def try_stored(of: Owned, credential: CredentialId, model: str) -> ProbeAnswer:
    """Tests one that is kept, and notes the result beside it."""
    settings = of.parts.settings
    with of.parts.store.read() as db:
        declared = None if of.owner else find_of_file(settings, credential)
        if declared is None:
            stored = find_own(of, db, credential)
            provider, secret = stored.provider, _opened(of, db, stored)
            target = _target(of, stored)
        else:
            stored, (given, _) = None, declared
            provider, secret = given.provider, given.secret
            target = Target(kind=of.kind, id=given.id, name=given.name, tenant=of.owner)
        endpoint = _endpoint(of, db, provider, model)
    trial = _tried(of, endpoint, secret)
    if trial.latency_ms is not None:
        with of.parts.store.write() as db:
            if stored is not None:
                credentials.note_test(db, stored, _noted(of, trial, trial.latency_ms))
            changes = {"ok": trial.ok, "model": trial.model, "status": trial.status}
            audited(db, of.caller, f"{of.kind}.test", target, changes)
    return _shown_trial(trial)


def try_new(of: Owned, provider: ProviderId, secret: Secret[str], model: str) -> ProbeAnswer:
    """Tests one that is not kept."""
    with of.parts.store.read() as db:
        check_provider(of, db, provider)
        endpoint = _endpoint(of, db, provider, model)
    return _shown_trial(_tried(of, endpoint, secret))


def check_provider(of: Owned, db: Connection, provider: ProviderId) -> None:
    known = of.parts.catalogs.of(of.parts.settings, db).catalog.providers
    if provider not in known:
        message = f"unknown provider {shown_name(provider)}"
        detail = Detail(path="provider", message=message, hint=did_you_mean(provider, known))
        raise Invalid("INVALID_REQUEST", message, details=[detail])


def users_of(of: Owned, db: Connection, credential: StoredCredential) -> list[StoredKey]:
    """Keys whose routes name it. Routes name BYOK credentials only."""
    return keys_naming(db, of.owner, credential.name) if of.owner else []


def show(credential: StoredCredential, users: Sequence[StoredKey] | None = None) -> CredentialView:
    """``users`` None: not looked for."""
    test = credential.test
    return CredentialView(
        id=credential.id,
        provider=credential.provider,
        name=credential.name,
        masked=credential.masked,
        enabled=credential.enabled,
        source="database",
        test=None
        if test is None
        else LastTest(ok=test.ok, at=shown_time(test.at_s), latency_ms=test.latency_ms, message=test.message),
        used_by=None if users is None else [UsedBy(id=key.id, alias=key.terms.alias) for key in users],
        created_at=shown_time(credential.created_at_s),
        updated_at=shown_time(credential.updated_at_s),
        version=credential.version,
    )


def show_of_file(credential: Credential, source: str) -> CredentialView:
    return CredentialView(
        id=credential.id,
        provider=credential.provider,
        name=credential.name,
        masked=masked(credential.secret.reveal()),
        enabled=True,
        source="file" if source == "file" else "environment",
        test=None,
        created_at=None,
        updated_at=None,
        version=0,
    )


@contextmanager
def _naming(name: str) -> Iterator[None]:
    try:
        yield
    except DuplicateError as error:
        raise Conflict(
            "NAME_TAKEN",
            f"a credential with the name {name!r} exists already",
            details=[Detail(path="name", message="it is taken")],
        ) from error


def _in_use(users: Sequence[StoredKey], what: str) -> Conflict:
    named = ", ".join(key.terms.alias for key in users[:5]) + (", ..." if len(users) > 5 else "")
    return Conflict("CREDENTIAL_IN_USE", f"it cannot be {what}: routes of keys name it: {named}")


def _free_id(db: Connection, owner: TenantId, provider: ProviderId, name: str) -> CredentialId:
    number = 1
    while credentials.find_credential(db, credentials.make_id(owner, provider, name, number=number)):
        number += 1
    return credentials.make_id(owner, provider, name, number=number)


def _vault(of: Owned) -> Vault:
    if of.parts.vault is None:
        raise Unavailable("VAULT_CLOSED", "no master key is open, so no secret can be kept")
    return of.parts.vault


def _sealed(of: Owned, credential: CredentialId, secret: Secret[str]) -> bytes:
    return _vault(of).encrypt(secret, credentials.place_of(of.owner, credential))


def _opened(of: Owned, db: Connection, credential: StoredCredential) -> Secret[str]:
    envelope = credentials.envelope_of(db, credential.id)
    assert envelope is not None
    try:
        return _vault(of).decrypt(envelope, credentials.place_of(of.owner, credential.id))
    except VaultError as error:
        raise Unavailable("VAULT_CLOSED", str(error)) from error


def _target(of: Owned, credential: StoredCredential) -> Target:
    return Target(kind=of.kind, id=credential.id, name=credential.name, tenant=of.owner)


def _endpoint(of: Owned, db: Connection, provider: ProviderId, model: str) -> Endpoint | None:
    return choose_endpoint(of.parts.catalogs.of(of.parts.settings, db).catalog, provider, model)


def _tried(of: Owned, endpoint: Endpoint | None, secret: Secret[str]) -> Trial:
    if endpoint is None:
        words = (
            "this provider has nothing that can be called without cost; name a model to make a billed call"
        )
        return Trial(ok=False, message=words)
    parts, caller = of.parts, of.caller

    def crashed(name: str, error: BaseException) -> None:
        if parts.log is not None:
            parts.log.crash(Event.CHILD_CRASHED, error, {"child": name})

    who = caller.user_id or caller.name
    with parts.pace.turn(who, parts.clock.monotonic_s()):
        return try_credential(parts.settings, parts.clock, endpoint, secret=secret, on_crash=crashed)


def _noted(of: Owned, trial: Trial, latency_ms: int) -> CredentialTest:
    return CredentialTest(
        ok=trial.ok, at_s=of.caller.source.at_s, latency_ms=latency_ms, message=trial.message
    )


def _shown_trial(trial: Trial) -> ProbeAnswer:
    return ProbeAnswer(
        ok=trial.ok,
        model=trial.model,
        endpoint=trial.endpoint,
        latency_ms=trial.latency_ms,
        status=trial.status,
        message=trial.message,
    )
