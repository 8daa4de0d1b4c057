import threading
from pathlib import Path
from types import TracebackType

import pytest
from msgspec import structs
from tests.support.limits import CHAT, Node, admit, endpoint, key_policy, tokens, usage

from aimesh.core.clock import FixedClock
from aimesh.core.errors import QuotaSpent, RateLimited, TenantOverQuota
from aimesh.core.ids import CredentialId, KeyId, TenantId
from aimesh.core.money import Currency, Money
from aimesh.core.policy import NO_LIMITS, DiscountPolicy, Limits, Period, Quota, TenantPolicy, Unit
from aimesh.core.usage import NO_USAGE, Usage
from aimesh.dataplane.hold import Account, Hold
from aimesh.store.ledger import key_scope, tenant_scope

DAY_S = 86_400.0


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def node(tmp_path: Path, clock: FixedClock) -> Node:
    return Node(tmp_path, clock)


def _headers(hold: Hold) -> dict[str, str]:
    lines = hold.headers().decode().split("\r\n")
    assert lines.pop() == ""
    return dict(line.split(": ", 1) for line in lines)


def test_a_quota_counts_what_was_used_and_refuses_when_it_is_spent(node: Node) -> None:
    limits = tokens(1000, Period.DAILY)
    account = node.account(limits)
    hold = admit(account, 100)
    assert (node.used(limits), node.held(limits)) == (0, 100)
    hold.settle(usage(400), CHAT)
    hold.settle(usage(400), CHAT)
    hold.release()
    assert (node.used(limits), node.held(limits)) == (400, 0)
    admit(account, 500).settle(usage(700), CHAT)
    with pytest.raises(QuotaSpent) as caught:
        admit(account, 100)
    assert caught.value.message == (
        "Virtual key daily quota exceeded: limit is 1000 tokens for virtual key 'alias-k', current usage: 1100 tokens"
    )
    assert caught.value.should_retry is False
    node.close()


@pytest.mark.parametrize("period", list(Period))
def test_service_resumes_when_the_period_rolls(node: Node, clock: FixedClock, period: Period) -> None:
    limits = tokens(100, period)
    account = node.account(limits)
    admit(account, 50).settle(usage(100), CHAT)
    with pytest.raises(QuotaSpent, match=f"Virtual key {period} quota exceeded"):
        admit(account, 50)
    resets_at_s = node.standings(limits)[0].resets_at_s
    if resets_at_s is None:
        clock.advance(400 * DAY_S)
        with pytest.raises(QuotaSpent):
            admit(account, 50)
    else:
        clock.advance(resets_at_s - clock.wall_s() - 1)
        with pytest.raises(QuotaSpent):
            admit(account, 50)
        clock.advance(1)
        admit(account, 50).settle(usage(60), CHAT)
        assert node.used(limits) == 60
    node.close()


def test_an_edit_takes_effect_at_once_and_keeps_what_was_used(node: Node) -> None:
    account = node.account(tokens(100))
    running = admit(account, 60)
    admit(account, 30).settle(usage(35), CHAT)
    lower = node.account(tokens(30))
    with pytest.raises(QuotaSpent, match=r"limit is 30 tokens .* current usage: 35 tokens"):
        admit(lower, 10)
    higher = node.account(tokens(200))
    running.settle(usage(60), CHAT)
    admit(higher, 100)
    assert (node.used(tokens(1)), node.held(tokens(1))) == (95, 100)
    # A longer period knows what was used before it was asked for.
    assert node.used(tokens(1000, Period.MONTHLY)) == 95
    node.close()


def test_calls_in_progress_are_no_spent_quota(node: Node) -> None:
    account = node.account(tokens(1000))
    hold = admit(account, 700)
    with pytest.raises(RateLimited) as caught:
        admit(account, 400)
    assert caught.value.message == (
        "Virtual key total quota exceeded: limit is 1000 tokens for virtual key 'alias-k', current usage: 0 tokens, "
        "held by calls and tasks in progress: 700 tokens"
    )
    assert caught.value.retry_after_s == 1
    hold.release()
    # Alone, a call may be larger than the quota.
    admit(account, 9000).release()
    assert (node.used(tokens(1)), node.held(tokens(1))) == (0, 0)
    node.close()


