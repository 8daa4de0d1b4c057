"""What is done to virtual keys beyond editing: copied, switched, revealed, rotated; one or many at once.

1. A batch is one transaction and one line in the audit log per key; what cannot be done to a key is said beside its
   id, and does not stop the others.
2. Revealing leaves a line in the audit log before the text goes out.
"""

from fastapi import Response

from aimesh.control.audit import audited
from aimesh.control.errors import ApiError, Conflict, Detail, Invalid, Unavailable
from aimesh.control.http import tag
from aimesh.control.keys import own_owner
from aimesh.control.keys_changes import (
    change_terms,
    copy_key,
    drop_key,
    naming,
    own_key,
    rotate_key,
    seen_key,
    switch_key,
    target_of,
)
from aimesh.control.keys_terms import edited, known_in
from aimesh.control.keys_views import is_of_file, show_key
from aimesh.control.noun import Noun
from aimesh.control.parts import Parts
from aimesh.control.schemas_gateway import (
    MOST_AT_ONCE,
    BatchAnswer,
    BatchFault,
    BatchResult,
    KeyBatch,
    KeyChoice,
    KeyCopy,
    KeyEdit,
    KeyRotate,
    KeyText,
    KeyView,
    KeyWithText,
)
from aimesh.control.texts import Id
from aimesh.control.visit import Visit, Visiting
from aimesh.core.ids import KeyId
from aimesh.store.engine import Connection
from aimesh.store.vault import VaultError
from aimesh.store.virtual_keys import KeyFilter, KeyTerms, StoredKey, envelope_of, list_keys, place_of

NOUN = Noun("key actions", "What is done to keys beyond editing them, one or many at once.")


@NOUN.post("/keys/{key_id}/copy", "copy_key", errors=(404, 409), status=201)
def copy(key_id: Id, body: KeyCopy, visit: Visiting, response: Response) -> KeyWithText:
    """Make a new key with the route, limits, models, networks, labels and expiry of another. One that a MEMBER
    copies has the tenant's default limits at least."""
    with naming(body.alias), visit.parts.store.write() as db:
        original = seen_key(visit, db, KeyId(key_id))
        key, text = copy_key(visit, db, original, body.alias)
        view = show_key(visit.parts, db, key)
    tag(response, key.version)
    return KeyWithText(**view.model_dump(), text=text.reveal())


@NOUN.post("/keys/{key_id}/enable", "enable_key", errors=(404, 409))
def enable(key_id: Id, visit: Visiting, response: Response) -> KeyView:
    """Let a key's calls through again. One that is enabled stays so."""
    return _switched(visit, KeyId(key_id), True, response)


@NOUN.post("/keys/{key_id}/disable", "disable_key", errors=(404, 409))
def disable(key_id: Id, visit: Visiting, response: Response) -> KeyView:
    """Refuse a key's calls, within a second. One that is disabled stays so."""
    return _switched(visit, KeyId(key_id), False, response)


def _switched(visit: Visit, key_id: KeyId, enabled: bool, response: Response) -> KeyView:
    with visit.parts.store.write() as db:
        key = switch_key(db, own_key(visit, db, key_id), enabled, visit.caller)
        view = show_key(visit.parts, db, key)
    tag(response, key.version)
    return view


@NOUN.post("/keys/{key_id}/reveal", "reveal_key", errors=(404, 409))
def reveal(key_id: Id, visit: Visiting) -> KeyText:
    """The text of a key. Each reveal is in the audit log."""
    with visit.parts.store.write() as db:
        key = seen_key(visit, db, KeyId(key_id))
        text = _text_of(visit.parts, db, key)
        audited(db, visit.caller, "key.reveal", target_of(key), {})
    return KeyText(id=key.id, alias=key.terms.alias, text=text)


def _text_of(parts: Parts, db: Connection, key: StoredKey) -> str:
    if parts.settings.keys.reveal == "never":
        raise Conflict("KEY_NOT_REVEALABLE", "the setting keys.reveal is 'never': only a hash is kept")
    if is_of_file(key):
        return next(one.secret for one in parts.settings.virtual_keys if one.id == key.id).reveal()
    envelope = envelope_of(db, key.id)
    if envelope is None or parts.vault is None:
        raise Conflict(
            "KEY_NOT_REVEALABLE", "only a hash of this key is kept; rotate it to get a text that can be shown"
        )
    try:
        return parts.vault.decrypt(envelope, place_of(key.tenant, key.id)).reveal()
    except VaultError as error:
        raise Unavailable("VAULT_CLOSED", str(error)) from error


