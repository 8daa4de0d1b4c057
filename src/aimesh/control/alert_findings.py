"""What a rule finds: things that are over its threshold now.

1. Looking changes nothing, and finds the same again in the same state.
2. Too few calls say nothing: below ``least`` nothing is found, and what was on is over.
3. Quotas are read from this node's ledger; where nobody counts, nothing is found.
"""

from collections.abc import Iterator

from msgspec import Struct, structs

from aimesh.control.keys_views import file_keys, opened_ledger
from aimesh.control.monitoring_window import last_minutes
from aimesh.control.parts import Parts
from aimesh.control.schemas_policy import shown_amount
from aimesh.core.alert_kind import RuleKind
from aimesh.core.ids import EndpointName, KeyId, ModelName, TenantId
from aimesh.core.policy import Limits, Unit
from aimesh.store.alert_queries import Faults, credential_faults
from aimesh.store.alerts import RuleTerms
from aimesh.store.engine import Connection
from aimesh.store.journal_progress import read_import_times
from aimesh.store.ledger import LedgerView, key_scope, tenant_scope
from aimesh.store.tenants import find_tenant
from aimesh.store.usage_points_queries import Measured, read_endpoints
from aimesh.store.virtual_keys import KeyFilter, StoredKey, find_key, list_keys

_PAGE = 500
_GONE_S = 86_400.0
"""A node of which nothing was heard for so long is no more."""


class Finding(Struct, frozen=True):
    subject: str
    value: float
    message: str


def look(parts: Parts, db: Connection, terms: RuleTerms, now_s: float) -> list[Finding]:
    match terms.kind:
        case RuleKind.ERROR_RATE:
            return _error_rate(db, terms, now_s)
        case RuleKind.PROVIDER_DOWN:
            return _providers(db, terms, now_s)
        case RuleKind.CREDENTIAL_FAILING:
            return _credentials(db, terms, now_s)
        case RuleKind.IMPORT_LAG:
            return _import_lag(db, terms, now_s)
        case RuleKind.QUOTA_USED | RuleKind.BUDGET_USED:
            return _limits(parts, db, terms, now_s)


def _error_rate(db: Connection, terms: RuleTerms, now_s: float) -> list[Finding]:
    found: dict[str, Measured] = {}
    for (endpoint, model), measured in _measured(db, terms, now_s).items():
        if terms.endpoint or terms.model:
            # One number for what was named.
            name = terms.endpoint or terms.model
        else:
            name = endpoint or model
        found.setdefault(name, Measured()).add(measured)
    return [
        finding
        for name, one in sorted(found.items())
        for finding in _share(terms, name, *_failures(terms, one), noun=_noun(one))
    ]


def _providers(db: Connection, terms: RuleTerms, now_s: float) -> list[Finding]:
    found: dict[str, Measured] = {}
    for (endpoint, _), measured in _measured(db, terms, now_s).items():
        provider = endpoint.partition("@")[0]
        if provider and terms.provider in ("", provider):
            found.setdefault(provider, Measured()).add(measured)
    return [
        finding
        for name, one in sorted(found.items())
        for finding in _share(
            terms, name, one.faults + one.rescued, one.requests + one.rescued, noun=_noun(one)
        )
    ]


def _failures(terms: RuleTerms, one: Measured) -> tuple[int, int]:
    """Of a model: calls, that failed and in all. Of endpoints: every attempt that was made there."""
    if terms.model and not terms.endpoint:
        return one.failed, one.requests
    return one.failed + one.rescued, one.requests + one.rescued


def _credentials(db: Connection, terms: RuleTerms, now_s: float) -> list[Finding]:
    found = credential_faults(db, now_s - terms.minutes * 60)
    return [
        finding
        for name, one in sorted(found.items())
        for finding in _share(
            terms, name, one.faults + one.rescued, one.requests + one.rescued, noun=_noun(one)
        )
    ]


def _measured(
    db: Connection, terms: RuleTerms, now_s: float
) -> dict[tuple[EndpointName, ModelName], Measured]:
    points = last_minutes(now_s, terms.minutes)
    model = ModelName(terms.model) if terms.model else None
    endpoint = EndpointName(terms.endpoint) if terms.endpoint else None
    return read_endpoints(db, structs.replace(points, model=model, endpoint=endpoint))


def _noun(one: Measured | Faults) -> str:
    return "attempts" if one.rescued else "calls"


def _share(
    terms: RuleTerms, name: str, failed: int, requests: int, *, noun: str = "calls"
) -> Iterator[Finding]:
    if requests < terms.least:
        return
    share = 100 * failed / requests
    if share >= terms.percents[0]:
        words = f"{name}: {failed} of {requests} {noun} failed in {terms.minutes} minutes ({share:.1f} %)"
        yield Finding(name, round(share, 2), words)


def _import_lag(db: Connection, terms: RuleTerms, now_s: float) -> list[Finding]:
    found = []
    for node, at_s in sorted(read_import_times(db).items()):
        lag_s = now_s - at_s
        if terms.lag_s <= lag_s < _GONE_S:
            words = f"usage of node {node} is {lag_s:.0f} seconds behind"
            found.append(Finding(node, round(lag_s, 1), words))
    return found


def _limits(parts: Parts, db: Connection, terms: RuleTerms, now_s: float) -> list[Finding]:
    tenant = TenantId(terms.tenant)
    found: list[Finding] = []
    with opened_ledger(parts) as ledger:
        if ledger is None:
            return []
        if not terms.key:
            stored = find_tenant(db, tenant)
            if stored is not None:
                name = f"tenant {tenant}"
                found += _quotas(
                    ledger, terms, tenant_scope(tenant), name, limits=stored.terms.limits, now_s=now_s
                )
        for key in _keys(parts, db, terms, now_s):
            name = f"key {key.terms.alias}"
            found += _quotas(ledger, terms, key_scope(key.id), name, limits=key.terms.limits, now_s=now_s)
    return found


def _keys(parts: Parts, db: Connection, terms: RuleTerms, now_s: float) -> Iterator[StoredKey]:
    tenant = TenantId(terms.tenant)
    yield from (key for key in file_keys(parts.settings, tenant) if terms.key in ("", key.id))
    if terms.key:
        key = find_key(db, KeyId(terms.key))
        if key is not None and key.tenant == tenant:
            yield key
        return
    after = None
    while True:
        page = list_keys(db, KeyFilter(tenant=tenant, now_s=now_s, status="active"), limit=_PAGE, after=after)
        yield from page.keys
        if len(page.keys) < _PAGE:
            return
        after = (page.keys[-1].created_at_s, page.keys[-1].id)


def _quotas(
    ledger: LedgerView, terms: RuleTerms, scope: str, name: str, *, limits: Limits, now_s: float
) -> Iterator[Finding]:
    is_budget = terms.kind is RuleKind.BUDGET_USED
    for standing in ledger.standings(scope, limits, now_s):
        unit, period = standing.quota.unit, standing.quota.period
        if (unit is not Unit.TOKENS) != is_budget or standing.quota.limit <= 0:
            continue
        share = 100 * standing.used / standing.quota.limit
        for percent in terms.percents:
            if share >= percent:
                used, limit = (shown_amount(unit, one) for one in (standing.used, standing.quota.limit))
                words = f"{name}: {share:.1f} % of {limit} {unit} ({period}) is used: {used}"
                yield Finding(f"{scope} {unit} {period} {percent:g} %", round(share, 2), words)