def test_any_of_several_quotas_refuses_and_none_keeps_a_hold_of_a_refused_call(node: Node) -> None:
    quotas = (
        Quota(unit=Unit.TOKENS, period=Period.DAILY, limit=1000),
        Quota(unit=Unit.TOKENS, period=Period.TOTAL, limit=500),
        Quota(unit=Unit.CNY, period=Period.DAILY, limit=10**9),
    )
    limits = Limits(quotas=quotas, rpm=10, tpm=100_000, concurrency=3)
    tenant = TenantPolicy(id=TenantId("t"), limits=tokens(10_000))
    account = node.account(limits, tenant=tenant)
    admit(account, 100).settle(usage(500), CHAT)
    with pytest.raises(QuotaSpent, match="total quota exceeded: limit is 500"):
        admit(account, 10)
    assert [standing.held for standing in node.standings(limits)] == [0, 0, 0]
    assert [standing.used for standing in node.standings(limits)] == [500, 500, 2_500_000]
    (of_tenant,) = node.standings(tenant.limits, scope=tenant_scope("t"))
    assert (of_tenant.used, of_tenant.held) == (500, 0)
    raised = node.account(Limits(quotas=quotas[:1], rpm=10, concurrency=1))
    # The refused call was no request and no call at once.
    hold = admit(raised, 10)
    assert _headers(hold)["x-ratelimit-remaining-requests"] == "8"
    node.close()


def test_tenants_have_ceilings_over_all_their_keys(node: Node) -> None:
    tenant = TenantPolicy(id=TenantId("t"), limits=tokens(100, Period.MONTHLY))
    first = node.account(NO_LIMITS, name="a", tenant=tenant)
    second = node.account(tokens(1000), name="b", tenant=tenant, slot=1)
    admit(first, 40).settle(usage(60), CHAT)
    hold = admit(second, 40)
    with pytest.raises(
        RateLimited, match=r"Tenant monthly quota exceeded: .* held by calls and tasks in progress: 40"
    ):
        admit(first, 10)
    hold.settle(usage(40), CHAT)
    for account in (first, second):
        with pytest.raises(TenantOverQuota) as caught:
            admit(account, 10)
        assert caught.value.message == (
            "Tenant monthly quota exceeded: limit is 100 tokens for tenant 't', current usage: 100 tokens"
        )
        assert caught.value.status == 403
    assert hold.headers().count(b"\r\n") == 4
    node.close()


def test_a_key_without_limits_has_no_account(node: Node) -> None:
    holder = node.holder()
    assert holder.compile(key_policy(NO_LIMITS)) is None
    assert holder.compile(key_policy(NO_LIMITS), TenantPolicy(id=TenantId("t"))) is None
    node.close()


@pytest.mark.parametrize(
    ("model", "body_bytes", "max_output", "held"),
    [
        ("t/chat", 400, 300, 400),
        # The model's longest answer, where the caller sets none or more than that.
        ("t/chat", 400, 0, 2100),
        ("t/chat", 400, 1_000_000, 2100),
        # A picture in base64 is no more than the context.
        ("t/chat", 5_000_000, 10, 10_010),
        ("t/bare", 400, 0, 100 + 8192),
        ("t/bare", 400, 5, 105),
        ("t/bare", 400, 1 << 70, 100 + (1 << 32)),
        ("t/vectors", 400, 0, 100),
        ("t/vectors", 5_000_000, 0, 16_000),
        ("t/picture", 400, 0, 0),
    ],
)
def test_estimates(node: Node, model: str, body_bytes: int, max_output: int, held: int) -> None:
    limits = tokens(10_000)
    hold = node.account(limits).admit(endpoint(model), body_bytes, max_output=max_output)
    assert node.held(limits) == held
    hold.release()
    assert (node.used(limits), node.held(limits)) == (0, 0)
    node.close()


@pytest.mark.parametrize(
    ("model", "used", "counted"),
    [
        ("t/chat", Usage(input_tokens=30, output_tokens=12, cached_tokens=20, reasoning_tokens=5), 42),
        ("t/vectors", Usage(input_tokens=30), 30),
        ("t/chat", NO_USAGE, 0),
        ("t/chat", Usage(reported=False, input_tokens=3, output_tokens=4), 7),
        # Pictures are counted in money only, whatever tokens their provider reports.
        ("t/picture", Usage(images=1, output_tokens=4000), 0),
    ],
)
def test_what_counts_as_tokens(node: Node, model: str, used: Usage, counted: int) -> None:
    limits = tokens(10_000)
    node.account(limits).admit(endpoint(model), 400).settle(used, endpoint(model))
    assert (node.used(limits), node.held(limits)) == (counted, 0)
    node.close()


