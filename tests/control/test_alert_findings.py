"""Each kind of rule finds what is over its threshold, and nothing else."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from starlette.testclient import TestClient
from tests.support.control import API, OTHER_TENANT, Control
from tests.support.limits import CHAT, ZONE, Node, admit, usage
from tests.support.records import typical_record

from aimesh.control.alert_findings import Finding, look
from aimesh.core.alert_kind import RuleKind
from aimesh.core.ids import CredentialId, EndpointName, ModelName, RequestId, UserId
from aimesh.core.outcome import Outcome
from aimesh.core.policy import Limits, Period, Quota, Unit
from aimesh.core.record import AttemptRecord, UsageRecord
from aimesh.store.alerts import RuleTerms
from aimesh.store.ledger import LedgerView
from aimesh.store.usage_import import Progress, import_usage, prepared
from aimesh.store.usage_points_queries import PointsFilter, measured_together, read_endpoints
from aimesh.store.usage_rows import Metered


def terms(kind: RuleKind, **changes: Any) -> RuleTerms:
    return structs.replace(RuleTerms("r", kind, ("ach",), percents=(50.0,), least=4), **changes)


def calls(
    control: Control,
    endpoint: str,
    outcomes: Iterable[Outcome],
    *,
    ago_s: float = 60.0,
    credential: str = "c",
) -> None:
    several = []
    for number, outcome in enumerate(outcomes):
        record: UsageRecord = structs.replace(
            typical_record(),
            id=RequestId(f"{endpoint}-{credential}-{ago_s:g}-{number}"),
            at=control.clock.wall_s() - ago_s,
            endpoint=EndpointName(endpoint),
            model=ModelName(endpoint.split("@")[1]),
            credential=CredentialId(credential),
            outcome=outcome,
        )
        several.append(Metered(record=record, user=UserId(""), kind="chat", priced=None))
    import_usage(control.parts.store, prepared(several))


def found(control: Control, rule: RuleTerms) -> list[Finding]:
    parts = control.app.state.parts
    with parts.store.read() as db:
        return look(parts, db, rule, control.clock.wall_s())


def values(control: Control, rule: RuleTerms) -> dict[str, float]:
    return {one.subject: one.value for one in found(control, rule)}


OK, BAD, REFUSED = Outcome.OK, Outcome.UPSTREAM_FAILED, Outcome.REFUSED_UPSTREAM


def test_error_rates(control: Control) -> None:
    calls(control, "p@a@open_ai", [OK, BAD, REFUSED, BAD])
    calls(control, "q@a@open_ai", [OK] * 6)
    calls(control, "p@few@open_ai", [BAD] * 3)
    calls(control, "p@past@open_ai", [BAD] * 9, ago_s=1000.0)
    rule = terms(RuleKind.ERROR_RATE)
    assert values(control, rule) == {"p@a@open_ai": 75.0}
    assert found(control, rule)[0].message == "p@a@open_ai: 3 of 4 calls failed in 5 minutes (75.0 %)"
    assert values(control, structs.replace(rule, percents=(75.5,))) == {}
    assert values(control, structs.replace(rule, model="a", percents=(30.0,))) == {"a": 30.0}
    assert values(control, structs.replace(rule, endpoint="q@a@open_ai", percents=(1.0,))) == {}
    assert values(control, structs.replace(rule, minutes=20)) == {
        "p@a@open_ai": 75.0,
        "p@past@open_ai": 100.0,
    }


def test_a_provider_is_down_by_faults_alone(control: Control) -> None:
    calls(control, "p@a@open_ai", [BAD, BAD])
    calls(control, "p@b@open_ai", [BAD, OK])
    calls(control, "q@a@open_ai", [REFUSED] * 9)
    rule = terms(RuleKind.PROVIDER_DOWN)
    assert values(control, rule) == {"p": 75.0}
    assert values(control, structs.replace(rule, provider="q")) == {}
    assert values(control, structs.replace(rule, provider="p")) == {"p": 75.0}


def test_attempts_that_another_endpoint_rescued_count_where_they_were_made(control: Control) -> None:
    several = []
    for number in range(6):
        failed = AttemptRecord(
            EndpointName("p@a@open_ai"),
            CredentialId("p/one"),
            started_ms=0.1,
            duration_ms=5.0,
            error="HTTP 503",
        )
        won = structs.replace(
            failed,
            endpoint=EndpointName("q@a@open_ai"),
            credential=CredentialId("q/one"),
            error="",
            status=200,
        )
        record = structs.replace(
            typical_record(),
            id=RequestId(f"rescued-{number}"),
            at=control.clock.wall_s() - 60.0,
            endpoint=EndpointName("q@a@open_ai"),
            model=ModelName("a"),
            credential=CredentialId("q/one"),
            outcome=OK,
            attempts=(failed, failed, won),
        )
        several.append(Metered(record=record, user=UserId(""), kind="chat", priced=None))
    # In two batches: the second adds to rows that are there.
    for part in (several[:4], several[4:]):
        import_usage(control.parts.store, prepared(part))
    assert values(control, terms(RuleKind.PROVIDER_DOWN)) == {"p": 100.0}
    (one,) = found(control, terms(RuleKind.ERROR_RATE))
    assert (one.subject, one.value) == ("p@a@open_ai", 100.0)
    assert one.message == "p@a@open_ai: 12 of 12 attempts failed in 5 minutes (100.0 %)"
    (one,) = found(control, terms(RuleKind.CREDENTIAL_FAILING))
    assert one.message == "p/one: 12 of 12 attempts failed in 5 minutes (100.0 %)"
    assert values(control, terms(RuleKind.CREDENTIAL_FAILING, least=13)) == {}
    # No call of the model failed, and it had six.
    assert values(control, terms(RuleKind.ERROR_RATE, model="a")) == {}
    with control.parts.store.read() as db:
        now_s = control.clock.wall_s()
        measured = measured_together(read_endpoints(db, PointsFilter("m", now_s - 600, now_s)).values())
    assert (measured.requests, measured.succeeded, measured.failed, measured.rescued) == (6, 6, 0, 12)


def test_a_credential_fails(control: Control) -> None:
    calls(control, "p@a@open_ai", [BAD] * 5, credential="byok:1")
    calls(control, "p@a@open_ai", [OK, OK, OK, BAD], credential="p/one")
    calls(control, "p@a@open_ai", [BAD] * 5, credential="byok:past", ago_s=301.0)
    assert values(control, terms(RuleKind.CREDENTIAL_FAILING)) == {"byok:1": 100.0}


def test_the_import_is_behind(control: Control) -> None:
    now_s = control.clock.wall_s()
    for node, ago_s in (("well", 20.0), ("late", 400.0), ("gone", 100_000.0)):
        import_usage(control.parts.store, prepared([]), Progress(node, done_at_s=now_s - ago_s))
    assert values(control, terms(RuleKind.IMPORT_LAG, lag_s=300.0)) == {"late": 400.0}


@pytest.fixture
def node(control: Control, tmp_path: Path) -> Node:
    node = Node(tmp_path, control.clock)
    control.app.state.parts = replace(control.parts, ledger=lambda: LedgerView(node.path, ZONE))
    return node


def test_quotas_by_their_thresholds(control: Control, admin: TestClient, node: Node) -> None:
    body = {"alias": "spender", "limits": {"quotas": [{"unit": "tokens", "period": "total", "limit": 1000}]}}
    key = admin.post(f"{API}/keys", json=body).json()
    assert "id" in key, key
    limits = Limits(quotas=(Quota(unit=Unit.TOKENS, period=Period.TOTAL, limit=1000),))
    account = node.account(limits, name=key["id"])
    rule = terms(RuleKind.QUOTA_USED, percents=(80.0, 100.0))
    assert values(control, rule) == {}
    admit(account, 900).settle(usage(850), CHAT)
    scope = f"key:{key['id']} tokens total"
    assert values(control, rule) == {f"{scope} 80 %": 85.0}
    assert "key spender: 85.0 % of 1000 tokens (total) is used: 850" in found(control, rule)[0].message
    admit(account, 150).settle(usage(150), CHAT)
    assert values(control, rule) == {f"{scope} 80 %": 100.0, f"{scope} 100 %": 100.0}
    assert len(values(control, structs.replace(rule, key=key["id"]))) == 2
    assert values(control, structs.replace(rule, key="key_other")) == {}
    assert values(control, structs.replace(rule, tenant=OTHER_TENANT)) == {}
    # Tokens are no budget.
    assert values(control, structs.replace(rule, kind=RuleKind.BUDGET_USED)) == {}
    node.close()


def test_where_nobody_counts_no_quota_is_used(control: Control) -> None:
    assert found(control, terms(RuleKind.QUOTA_USED)) == []
