"""Alerts: where they go, what they are about, which are on, and what is still to be delivered.

1. A change is made to the version that was read; one that came between is not overwritten.
2. What says where a channel leads (URLs hold tokens) and what it signs with is sealed; the rest may be shown.
3. A state and the notices about it are written in one transaction: nothing is told twice, or never.
4. A delivery is claimed before it is tried, so of several processes one sends it.
"""

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec
from msgspec import Struct
from sqlalchemy import RowMapping, Table, delete, insert, select, update

from aimesh.core.alert_kind import ChannelKind, RuleKind
from aimesh.core.ids import TenantId
from aimesh.store.engine import Connection
from aimesh.store.tables import ALERT_CHANNELS, ALERT_DELIVERIES, ALERT_RULES, ALERT_STATES
from aimesh.store.vault import Place

INSTALLATION = TenantId("")
KEEP_RESOLVED_S = 30 * 86_400.0


class ChannelTerms(Struct, frozen=True):
    """What may be shown."""

    name: str
    kind: ChannelKind
    enabled: bool = True
    allow_private: bool = False
    """Whether a webhook may lead to an address of this machine or its network, and mail go unencrypted."""
    host: str = ""
    """SMTP: the server. Else: the host of the URL, for people."""
    port: int = 0
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str = ""
    sender: str = ""
    recipients: tuple[str, ...] = ()


class ChannelSecrets(Struct, frozen=True):
    """Sealed together. No ``repr``: it would show them."""

    url: str = ""
    secret: str = ""
    """What is signed with, or the password of the SMTP server."""

    def __repr__(self) -> str:
        return "ChannelSecrets(****)"


class Channel(Struct, frozen=True):
    id: str
    terms: ChannelTerms
    envelope: bytes
    created_at_s: float
    updated_at_s: float
    version: int


class RuleTerms(Struct, frozen=True):
    name: str
    kind: RuleKind
    channels: tuple[str, ...]
    """Ids."""
    enabled: bool = True
    cooldown_s: float = 3600.0
    """So long after it was told, the same thing is not told again."""
    model: str = ""
    endpoint: str = ""
    provider: str = ""
    """Empty: every one."""
    tenant: str = "default"
    """Of quotas and budgets."""
    key: str = ""
    """Id; empty: the tenant's own limits and those of all of its keys."""
    percents: tuple[float, ...] = (80.0, 100.0)
    """Of a quota; else the first one is the share of failures."""
    minutes: int = 5
    least: int = 10
    """Calls, before a share says anything."""
    lag_s: float = 300.0


class Rule(Struct, frozen=True):
    id: str
    terms: RuleTerms
    created_at_s: float
    updated_at_s: float
    version: int


class State(Struct, frozen=True):
    rule: str
    subject: str
    value: float
    message: str
    since_s: float
    resolved_at_s: float | None
    told_at_s: float | None
    is_told: bool


class Notice(Struct, frozen=True):
    """What somebody is told."""

    id: str
    """The same however often it is sent."""
    status: Literal["firing", "resolved", "test"]
    rule: str
    """Name."""
    kind: str
    subject: str
    value: float
    message: str
    at_s: float
    since_s: float


class Delivery(Struct, frozen=True):
    id: str
    channel: str
    notice: Notice
    attempts: int


_ENCODER = msgspec.json.Encoder()
_CHANNEL_TERMS = msgspec.json.Decoder(ChannelTerms)
_RULE_TERMS = msgspec.json.Decoder(RuleTerms)
_NOTICE = msgspec.json.Decoder(Notice)


def place_of(channel: str) -> Place:
    return Place("alert_channel", INSTALLATION, channel)


# Channels.


def list_channels(db: Connection) -> list[Channel]:
    """By id, which is by time of making."""
    return [
        _channel(row) for row in db.execute(select(ALERT_CHANNELS).order_by(ALERT_CHANNELS.c.id)).mappings()
    ]


def find_channel(db: Connection, channel: str) -> Channel | None:
    row = db.execute(select(ALERT_CHANNELS).where(ALERT_CHANNELS.c.id == channel)).mappings().first()
    return None if row is None else _channel(row)


def add_channel(db: Connection, channel: Channel) -> None:
    values = _values(channel) | {"tenant": INSTALLATION, "envelope": channel.envelope}
    db.execute(insert(ALERT_CHANNELS).values(values))


def change_channel(db: Connection, before: Channel, after: Channel) -> bool:
    """False: somebody else changed it since it was read."""
    return _changed(db, ALERT_CHANNELS, before.version, _values(after) | {"envelope": after.envelope})


def delete_channel(db: Connection, channel: str) -> None:
    db.execute(delete(ALERT_DELIVERIES).where(ALERT_DELIVERIES.c.channel == channel))
    db.execute(delete(ALERT_CHANNELS).where(ALERT_CHANNELS.c.id == channel))