def _budget(unit: Unit, limit: int) -> Limits:
    return Limits(quotas=(Quota(unit=unit, period=Period.MONTHLY, limit=limit),))


def test_budgets_hold_and_count_money_of_their_currency(node: Node) -> None:
    cny, usd = _budget(Unit.CNY, 20_000_000), _budget(Unit.USD, 60_000_000)
    both = Limits(quotas=cny.quotas + usd.quotas)
    account = node.account(both)
    hold = account.admit(CHAT, 4000, max_output=1000)
    # 1000 x 2 CNY and 1000 x 8 CNY per million.
    assert (node.held(cny), node.held(usd)) == (10_000_000, 0)
    hold.settle(Usage(input_tokens=500, output_tokens=100), CHAT)
    assert (node.used(cny), node.held(cny), node.used(usd)) == (1_800_000, 0, 0)
    picture = endpoint("t/picture")
    hold = account.admit(picture, 400)
    assert (node.held(cny), node.held(usd)) == (0, 40_000_000)
    hold.settle(Usage(images=2), picture)
    assert (node.used(cny), node.used(usd)) == (1_800_000, 80_000_000)
    with pytest.raises(QuotaSpent) as caught:
        account.admit(CHAT, 400)
    assert caught.value.message == (
        "Virtual key monthly quota exceeded: limit is 0.06 USD for virtual key 'alias-k', current usage: 0.08 USD"
    )
    node.close()


def _discounted(*discounts: DiscountPolicy) -> TenantPolicy:
    return TenantPolicy(id=TenantId("t"), discounts=discounts)


HALF = DiscountPolicy(id="d", scope="all", name="", factor="0.5", since_s=0.0)


def _calls_until_spent(node: Node, name: str, tenant: TenantPolicy | None, credential: str) -> int:
    account = node.account(_budget(Unit.CNY, 1_000_000_000), name=name, tenant=tenant)
    calls = 0
    while True:
        try:
            hold = account.admit(CHAT, 400, max_output=10)
        except QuotaSpent:
            return calls
        # 10,000 x 2 CNY per million.
        hold.settle(Usage(input_tokens=10_000), CHAT, CredentialId(credential))
        calls += 1


def test_a_budget_counts_what_the_tenant_is_billed(node: Node) -> None:
    assert _calls_until_spent(node, "whole", None, "main") == 50
    assert _calls_until_spent(node, "half", _discounted(HALF), "main") == 100
    # What is paid elsewhere is no discount's matter.
    assert _calls_until_spent(node, "own", _discounted(HALF), "byok:t/x/y") == 50
    others = _discounted(structs.replace(HALF, scope="model", name="t/other"))
    assert _calls_until_spent(node, "others", others, "main") == 50
    ended = _discounted(structs.replace(HALF, until_s=1.0))
    assert _calls_until_spent(node, "ended", ended, "main") == 50
    unreadable = _discounted(
        structs.replace(HALF, scope="of a later release"), structs.replace(HALF, factor="?")
    )
    assert _calls_until_spent(node, "unreadable", unreadable, "main") == 50
    node.close()


def test_an_estimate_is_discounted_too(node: Node) -> None:
    cny = _budget(Unit.CNY, 20_000_000)
    hold = node.account(cny, tenant=_discounted(HALF)).admit(CHAT, 4000, max_output=1000)
    assert node.held(cny) == 5_000_000
    hold.release()
    node.close()


def test_an_unknown_price_counts_nothing(node: Node) -> None:
    cny = _budget(Unit.CNY, 1000)
    account = node.account(cny)
    bare = endpoint("t/bare")
    account.admit(bare, 4000).settle(usage(5000), bare)
    assert (node.used(cny), node.held(cny)) == (0, 0)
    node.close()


