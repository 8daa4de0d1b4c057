"""Looks every half minute whether a rule finds something, and delivers what is to be told.

1. What is found becomes states and deliveries in one transaction, while other writers wait: of several processes one
   tells it.
2. A delivery that fails is tried again, ever later, and given up after ``MOST_ATTEMPTS``, which the log tells.
3. A channel that does not open holds up no other. While the database is away nothing is looked at.
"""

import math
from collections.abc import Callable

import msgspec

from aimesh.control.alert_findings import look
from aimesh.control.alert_sending import Sender, SendError
from aimesh.control.alert_turns import take_turn
from aimesh.control.parts import Parts
from aimesh.core.secret import Secret
from aimesh.store.alerts import (
    KEEP_RESOLVED_S,
    Channel,
    ChannelSecrets,
    Delivery,
    add_deliveries,
    claim_deliveries,
    end_delivery,
    find_channel,
    forget_resolved,
    has_due,
    list_channels,
    list_rules,
    list_states,
    place_of,
    postpone_delivery,
    put_states,
)
from aimesh.store.database import StoreError
from aimesh.store.vault import Vault, VaultError

STEP_EVERY_S = 5.0
LOOK_EVERY_S = 30.0
MOST_ATTEMPTS = 8
_FIRST_WAIT_S = 30.0
_LONGEST_WAIT_S = 3600.0
_CLAIM_S = 120.0
_AT_ONCE = 4
"""Deliveries of one step: a process that is to end waits for them."""

OnAlarm = Callable[[str, str], None]
"""A short name and a safe text; an empty text: it is well again."""

_SECRETS = msgspec.json.Decoder(ChannelSecrets)


class Alerter:
    """One per process. ``step`` is for one thread at a time; it blocks."""

    def __init__(self, parts: Parts, sender: Sender, on_alarm: OnAlarm) -> None:
        self._parts = parts
        self._sender = sender
        self._on_alarm = on_alarm
        self._problem = ""
        self._look_at_s = -math.inf

    def step(self) -> None:
        problem = ""
        try:
            now_s = self._parts.clock.monotonic_s()
            if now_s >= self._look_at_s:
                self._look()
                self._look_at_s = now_s + LOOK_EVERY_S
            self._deliver()
        except StoreError as error:
            problem = str(error)
        if problem != self._problem:
            self._problem = problem
            self._on_alarm("alerts", problem)

    def _look(self) -> None:
        now_s = self._parts.clock.wall_s()
        with self._parts.store.read() as db:
            rules = [rule for rule in list_rules(db) if rule.terms.enabled]
            found = {rule.id: look(self._parts, db, rule.terms, now_s) for rule in rules}
        if not rules:
            return
        with self._parts.store.write() as db:
            states = list_states(db)
            open_channels = {one.id for one in list_channels(db) if one.terms.enabled}
            present = {rule.id: rule for rule in list_rules(db)}
            for rule in rules:
                if present.get(rule.id) != rule:
                    # Changed or removed since it was looked at.
                    continue
                mine = [state for state in states if state.rule == rule.id]
                turn = take_turn(rule, mine, found[rule.id], now_s)
                put_states(db, turn.states)
                channels = [one for one in rule.terms.channels if one in open_channels]
                for notice in turn.notices:
                    add_deliveries(db, notice, channels, now_s)
            forget_resolved(db, now_s - KEEP_RESOLVED_S)

    def _deliver(self) -> None:
        now_s = self._parts.clock.wall_s()
        with self._parts.store.read() as db:
            if not has_due(db, now_s):
                return
        with self._parts.store.write() as db:
            due = claim_deliveries(db, now_s, now_s + _CLAIM_S, _AT_ONCE)
        for delivery in due:
            problem = self._try(delivery)
            with self._parts.store.write() as db:
                if problem and delivery.attempts < MOST_ATTEMPTS:
                    wait_s = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2 ** (delivery.attempts - 1))
                    postpone_delivery(db, delivery.id, self._parts.clock.wall_s() + wait_s)
                else:
                    end_delivery(db, delivery.id)
            if problem:
                self._on_alarm(f"alert channel {delivery.channel}", problem)

    def _try(self, delivery: Delivery) -> str:
        """Why it was not taken; empty: it was, or nobody is to be told any more."""
        with self._parts.store.read() as db:
            channel = find_channel(db, delivery.channel)
        if channel is None or not channel.terms.enabled:
            return ""
        try:
            self._sender.send(channel.terms, opened(self._parts.vault, channel), delivery.notice)
        except (SendError, VaultError) as error:
            return str(error)
        return ""


def opened(vault: Vault | None, channel: Channel) -> ChannelSecrets:
    """Raises ``VaultError``."""
    if vault is None:
        raise VaultError("there is no master key")
    return _SECRETS.decode(vault.decrypt(channel.envelope, place_of(channel.id)).reveal())


def sealed(vault: Vault, channel: str, secrets: ChannelSecrets) -> bytes:
    return vault.encrypt(Secret(msgspec.json.encode(secrets).decode()), place_of(channel))
