"""What the operations on virtual keys share: finding a key that the caller may see, and changing it with its line in
the audit log.

1. What is out of the caller's reach is 404, as if it did not exist.
2. A change that changes nothing leaves no line, no new version and no news for the data plane.
3. Limits come onto a key in ``make_key``, ``copy_key`` and ``change_terms`` alone; there a MEMBER is held to what is
   set (``keys_ceiling``).
4. A MEMBER switches on only what the member switched off.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from msgspec import structs

from aimesh.control.audit import SECRET, Change, Target, audited, difference
from aimesh.control.errors import Conflict, Detail, Forbidden, NotFound, Stale
from aimesh.control.identity import Caller
from aimesh.control.keys_ceiling import filled, refuse_looser, tightest
from aimesh.control.keys_terms import edited, known_in
from aimesh.control.keys_views import find_file_key, is_of_file, is_reserved
from aimesh.control.parts import Parts
from aimesh.control.schemas_gateway import KeyCreate
from aimesh.control.visit import Visit
from aimesh.core.ids import KeyId, TenantId, UserId
from aimesh.core.secret import Secret
from aimesh.store import virtual_keys
from aimesh.store.audit import last_line
from aimesh.store.database import DuplicateError
from aimesh.store.engine import Connection
from aimesh.store.key_text import make_text
from aimesh.store.tenants import find_tenant
from aimesh.store.tokens import find_token
from aimesh.store.virtual_keys import KeyTerms, NewKey, StoredKey


def seen_key(visit: Visit, db: Connection, key_id: KeyId) -> StoredKey:
    """A key that the caller may see. Raises ``NotFound``."""
    key = find_file_key(visit.parts.settings, visit.tenant, key_id) or virtual_keys.find_key(db, key_id)
    if key is None or key.tenant != visit.tenant or visit.caller.only_own not in (None, key.owner):
        raise NotFound("KEY_NOT_FOUND", "there is no such key")
    return key


def own_key(visit: Visit, db: Connection, key_id: KeyId) -> StoredKey:
    """A key that the caller may change. Raises ``NotFound``, or ``Conflict`` for one of aimesh.yaml."""
    key = seen_key(visit, db, key_id)
    if is_of_file(key):
        raise Conflict("KEY_READ_ONLY", "this key is declared in aimesh.yaml; change it there")
    return key


def alias_taken(alias: str) -> Conflict:
    message = f"a key with the alias {alias!r} exists already"
    return Conflict("ALIAS_TAKEN", message, details=[Detail(path="alias", message="it is taken")])


@contextmanager
def naming(alias: str) -> Iterator[None]:
    """Around a transaction that gives a key its alias: one that is taken is said to be."""
    try:
        yield
    except DuplicateError as error:
        raise alias_taken(alias) from error


def make_key(visit: Visit, db: Connection, create: KeyCreate) -> tuple[StoredKey, Secret[str]]:
    """A new key with the tenant's defaults, and its text."""
    found = find_tenant(db, visit.tenant)
    blank = KeyTerms(alias=create.alias)
    if found is not None:
        blank = KeyTerms(
            alias=create.alias, route=found.terms.default_route, limits=found.terms.default_limits
        )
    terms = edited(blank, create, known_in(visit.parts, db, visit.tenant))
    if visit.caller.only_own is not None:
        terms = structs.replace(terms, limits=filled(terms.limits, blank.limits))
        refuse_looser(terms.limits, blank.limits)
    return _add_key(visit, db, terms)


def copy_key(visit: Visit, db: Connection, original: StoredKey, alias: str) -> tuple[StoredKey, Secret[str]]:
    """A new key with the terms of another, and its text."""
    terms = structs.replace(original.terms, alias=alias)
    found = find_tenant(db, visit.tenant)
    if visit.caller.only_own is not None and found is not None:
        terms = structs.replace(terms, limits=tightest(terms.limits, found.terms.default_limits))
    return _add_key(visit, db, terms)


def _add_key(visit: Visit, db: Connection, terms: KeyTerms) -> tuple[StoredKey, Secret[str]]:
    parts, caller, tenant = visit.parts, visit.caller, visit.tenant
    if is_reserved(parts.settings, tenant, terms.alias):
        raise alias_taken(terms.alias)
    now_s = parts.clock.wall_s()
    text, key_id = make_text(), virtual_keys.make_id(now_s)
    key = virtual_keys.insert_key(
        db,
        NewKey(
            id=key_id,
            tenant=tenant,
            owner=caller.user_id,
            terms=terms,
            text=text,
            envelope=sealed(parts, text, tenant, key_id),
            at_s=now_s,
        ),
    )
    audited(db, caller, "key.create", target_of(key), difference(KeyTerms(alias=""), terms))
    return key, text


def sealed(parts: Parts, text: Secret[str], tenant: TenantId, key_id: KeyId) -> bytes | None:
    vault = None if parts.settings.keys.reveal == "never" else parts.vault
    return virtual_keys.seal(vault, text, virtual_keys.place_of(tenant, key_id))


def change_terms(db: Connection, key: StoredKey, terms: KeyTerms, caller: Caller) -> StoredKey:
    if terms == key.terms:
        return key
    if caller.only_own is not None and terms.limits != key.terms.limits:
        refuse_looser(terms.limits, key.terms.limits)
    changed = virtual_keys.update_key(db, key, terms, caller.source.at_s)
    return _noted(db, changed, caller, "key.change", difference(key.terms, terms))


def switch_key(db: Connection, key: StoredKey, enabled: bool, caller: Caller) -> StoredKey:
    if key.enabled == enabled:
        return key
    if enabled and caller.only_own is not None and not _switched_off_by(db, key, caller.only_own):
        raise Forbidden(
            "SWITCHED_OFF_BY_ADMINISTRATOR", "somebody else switched this key off; ask an administrator"
        )
    changed = virtual_keys.set_enabled(db, key, enabled, caller.source.at_s)
    changes = {"enabled": {"from": key.enabled, "to": enabled}}
    return _noted(db, changed, caller, "key.enable" if enabled else "key.disable", changes)


def _switched_off_by(db: Connection, key: StoredKey, person: UserId) -> bool:
    line = last_line(db, kind="key", target=key.id, action="key.disable")
    if line is None or line.actor_kind == "user":
        return line is None or line.actor_id == person
    token = find_token(db, line.actor_id) if line.actor_kind == "token" else None
    return token is not None and token.user_id == person


def rotate_key(
    parts: Parts, db: Connection, key: StoredKey, *, grace_s: float, caller: Caller
) -> tuple[StoredKey, Secret[str]]:
    """The key with a new text, and that text."""
    text = make_text()
    rotated = virtual_keys.rotate_key(
        db,
        key,
        text,
        envelope=sealed(parts, text, key.tenant, key.id),
        grace_s=grace_s,
        at_s=caller.source.at_s,
    )
    return _noted(db, rotated, caller, "key.rotate", {"text": SECRET, "grace_s": grace_s}), text


def drop_key(db: Connection, key: StoredKey, caller: Caller) -> None:
    if not virtual_keys.delete_key(db, key, caller.source.at_s):
        raise Stale
    audited(db, caller, "key.delete", target_of(key), difference(key.terms, KeyTerms(alias="")))


def target_of(key: StoredKey) -> Target:
    return Target(kind="key", id=key.id, name=key.terms.alias, tenant=key.tenant)


def _noted(db: Connection, key: StoredKey | None, caller: Caller, action: str, changes: Change) -> StoredKey:
    if key is None:
        raise Stale
    audited(db, caller, action, target_of(key), changes)
    return key
