"""Limits of keys and tenants on the way of a call: what is held at admission and settled at its end.

1. A call holds in every gauge of its key and its tenant, or in none.
2. A hold ends exactly once, by ``settle`` or ``release``, whichever comes first; both are synchronous and never
   raise. What is used is counted there and nowhere else, but for tasks, whose money comes later (``charge``) and is
   held meanwhile (``task_holds.py``).
3. A key without limits, of a tenant without limits, has no account and costs nothing.
4. An estimate is no fact: it is only ever held, never counted.
5. Budgets count what is billed: list prices less the tenant's discount, but for calls over its own credentials.

A call's amounts are a tuple in the order of ``gauge.Measure``.
"""

from zoneinfo import ZoneInfo

from aimesh.catalog.price import cost
from aimesh.catalog.price_record import Payer, payer_of
from aimesh.catalog.snapshot import Endpoint
from aimesh.core.clock import Clock
from aimesh.core.errors import RateLimited
from aimesh.core.ids import CredentialId, KeyId, TenantId
from aimesh.core.kind import Kind
from aimesh.core.money import Currency, Money
from aimesh.core.policy import KeyPolicy, TenantPolicy, Unit
from aimesh.core.usage import Usage
from aimesh.dataplane.gauge import Gauge, Measure, QuotaGauge, RateGauge, Sort, Subject, sorts_of
from aimesh.limits.bucket import seconds_to_full, units_left
from aimesh.limits.headers import quota_head, quota_lines, rate_lines
from aimesh.limits.periods import Day, day_at
from aimesh.limits.rule import FITS
from aimesh.store.ledger import Ledger, key_scope, row_name, tenant_scope
from aimesh.store.ledger_file import RowKind
from aimesh.store.ledger_row import Row

BYTES_PER_TOKEN = 4
USUAL_OUTPUT = 8192
"""Where neither the caller nor the catalogue says how long an answer may be."""
USUAL_RATE_OUTPUT = 1024
"""The same for a rate of tokens, which is put right within the minute."""
TEXTS_PER_EMBEDDING = 16
"""A call for embeddings carries several texts, each as long as the model's context."""
MOST_OUTPUT = 1 << 32
RECHECKS = 3
"""A call that was refused may have met another one that is being refused in this very moment."""

Amounts = tuple[int, int, int, int, int, int]
_PLATFORMS = CredentialId("")
"""Any credential that is no tenant's own."""
_CHAT, _EMBEDDING, _IMAGE, _MODEL_3D = Kind.CHAT, Kind.EMBEDDING, Kind.IMAGE, Kind.MODEL_3D


class Holder:
    """One per worker."""

    __slots__ = ("_clock", "_day", "_ledger", "_zone", "fence", "wall_s")

    def __init__(self, ledger: Ledger, zone: ZoneInfo, clock: Clock) -> None:
        self._ledger = ledger
        self._zone = zone
        self._clock = clock
        self.fence = ledger.fence
        self.wall_s = clock.wall_s
        self._day = day_at(zone, clock.wall_s())

    def compile(self, key: KeyPolicy, tenant: TenantPolicy | None = None) -> "Account | None":
        """What limits a key's calls; None: nothing does. Safe in any thread."""
        sorts = sorts_of(Subject(key_scope(key.id), key.alias), key.limits)
        if tenant is not None:
            sorts += sorts_of(Subject(tenant_scope(tenant.id), tenant.id, is_tenant=True), tenant.limits)
        if not sorts:
            return None
        return Account(self, sorts, None if tenant is None else payer_of(tenant))

    def charge(self, key_id: KeyId, tenant: TenantId, money: Money) -> None:
        """Counts what a task cost, in budgets that are kept in its currency; in any process, any time later."""
        for scope in (key_scope(key_id), tenant_scope(tenant)):
            row = self._ledger.known(row_name(scope, Unit(money.currency)))
            if row is not None:
                row.begin(self.today(self.wall_s()))
                row.add(money.nano)

    def today(self, wall_s: float) -> Day:
        day = self._day
        if not day.start_s <= wall_s < day.end_s:
            self._day = day = day_at(self._zone, wall_s)
        return day

    def quota_row(self, name: str) -> Row | None:
        """A row of a quota by its name, made if there is none. None: it cannot be made now."""
        return self._ledger.row(name.encode(), RowKind.QUOTA, self.today(self.wall_s()))

    def gauge(self, sort: Sort, day: Day) -> Gauge | None:
        """None: there can be no row for it now."""
        row = self._ledger.row(sort.row_name, sort.row_kind, day)
        if row is None:
            return None
        if sort.quotas or sort.measure is Measure.CALLS:
            return QuotaGauge(sort, row, self._ledger.slots)
        return RateGauge(sort, row, self._ledger.slots, self._clock)