# Rules.


def list_rules(db: Connection) -> list[Rule]:
    """By id, which is by time of making."""
    return [_rule(row) for row in db.execute(select(ALERT_RULES).order_by(ALERT_RULES.c.id)).mappings()]


def find_rule(db: Connection, rule: str) -> Rule | None:
    row = db.execute(select(ALERT_RULES).where(ALERT_RULES.c.id == rule)).mappings().first()
    return None if row is None else _rule(row)


def add_rule(db: Connection, rule: Rule) -> None:
    db.execute(insert(ALERT_RULES).values(_values(rule)))


def change_rule(db: Connection, before: Rule, after: Rule) -> bool:
    """False: somebody else changed it since it was read."""
    return _changed(db, ALERT_RULES, before.version, _values(after))


def delete_rule(db: Connection, rule: str) -> None:
    forget_states(db, rule)
    db.execute(delete(ALERT_RULES).where(ALERT_RULES.c.id == rule))


# What is on.


def list_states(db: Connection) -> list[State]:
    """The latest first."""
    table = ALERT_STATES.c
    question = select(ALERT_STATES).order_by(table.since_s.desc(), table.rule, table.subject)
    return [State(**row) for row in db.execute(question).mappings()]


def put_states(db: Connection, states: Iterable[State]) -> None:
    for state in states:
        place = (ALERT_STATES.c.rule == state.rule) & (ALERT_STATES.c.subject == state.subject)
        db.execute(delete(ALERT_STATES).where(place))
        db.execute(insert(ALERT_STATES).values(msgspec.structs.asdict(state)))


def forget_states(db: Connection, rule: str) -> None:
    db.execute(delete(ALERT_STATES).where(ALERT_STATES.c.rule == rule))


def forget_resolved(db: Connection, before_s: float) -> None:
    db.execute(delete(ALERT_STATES).where(ALERT_STATES.c.resolved_at_s < before_s))


# What is still to be delivered.


def add_deliveries(db: Connection, notice: Notice, channels: Sequence[str], now_s: float) -> None:
    text = _ENCODER.encode(notice).decode()
    for channel in channels:
        db.execute(
            insert(ALERT_DELIVERIES).values(
                id=f"{notice.id}.{channel}", channel=channel, notice=text, attempts=0, next_at_s=now_s
            )
        )


def has_due(db: Connection, now_s: float) -> bool:
    question = select(ALERT_DELIVERIES.c.id).where(ALERT_DELIVERIES.c.next_at_s <= now_s).limit(1)
    return db.execute(question).first() is not None


def claim_deliveries(db: Connection, now_s: float, until_s: float, limit: int) -> list[Delivery]:
    """Those that are due; until then nobody else gets them. Counts the attempt."""
    table = ALERT_DELIVERIES.c
    rows = db.execute(
        select(ALERT_DELIVERIES).where(table.next_at_s <= now_s).order_by(table.next_at_s).limit(limit)
    ).mappings()
    found = [
        Delivery(row["id"], row["channel"], _NOTICE.decode(row["notice"]), row["attempts"] + 1)
        for row in rows
    ]
    for one in found:
        db.execute(
            update(ALERT_DELIVERIES)
            .where(table.id == one.id)
            .values(next_at_s=until_s, attempts=one.attempts)
        )
    return found


def postpone_delivery(db: Connection, delivery: str, until_s: float) -> None:
    db.execute(update(ALERT_DELIVERIES).where(ALERT_DELIVERIES.c.id == delivery).values(next_at_s=until_s))


def end_delivery(db: Connection, delivery: str) -> None:
    db.execute(delete(ALERT_DELIVERIES).where(ALERT_DELIVERIES.c.id == delivery))


def _values(one: Channel | Rule) -> dict[str, object]:
    return {
        "id": one.id,
        "name": one.terms.name,
        "terms": _ENCODER.encode(one.terms).decode(),
        "created_at_s": one.created_at_s,
        "updated_at_s": one.updated_at_s,
        "version": one.version,
    }


def _changed(db: Connection, table: Table, version: int, values: dict[str, object]) -> bool:
    done = db.execute(
        update(table).where(table.c.id == values["id"], table.c.version == version).values(values)
    )
    return bool(done.rowcount)


def _channel(row: RowMapping) -> Channel:
    return Channel(
        id=row["id"],
        terms=_CHANNEL_TERMS.decode(row["terms"]),
        envelope=row["envelope"],
        created_at_s=row["created_at_s"],
        updated_at_s=row["updated_at_s"],
        version=row["version"],
    )


def _rule(row: RowMapping) -> Rule:
    return Rule(
        id=row["id"],
        terms=_RULE_TERMS.decode(row["terms"]),
        created_at_s=row["created_at_s"],
        updated_at_s=row["updated_at_s"],
        version=row["version"],
    )
