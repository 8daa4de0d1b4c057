"""Ledgers, holders and endpoints for tests of limits."""

from pathlib import Path
from zoneinfo import ZoneInfo

from tests.support.catalogs import catalog

from aimesh.catalog.snapshot import Endpoint
from aimesh.core.clock import Clock
from aimesh.core.ids import KeyId, TenantId
from aimesh.core.policy import KeyPolicy, Limits, Period, Quota, TenantPolicy, Unit
from aimesh.core.usage import Usage
from aimesh.dataplane.hold import Account, Hold, Holder
from aimesh.store.ledger import Ledger, LedgerView, Standing, key_scope, prepare

ZONE = ZoneInfo("Asia/Shanghai")
_FILES = {
    "providers/one_bj.yaml": """
name: One
site: https://one.test
checked: "2026-11-24"
base_url: https://one.test/v1
speaks: {open_ai: {}, open_ai_embedding: {}, open_ai_image: {}}
""",
    "models/t.yaml": """
vendor: T
models:
  - name: t/chat
    kind: chat
    context: 10000
    max_output: 2000
    endpoints:
      - {provider: one_bj, interfaces: [open_ai], as: chat,
         price: {currency: CNY, source: T, date: "2026", tiers: [{input: 2, output: 8}]}}
  - name: t/bare
    kind: chat
    endpoints: [{provider: one_bj, interfaces: [open_ai], as: bare}]
  - name: t/vectors
    kind: embedding
    context: 1000
    endpoints: [{provider: one_bj, interfaces: [open_ai_embedding], as: vectors}]
  - name: t/picture
    kind: image
    endpoints:
      - {provider: one_bj, interfaces: [open_ai_image], as: picture,
         price: {currency: USD, source: T, date: "2026", per_image: 0.04}}
""",
}
_CATALOG = catalog(_FILES)


def endpoint(model: str) -> Endpoint:
    """``t/chat`` (context 10,000, answers up to 2,000, priced in CNY), ``t/bare`` (nothing known), ``t/vectors``,
    ``t/picture`` (priced in USD)."""
    return next(one for one in _CATALOG.endpoints.values() if one.model == model)


CHAT = endpoint("t/chat")


def usage(tokens: int) -> Usage:
    return Usage(input_tokens=tokens // 2, output_tokens=tokens - tokens // 2)


def tokens(limit: int, period: Period = Period.TOTAL) -> Limits:
    return Limits(quotas=(Quota(unit=Unit.TOKENS, period=period, limit=limit),))


def key_policy(limits: Limits, name: str = "k") -> KeyPolicy:
    return KeyPolicy(id=KeyId(name), alias=f"alias-{name}", tenant=TenantId("t"), limits=limits)


class Node:
    """One node's ledger, and a worker's holder in each slot that was asked for."""

    def __init__(self, directory: Path, clock: Clock, slots: int = 3) -> None:
        self.path = directory / "run" / "limits.bin"
        self.clock = clock
        self.slots = slots
        self.alarms: list[str] = []
        self.ledgers: dict[int, Ledger] = {}
        self.holders: dict[int, Holder] = {}
        self.prepare()

    def prepare(self) -> list[str]:
        return prepare(self.path, slots=self.slots)

    def holder(self, slot: int = 0) -> Holder:
        if slot not in self.holders:
            self.ledgers[slot] = Ledger(self.path, slot=slot, on_alarm=self.alarms.append)
            self.holders[slot] = Holder(self.ledgers[slot], ZONE, self.clock)
        return self.holders[slot]

    def account(
        self, limits: Limits, *, slot: int = 0, name: str = "k", tenant: TenantPolicy | None = None
    ) -> Account:
        account = self.holder(slot).compile(key_policy(limits, name), tenant)
        assert account is not None
        return account

    def die(self, slot: int) -> None:
        """As a process dies: nothing is given back, its claims end."""
        self.holders.pop(slot, None)
        ledger = self.ledgers.pop(slot, None)
        if ledger is not None:
            ledger.close()

    def standings(self, limits: Limits, *, scope: str = "") -> list[Standing]:
        with LedgerView(self.path, ZONE) as view:
            return view.standings(scope or key_scope("k"), limits, self.clock.wall_s())

    def used(self, limits: Limits) -> int:
        return self.standings(limits)[0].used

    def held(self, limits: Limits) -> int:
        return self.standings(limits)[0].held

    def close(self) -> None:
        for slot in list(self.ledgers):
            self.die(slot)


def admit(account: Account, estimate: int) -> Hold:
    """A chat call whose estimate is ``estimate`` tokens (at least 5)."""
    return account.admit(CHAT, 4 * (estimate - 1), max_output=1)
