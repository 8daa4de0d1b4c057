"""Virtual keys as answers show them; those of aimesh.yaml stand beside those of the database.

1. A key of the file has the id ``file:<alias>``, belongs to the tenant ``default`` and to nobody, and is read-only.
2. What was used of a limit comes from the ledger; where nobody counts it is null, not zero.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from aimesh.control.http import Paging
from aimesh.control.keys_terms import Known, known_in, warnings
from aimesh.control.parts import Parts
from aimesh.control.schemas_gateway import KeyView, LimitsUse, Owner, QuotaUse
from aimesh.control.schemas_policy import shown_amount, shown_route
from aimesh.control.texts import shown_time, shown_time_or_none
from aimesh.core.ids import KeyId, TenantId, UserId
from aimesh.core.secret import masked
from aimesh.settings import Settings, VirtualKey
from aimesh.store.engine import Connection
from aimesh.store.key_text import digest
from aimesh.store.ledger import LedgerView, Standing, key_scope
from aimesh.store.virtual_keys import KeyFilter, KeyTerms, StoredKey, graces, list_keys, usernames

FILE_PREFIX = "file:"


def is_of_file(key: StoredKey) -> bool:
    return key.id.startswith(FILE_PREFIX)


def file_keys(settings: Settings, tenant: TenantId) -> list[StoredKey]:
    return [_of_file(key) for key in settings.virtual_keys if key.tenant == tenant]


def find_file_key(settings: Settings, tenant: TenantId, key_id: KeyId) -> StoredKey | None:
    return next((key for key in file_keys(settings, tenant) if key.id == key_id), None)


def is_reserved(settings: Settings, tenant: TenantId, alias: str) -> bool:
    """A key of the file has this alias."""
    return any(key.tenant == tenant and key.alias == alias for key in settings.virtual_keys)


def _of_file(key: VirtualKey) -> StoredKey:
    return StoredKey(
        id=key.id,
        tenant=key.tenant,
        owner=UserId(""),
        masked=masked(key.secret.reveal()),
        enabled=key.enabled,
        terms=KeyTerms(
            alias=key.alias,
            # In the file "*" says what an empty list says in the database.
            models=() if "*" in key.patterns else key.patterns,
            networks=key.cidrs,
            expires_at_s=key.expires_at_s,
            labels=key.labels,
            route=key.route,
            limits=key.limits,
        ),
        created_at_s=0.0,
        updated_at_s=0.0,
        version=0,
    )


def page_of_keys(
    parts: Parts, db: Connection, wanted: KeyFilter, pages: Paging
) -> tuple[list[StoredKey], str | None, int]:
    """A page, the cursor of the next one, and how many fit: keys of the file first, then those of the database."""
    of_file = _fitting(parts.settings, wanted)
    # Of the file: how many were shown. Of the database: time and id of the last one.
    after = pages.after(tuple[int, float, str]) or (0, 0.0, "")
    shown, made_at_s, last = after
    rows = of_file[shown:] if not last else []
    found = list_keys(db, wanted, limit=pages.limit + 1, after=(made_at_s, last) if last else None)
    rows += found.keys
    places = {key.id: (index + 1, 0.0, "") for index, key in enumerate(of_file)}
    keys, cursor = pages.cut(rows, lambda key: places.get(key.id) or (0, key.created_at_s, str(key.id)))
    return list(keys), cursor, len(of_file) + found.total


def _fitting(settings: Settings, wanted: KeyFilter) -> list[StoredKey]:
    """The keys of the file that a filter of the database leaves."""
    if wanted.owner is not None:
        return []
    name, has_value, value = wanted.label.partition("=")
    texts = {key.id: key.secret for key in settings.virtual_keys}
    return [
        key
        for key in file_keys(settings, wanted.tenant)
        if wanted.status in (None, key.status(wanted.now_s))
        and wanted.alias.lower() in key.terms.alias.lower()
        and (wanted.text is None or wanted.text == texts[key.id] or wanted.text.reveal() == key.masked)
        and wanted.sha256 in (None, digest(texts[key.id]))
        and (not name or name in key.terms.labels)
        and (not has_value or key.terms.labels.get(name) == value)
    ]


def show_key(parts: Parts, db: Connection, key: StoredKey) -> KeyView:
    return show_keys(parts, db, [key], known_in(parts, db, key.tenant))[0]


def show_keys(parts: Parts, db: Connection, keys: Sequence[StoredKey], known: Known) -> list[KeyView]:
    names = usernames(db, {key.owner for key in keys})
    until = graces(db, [key.id for key in keys], known.now_s)
    with opened_ledger(parts) as ledger:
        uses = [_use(ledger, key, known.now_s) for key in keys]
    return [
        KeyView(
            id=key.id,
            alias=key.terms.alias,
            key=key.masked,
            status=key.status(known.now_s),
            owner=Owner(id=key.owner, username=names.get(key.owner)) if key.owner else None,
            models=list(key.terms.models),
            networks=list(key.terms.networks),
            expires_at=shown_time_or_none(key.terms.expires_at_s),
            labels=key.terms.labels,
            route=shown_route(key.terms.route),
            limits=use,
            source="file" if is_of_file(key) else "database",
            old_text_until=shown_time_or_none(until.get(key.id)),
            warnings=warnings(key.terms.route, known),
            created_at=None if is_of_file(key) else shown_time(key.created_at_s),
            updated_at=None if is_of_file(key) else shown_time(key.updated_at_s),
            version=key.version,
        )
        for key, use in zip(keys, uses, strict=True)
    ]


def show_use(parts: Parts, key: StoredKey, now_s: float) -> LimitsUse:
    with opened_ledger(parts) as ledger:
        return _use(ledger, key, now_s)


@contextmanager
def opened_ledger(parts: Parts) -> Iterator[LedgerView | None]:
    if parts.ledger is None:
        yield None
        return
    with parts.ledger() as ledger:
        yield ledger


def _use(ledger: LedgerView | None, key: StoredKey, now_s: float) -> LimitsUse:
    limits = key.terms.limits
    if ledger is None:
        quotas = [
            QuotaUse(unit=one.unit, period=one.period, limit=shown_amount(one.unit, one.limit))
            for one in limits.quotas
        ]
    else:
        quotas = [_standing(one) for one in ledger.standings(key_scope(key.id), limits, now_s)]
    return LimitsUse(quotas=quotas, rpm=limits.rpm, tpm=limits.tpm, concurrency=limits.concurrency)


def _standing(standing: Standing) -> QuotaUse:
    unit = standing.quota.unit
    return QuotaUse(
        unit=unit,
        period=standing.quota.period,
        limit=shown_amount(unit, standing.quota.limit),
        used=shown_amount(unit, standing.used),
        held=shown_amount(unit, standing.held),
        remaining=shown_amount(unit, standing.remaining),
        resets_at=shown_time_or_none(standing.resets_at_s),
    )
