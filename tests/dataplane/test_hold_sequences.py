"""Random sequences of everything that can happen to holds, against a model that does the same with plain sums."""

import tempfile
from pathlib import Path
from typing import NamedTuple

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tests.support.limits import CHAT, ZONE, Node, admit, tokens, usage

from aimesh.core.clock import FixedClock
from aimesh.core.errors import QuotaSpent, RateLimited
from aimesh.core.policy import Limits, Period, Quota, Unit
from aimesh.dataplane.hold import Hold
from aimesh.limits.periods import day_at
from aimesh.store.ledger import release_slot

SLOTS = 3
slots = st.integers(0, SLOTS - 1)


class Running(NamedTuple):
    slot: int
    estimate: int
    hold: Hold


class Holds(RuleBasedStateMachine):
    """One key with a daily and a total quota, called in three processes."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.clock = FixedClock()
        self.node = Node(Path(self.directory.name), self.clock, SLOTS)
        self.running: list[Running] = []
        self.lost = dict.fromkeys(range(SLOTS), 0)
        """What dead processes hold until their slot is released."""
        self.ever = 0
        self.before_today = 0
        self.day_s = day_at(ZONE, self.clock.wall_s()).start_s
        self.limits = Limits()

    @initialize(daily=st.integers(1, 3000), total=st.integers(1, 6000))
    def begin(self, daily: int, total: int) -> None:
        self.limits = self._limits(daily, total)

    @staticmethod
    def _limits(daily: int, total: int) -> Limits:
        return Limits(
            quotas=(
                Quota(unit=Unit.TOKENS, period=Period.DAILY, limit=daily),
                Quota(unit=Unit.TOKENS, period=Period.TOTAL, limit=total),
            )
        )

    @rule(daily=st.integers(1, 5000), total=st.integers(1, 20_000))
    def edit(self, daily: int, total: int) -> None:
        self.limits = self._limits(daily, total)

    @rule(slot=slots, estimate=st.integers(5, 1500))
    def call(self, slot: int, estimate: int) -> None:
        start_s = day_at(ZONE, self.clock.wall_s()).start_s
        # Whoever takes a slot releases what was left in it.
        if slot not in self.node.holders:
            self.lost[slot] = 0
        account = self.node.account(self.limits, slot=slot)
        if start_s != self.day_s:
            self.day_s, self.before_today = start_s, self.ever
        held = self._held()
        used = (self.ever - self.before_today, self.ever)
        spent = any(one >= quota.limit for one, quota in zip(used, self.limits.quotas, strict=True))
        fits = not spent and all(
            held == 0 or one + held + estimate <= quota.limit
            for one, quota in zip(used, self.limits.quotas, strict=True)
        )
        try:
            hold = admit(account, estimate)
        except QuotaSpent:
            assert spent
        except RateLimited:
            assert not spent
            assert not fits
        else:
            assert fits
            self.running.append(Running(slot, estimate, hold))

    @rule(pick=st.integers(0, 1000), used=st.integers(0, 2000), again=st.booleans())
    def settle(self, pick: int, used: int, again: bool) -> None:
        if self.running:
            one = self.running.pop(pick % len(self.running))
            one.hold.settle(usage(used), CHAT)
            self.ever += used
            if again:
                one.hold.settle(usage(used), CHAT)
                one.hold.release()

    @rule(pick=st.integers(0, 1000))
    def release(self, pick: int) -> None:
        if self.running:
            self.running.pop(pick % len(self.running)).hold.release()

    @rule(slot=slots, releases=st.booleans())
    def crash(self, slot: int, releases: bool) -> None:
        if slot in self.node.holders:
            self.lost[slot] = sum(one.estimate for one in self.running if one.slot == slot)
        dead = [one for one in self.running if one.slot == slot]
        self.running = [one for one in self.running if one.slot != slot]
        self.node.die(slot)
        for one in dead:
            one.hold.settle(usage(777), CHAT)
        if releases:
            release_slot(self.node.path, slot)
            self.lost[slot] = 0

    @rule(count=st.integers(SLOTS, 6))
    def restart(self, count: int) -> None:
        """All processes end, and come back in another number of slots."""
        for slot in range(SLOTS):
            self.crash(slot, releases=False)
        self.node.slots = count
        assert self.node.prepare() == []
        self.lost = dict.fromkeys(range(SLOTS), 0)

    @rule(hours=st.sampled_from([1, 5, 24, 24 * 40]))
    def wait(self, hours: int) -> None:
        self.clock.advance(hours * 3600)

    def _held(self) -> int:
        return sum(one.estimate for one in self.running) + sum(self.lost.values())

    @invariant()
    def sums_are_right(self) -> None:
        daily, total = self.node.standings(tokens(1, Period.DAILY)), self.node.standings(tokens(1))
        assert (total[0].used, total[0].held) == (self.ever, self._held())
        today = day_at(ZONE, self.clock.wall_s()).start_s == self.day_s
        assert daily[0].used == (self.ever - self.before_today if today else 0)

    def teardown(self) -> None:
        assert self.node.alarms == []
        self.node.close()
        self.directory.cleanup()


Holds.TestCase.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestHolds = Holds.TestCase