class Account:
    """The limits of one key and its tenant, compiled. Rows are opened by the first call."""

    __slots__ = (
        "_day",
        "_fence",
        "_gauges",
        "_head",
        "_holder",
        "_limits",
        "_payer",
        "_requests",
        "_sorts",
        "_tokens",
        "_tokens_rate",
        "_wall_s",
        "has_money",
        "only",
    )

    def __init__(self, holder: Holder, sorts: list[Sort], payer: Payer | None = None) -> None:
        """``payer``: None pays list prices."""
        self._holder = holder
        self._payer = payer
        self._fence = holder.fence
        self._wall_s = holder.wall_s
        self._sorts = sorts
        self.has_money = any(sort.measure in (Measure.CNY, Measure.USD) for sort in sorts)
        self._day: Day | None = None
        self._gauges: list[Gauge] = []
        self.only: QuotaGauge | None = None
        """The usual account has one gauge, of tokens: its calls take a shorter way."""
        self._tokens: QuotaGauge | None = None
        self._requests: RateGauge | None = None
        self._tokens_rate: RateGauge | None = None
        self._head = b""
        self._limits: tuple[int, ...] = ()

    def admit(
        self, endpoint: Endpoint, body_bytes: int, *, max_output: int = 0, asked: Usage | None = None
    ) -> "Hold":
        """Holds what a call may use at an endpoint; ``max_output`` is the caller's, 0 if it set none. ``asked``: what a
        task may use.

        Raises ``QuotaSpent``, ``TenantOverQuota``, ``RateLimited``."""
        at_s = self._wall_s()
        day = self._day
        if day is None or not day.start_s <= at_s < day.end_s:
            self._open(self._holder.today(at_s))
        amounts = self._estimate(endpoint, body_bytes, max_output, at_s, asked)
        gauges = self._gauges
        only = self.only
        if only is not None and not only.row.is_scarce:
            amount = amounts[0]
            only.row.hold(amount)
            with self._fence:
                pass
            if only.check(amount) is not FITS:
                only.row.hold(-amount)
                self._take_turns(gauges, amounts)
            return Hold(self, gauges, amounts, at_s)
        for gauge in gauges:
            if gauge.row.is_scarce:
                self._take_turns(gauges, amounts)
                break
        else:
            refused = self._try(gauges, amounts)
            if refused is not None:
                self._take_turns(gauges, amounts)
        return Hold(self, gauges, amounts, at_s)

    def _try(self, gauges: list[Gauge], amounts: Amounts) -> Gauge | None:
        """Holds in all gauges, or in none; then it gives the one that refused."""
        for gauge in gauges:
            gauge.hold(amounts[gauge.measure])
        with self._fence:
            pass
        for gauge in gauges:
            if gauge.check(amounts[gauge.measure]) is not FITS:
                for held in gauges:
                    held.undo(amounts[held.measure])
                return gauge
        return None

    def _take_turns(self, gauges: list[Gauge], amounts: Amounts) -> None:
        """Where little is left: one after the other. Raises what ``admit`` raises."""
        turns = [gauge.row for gauge in gauges if gauge.row.is_scarce and gauge.row.take_turn()]
        try:
            for _ in range(RECHECKS):
                refused = self._try(gauges, amounts)
                if refused is None:
                    return
                fault = refused.fault()
                if not isinstance(fault, RateLimited):
                    break
        finally:
            for row in turns:
                row.end_turn()
        raise fault

    # By position, as every call does it.
    def _estimate(
        self, endpoint: Endpoint, body_bytes: int, max_output: int, at_s: float, asked_for: Usage | None
    ) -> Amounts:
        kind = endpoint.kind
        asked = output = rate = 0
        if kind is _CHAT or kind is _EMBEDDING:
            asked = body_bytes // BYTES_PER_TOKEN
            most = endpoint.context
            if most is not None:
                if kind is _EMBEDDING:
                    most *= TEXTS_PER_EMBEDDING
                # A picture in base64 is not text.
                asked = asked if asked < most else most
            rate = asked
            if kind is _CHAT:
                longest = endpoint.max_output or (max_output if max_output else USUAL_OUTPUT)
                output = max_output if 0 < max_output < longest else longest
                output = output if output < MOST_OUTPUT else MOST_OUTPUT
                rate += output if max_output or output < USUAL_RATE_OUTPUT else USUAL_RATE_OUTPUT
        if not self.has_money:
            return asked + output, 0, 0, rate, 1, 1
        likely = asked_for
        if likely is None:
            likely = Usage(
                input_tokens=asked,
                output_tokens=output,
                images=1 if kind is _IMAGE else 0,
                assets=1 if kind is _MODEL_3D else 0,
            )
        cny, usd = self.money(endpoint, _PLATFORMS, likely, at_s)
        return asked + output, cny, usd, rate, 1, 1

    def money(
        self, endpoint: Endpoint, credential: CredentialId, usage: Usage, at_s: float
    ) -> tuple[int, int]:
        """What budgets in CNY and USD count."""
        payer = self._payer
        if payer is None:
            return _by_currency(cost(endpoint.price, usage, at_s))
        return _by_currency(payer.cost(endpoint, credential, usage, at_s))

    def money_rows(
        self, endpoint: Endpoint, credential: CredentialId, usage: Usage, at_s: float
    ) -> dict[str, int]:
        """What of which budgets: names of rows to amounts."""
        if not self.has_money:
            return {}
        cny, usd = self.money(endpoint, credential, usage, at_s)
        amounts = {Measure.CNY: cny, Measure.USD: usd}
        return {
            sort.row_name.decode(): amount
            for sort in self._sorts
            if sort.quotas and (amount := amounts.get(sort.measure, 0))
        }

    def _open(self, day: Day) -> None:
        if len(self._gauges) < len(self._sorts):
            # At the first call, and as long as a row cannot be made.
            self._tokens = self._requests = self._tokens_rate = None
            found = [gauge for sort in self._sorts if (gauge := self._holder.gauge(sort, day)) is not None]
            # In the order of their locks, so that no two calls wait for one another.
            self._gauges = sorted(found, key=lambda gauge: gauge.row.order)
            for gauge in found:
                self._show(gauge)
        for gauge in self._gauges:
            gauge.begin(day)
        is_usual = len(self._gauges) == 1 and self._gauges[0] is self._tokens
        self.only = self._tokens if is_usual else None
        self._day = day if len(self._gauges) == len(self._sorts) else None

    def _show(self, gauge: Gauge) -> None:
        """What answers tell: the key's own token quotas; of rates, the key's or else the tenant's."""
        is_tenant = gauge.sort.subject.is_tenant
        match gauge:
            case QuotaGauge(measure=Measure.TOKENS) if not is_tenant:
                self._tokens = gauge
                self._head = quota_head(gauge.sort.quotas)
                self._limits = tuple(quota.limit for quota in gauge.sort.quotas)
            case RateGauge(measure=Measure.REQUESTS) if self._requests is None or not is_tenant:
                self._requests = gauge
            case RateGauge(measure=Measure.RATE_TOKENS) if self._tokens_rate is None or not is_tenant:
                self._tokens_rate = gauge
            case _:
                pass

    def shown(self) -> tuple[list[int], int, int]:
        """As of the last admission: what of each token quota was used; levels of the rates."""
        tokens, requests, rate = self._tokens, self._requests, self._tokens_rate
        return (
            tokens.seen if tokens is not None else _NOTHING,
            requests.level_ns if requests is not None else 0,
            rate.level_ns if rate is not None else 0,
        )

    def headers(self, shown: tuple[list[int], int, int]) -> bytes:
        used, requests_ns, rate_ns = shown
        lines = quota_lines(self._head, self._limits, used) if used else b""
        if self._requests is not None:
            lines += _rate_lines(b"requests", self._requests, requests_ns)
        if self._tokens_rate is not None:
            lines += _rate_lines(b"tokens", self._tokens_rate, rate_ns)
        return lines