@NOUN.post("/keys/{key_id}/rotate", "rotate_key", errors=(404, 409))
def rotate(key_id: Id, visit: Visiting, response: Response, body: KeyRotate | None = None) -> KeyWithText:
    """Give a key a new text. The old one works until the end of its grace; without one, no more at once."""
    grace_s = (body or KeyRotate()).grace_s
    with visit.parts.store.write() as db:
        key = own_key(visit, db, KeyId(key_id))
        key, text = rotate_key(visit.parts, db, key, grace_s=grace_s, caller=visit.caller)
        view = show_key(visit.parts, db, key)
    tag(response, key.version)
    return KeyWithText(**view.model_dump(), text=text.reveal())


@NOUN.post("/keys/batch", "batch_keys")
def batch(body: KeyBatch, visit: Visiting) -> BatchAnswer:
    """Do one thing to many keys. What failed is said beside each id; the rest is done."""
    with visit.parts.store.write() as db:
        job = _Job(visit, db, body)
        results = [job.result(key_id) for key_id in job.chosen()]
    failed = sum(not one.ok for one in results)
    return BatchAnswer(data=results, done=len(results) - failed, failed=failed)


class _Job:
    """One batch in its transaction. Raises ``Invalid`` where the request makes no sense for any key."""

    def __init__(self, visit: Visit, db: Connection, body: KeyBatch) -> None:
        self._visit = visit
        self._caller = visit.caller
        self._db = db
        self._body = body
        self._edit = _edit_of(body)
        self._known = known_in(visit.parts, db, visit.tenant)
        # What is wrong with the edit itself would be wrong for every key.
        edited(KeyTerms(alias="-"), self._edit, self._known)

    def chosen(self) -> list[KeyId]:
        ids, wanted = self._body.ids, self._body.filter
        if (ids is None) == (wanted is None):
            raise _wrong("ids", "either ids or filter says which keys")
        if ids is not None:
            return [KeyId(one) for one in dict.fromkeys(ids)]
        assert wanted is not None
        if wanted == KeyChoice():
            raise _wrong("filter", "an empty filter fits every key; say which ones are meant")
        page = list_keys(
            self._db,
            KeyFilter(
                tenant=self._visit.tenant,
                now_s=self._caller.source.at_s,
                owner=own_owner(self._caller, wanted.operator),
                status=wanted.status,
                alias=wanted.alias,
                label=wanted.label,
            ),
            limit=MOST_AT_ONCE,
        )
        if page.next is not None:
            raise _wrong(
                "filter", f"{page.total} keys fit; one batch takes {MOST_AT_ONCE}: narrow the filter"
            )
        return [key.id for key in page.keys]

    def result(self, key_id: KeyId) -> BatchResult:
        try:
            self._do(own_key(self._visit, self._db, key_id))
        except ApiError as error:
            return BatchResult(id=key_id, ok=False, error=BatchFault(code=error.code, message=error.message))
        return BatchResult(id=key_id, ok=True)

    def _do(self, key: StoredKey) -> None:
        match self._body.action:
            case "enable":
                switch_key(self._db, key, True, self._caller)
            case "disable":
                switch_key(self._db, key, False, self._caller)
            case "delete":
                drop_key(self._db, key, self._caller)
            case "set_labels" | "set_limits" | "set_route":
                change_terms(self._db, key, edited(key.terms, self._edit, self._known), self._caller)


def _edit_of(body: KeyBatch) -> KeyEdit:
    """What a batch sets. Only what its action needs may stand there."""
    given = {name: getattr(body, name) for name in ("labels", "limits", "route")}
    for name, value in given.items():
        if (body.action == f"set_{name}") != (value is not None):
            needed = "is needed for" if value is None else "does not go with"
            raise _wrong(name, f"{name} {needed} the action {body.action}")
    return KeyEdit(labels=body.labels, limits=body.limits, route=body.route)


def _wrong(path: str, message: str) -> Invalid:
    return Invalid("INVALID_REQUEST", message, details=[Detail(path=path, message=message)])