def test_a_task_is_charged_in_whatever_process_saw_it_end(node: Node, clock: FixedClock) -> None:
    cny = _budget(Unit.CNY, 1000)
    tenant = TenantPolicy(id=TenantId("t"), limits=_budget(Unit.CNY, 5000))
    admit(node.account(cny, tenant=tenant), 10).release()
    other = node.holder(1)
    key, money = KeyId("k"), Money(nano=700, currency=Currency.CNY)
    other.charge(key, TenantId("t"), money)
    other.charge(key, TenantId("t"), Money(nano=5, currency=Currency.USD))
    other.charge(KeyId("stranger"), TenantId("stranger"), money)
    assert (node.used(cny), node.used(_budget(Unit.USD, 1))) == (700, 0)
    assert node.standings(tenant.limits, scope=tenant_scope("t"))[0].used == 700
    assert node.standings(cny, scope=key_scope("stranger"))[0].used == 0
    # In the month in which it ends, even if it is the first to be counted there.
    clock.advance(40 * DAY_S)
    other.charge(key, TenantId("t"), money)
    assert node.used(cny) == 700
    node.close()


def test_requests_per_minute(node: Node, clock: FixedClock) -> None:
    limits = Limits(rpm=3)
    accounts = [node.account(limits, slot=slot) for slot in (0, 1)]
    holds = [admit(accounts[number % 2], 10) for number in range(3)]
    assert _headers(holds[0]) == {
        "x-ratelimit-limit-requests": "3",
        "x-ratelimit-remaining-requests": "2",
        "x-ratelimit-reset-requests": "20s",
    }
    assert _headers(holds[2])["x-ratelimit-reset-requests"] == "1m0s"
    for account in accounts:
        with pytest.raises(RateLimited) as caught:
            admit(account, 10)
        assert caught.value.message == (
            "Virtual key rate limit exceeded: 3 requests per minute for virtual key 'alias-k'"
        )
        assert caught.value.retry_after_s == 20
    # A request that failed was a request.
    for hold in holds:
        hold.release()
    clock.advance(19)
    with pytest.raises(RateLimited) as caught:
        admit(accounts[0], 10)
    assert caught.value.retry_after_s == 1
    clock.advance(1)
    admit(accounts[1], 10)
    node.close()


def test_tokens_per_minute_are_estimated_and_put_right(node: Node, clock: FixedClock) -> None:
    account = node.account(Limits(tpm=6000))
    hold = account.admit(CHAT, 4000)
    # 1000 of input and the usual 1024 of output.
    assert _headers(hold)["x-ratelimit-remaining-tokens"] == str(6000 - 2024)
    hold.settle(usage(3000), CHAT)
    hold = account.admit(CHAT, 4000, max_output=1500)
    assert _headers(hold)["x-ratelimit-remaining-tokens"] == "500"
    with pytest.raises(RateLimited, match="6000 tokens per minute"):
        account.admit(CHAT, 4000, max_output=1500)
    hold.release()
    hold = account.admit(CHAT, 4000, max_output=1500)
    # Far more than was estimated: the debt is a minute's worth at most, and is waited for.
    hold.settle(usage(100_000), CHAT)
    with pytest.raises(RateLimited) as caught:
        account.admit(CHAT, 4, max_output=1)
    assert caught.value.retry_after_s == 61
    # What needs no tokens is not refused for them.
    account.admit(endpoint("t/picture"), 400).release()
    clock.advance(61)
    account.admit(CHAT, 4, max_output=1)
    node.close()


def test_calls_at_once(node: Node) -> None:
    limits = Limits(concurrency=2)
    accounts = [node.account(limits, slot=slot) for slot in range(3)]
    first, second = admit(accounts[0], 10), admit(accounts[1], 10)
    with pytest.raises(RateLimited) as caught:
        admit(accounts[2], 10)
    assert caught.value.message == (
        "Virtual key concurrency limit exceeded: 2 calls at once for virtual key 'alias-k'"
    )
    first.settle(usage(5), CHAT)
    third = admit(accounts[2], 10)
    assert third.headers() == b""
    second.release()
    # The process that held the third call dies.
    node.die(2)
    hold = admit(accounts[0], 10)
    with pytest.raises(RateLimited):
        admit(accounts[1], 10)
    node.holder(2)
    admit(accounts[1], 10)
    hold.release()
    node.close()