_NOTHING: list[int] = []


def _rate_lines(noun: bytes, gauge: RateGauge, level_ns: int) -> bytes:
    limit = gauge.sort.limit
    return rate_lines(noun, limit, units_left(limit, level_ns), seconds_to_full(level_ns))


class Hold:
    """What a running call holds."""

    __slots__ = ("_account", "_amounts", "_at_s", "_gauges", "_shown")

    def __init__(self, account: Account, gauges: list[Gauge], amounts: Amounts, at_s: float) -> None:
        self._account = account
        self._gauges = gauges
        self._amounts = amounts
        self._at_s = at_s
        only = account.only
        self._shown = (only.seen, 0, 0) if only is not None else account.shown()

    def headers(self) -> bytes:
        """Lines for a successful answer: how the limits stood at admission, without this call."""
        return self._account.headers(self._shown)

    def settle(self, usage: Usage, endpoint: Endpoint, credential: CredentialId = _PLATFORMS) -> None:
        """Ends the hold with what the call used at the endpoint that served it."""
        kind = endpoint.kind
        tokens = usage.input_tokens + usage.output_tokens if kind is _CHAT or kind is _EMBEDDING else 0
        only = self._account.only
        if only is not None and self._gauges:
            self._gauges = _ENDED
            try:
                only.row.settle(self._amounts[0], tokens)
            except ValueError:
                # See ``_end``.
                return
            return
        if not self._account.has_money:
            self._end((tokens, 0, 0, tokens, 1, 0))
            return
        cny, usd = self._account.money(endpoint, credential, usage, self._at_s)
        self._end((tokens, cny, usd, tokens, 1, 0))

    def money_rows(self, endpoint: Endpoint, credential: CredentialId, usage: Usage) -> dict[str, int]:
        """What of which budgets, at the price of the call."""
        return self._account.money_rows(endpoint, credential, usage, self._at_s)

    def release(self) -> None:
        """Ends the hold of a call that used nothing."""
        self._end(_UNUSED)

    def _end(self, used: Amounts) -> None:
        gauges, self._gauges = self._gauges, _ENDED
        amounts = self._amounts
        try:
            for gauge in gauges:
                measure = gauge.measure
                gauge.settle(amounts[measure], used[measure])
        except ValueError:
            # The ledger was closed before the last calls had ended; whoever opens it next releases what they held.
            return


_ENDED: list[Gauge] = []
_UNUSED: Amounts = (0, 0, 0, 0, 1, 0)


def _by_currency(money: Money | None) -> tuple[int, int]:
    if money is None:
        return 0, 0
    return (money.nano, 0) if money.currency is Currency.CNY else (0, money.nano)