def test_headers_tell_how_the_limits_stood_without_the_call(node: Node) -> None:
    quotas = (
        Quota(unit=Unit.TOKENS, period=Period.TOTAL, limit=1000),
        Quota(unit=Unit.TOKENS, period=Period.DAILY, limit=500),
    )
    limits = Limits(quotas=quotas, rpm=60)
    account = node.account(limits, tenant=TenantPolicy(id=TenantId("t"), limits=Limits(rpm=1000, tpm=60_000)))
    admit(account, 10).settle(usage(200), CHAT)
    hold = admit(account, 100)
    expected = {
        "x-czgw-ratelimit-api-key-token-period": "PTO, PDO",
        "x-czgw-ratelimit-api-key-token-limit": "1000, 500",
        "x-czgw-ratelimit-api-key-token-used": "200, 200",
        "x-czgw-ratelimit-api-key-token-remaining": "800, 300",
        "x-ratelimit-limit-requests": "60",
        "x-ratelimit-remaining-requests": "58",
        "x-ratelimit-reset-requests": "2s",
        # The key has no rate of tokens of its own: the tenant's.
        "x-ratelimit-limit-tokens": "60000",
        "x-ratelimit-remaining-tokens": "59700",
        "x-ratelimit-reset-tokens": "1s",
    }
    assert _headers(hold) == expected
    hold.settle(usage(100), CHAT)
    admit(account, 10).settle(usage(10), CHAT)
    assert _headers(hold) == expected
    node.close()


class _Meanwhile:
    """A fence behind which something happens: what another process does between our store and our loads."""

    def __init__(self, act: list[Account], outcomes: list[str]) -> None:
        self._act = act
        self._outcomes = outcomes

    def __enter__(self) -> None:
        while self._act:
            account = self._act.pop()
            try:
                admit(account, 600)
            except RateLimited:
                self._outcomes.append("refused")
            else:
                self._outcomes.append("admitted")

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        return None


def test_whatever_happens_between_a_hold_and_its_check_no_two_overshoot(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = tokens(1000)
    outcomes: list[str] = []
    first, second = node.account(limits), node.account(limits, slot=1)
    # The other one is in the middle of the same: it sees our hold, we see its hold gone.
    monkeypatch.setattr(first, "_fence", _Meanwhile([second], outcomes))
    admit(first, 600)
    assert outcomes == ["refused"]
    assert node.held(limits) == 600
    node.close()


def test_whoever_comes_second_is_refused_though_both_wrote_first(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = tokens(1000)
    outcomes: list[str] = []
    first, second = node.account(limits), node.account(limits, slot=1)
    third = node.account(limits, slot=2)
    monkeypatch.setattr(second, "_fence", _Meanwhile([third], outcomes))
    monkeypatch.setattr(first, "_fence", _Meanwhile([second], outcomes))
    admit(first, 300)
    # 300 + 600 fit; the third saw all three.
    assert outcomes == ["refused", "admitted"]
    assert node.held(limits) == 900
    node.close()


def test_without_a_row_nothing_is_limited_and_the_next_call_tries_again(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = tokens(10)
    account = node.account(limits)
    with monkeypatch.context() as patch:
        patch.setattr("aimesh.store.ledger_file.LedgerFile.try_lock", lambda *_: False)
        for _ in range(3):
            hold = admit(account, 100)
            assert hold.headers() == b""
            hold.settle(usage(100), CHAT)
    assert len(node.alarms) == 1
    admit(account, 100).settle(usage(100), CHAT)
    with pytest.raises(QuotaSpent):
        admit(account, 100)
    node.close()


def test_without_the_locks_limits_are_as_exact(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = tokens(1000)
    accounts = [node.account(limits, slot=slot) for slot in range(3)]
    for account in accounts:
        admit(account, 10).release()
    monkeypatch.setattr("aimesh.store.ledger_file.LedgerFile.try_lock", lambda *_: False)
    admitted = 0
    for number in range(60):
        try:
            admit(accounts[number % 3], 100)
            admitted += 1
        except RateLimited:
            pass
    assert admitted == 10
    assert node.held(limits) == 1000
    node.close()


def test_calls_that_end_after_the_ledger_was_closed_do_not_fail(node: Node) -> None:
    hold = admit(node.account(Limits(quotas=tokens(1000).quotas, rpm=5)), 100)
    node.close()
    hold.settle(usage(50), CHAT)
    hold.release()
    node.holder()
    assert (node.used(tokens(1)), node.held(tokens(1))) == (0, 0)
    node.close()


def test_accounts_are_compiled_in_other_threads(node: Node) -> None:
    made: list[Account] = []
    thread = threading.Thread(target=lambda: made.append(node.account(tokens(100))))
    node.holder()
    thread.start()
    thread.join()
    admit(made[0], 10).settle(usage(10), CHAT)
    assert node.used(tokens(1)) == 10
    node.close()
