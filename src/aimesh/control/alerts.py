"""Alerts: where they go, what they are about, and which are on. For who runs the installation."""

from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import Response

from aimesh.control.alert_sending import Sender, SendError
from aimesh.control.alerting import opened, sealed
from aimesh.control.audit import SECRET, Target, audited, difference
from aimesh.control.errors import Conflict, Detail, Invalid, NotFound, Stale, Unavailable
from aimesh.control.http import Edit, tag
from aimesh.control.identity import Signed
from aimesh.control.ids import new_id
from aimesh.control.noun import Noun
from aimesh.control.parts import Parts, Uses
from aimesh.control.schemas_alerts import (
    AlertList,
    ChannelAnswer,
    ChannelBody,
    ChannelList,
    ChannelTest,
    RuleAnswer,
    RuleBody,
    RuleList,
    shown_alert,
    shown_channel,
    shown_rule,
)
from aimesh.control.texts import Id
from aimesh.core.alert_kind import ChannelKind
from aimesh.core.ids import TenantId
from aimesh.store import alerts as stored
from aimesh.store.alerts import Channel, ChannelSecrets, Notice, Rule, RuleTerms
from aimesh.store.database import DuplicateError
from aimesh.store.engine import Connection
from aimesh.store.vault import Vault, VaultError
from aimesh.telemetry.logs import Event

NOUN = Noun("alerts", "Who is told of what goes wrong, and how.")


@NOUN.get("/alerts", "list_alerts")
def list_alerts(parts: Uses) -> AlertList:
    """What is on, and what was."""
    with parts.store.read() as db:
        names = {rule.id: rule.terms.name for rule in stored.list_rules(db)}
        states = stored.list_states(db)
    return AlertList(data=[shown_alert(one, names.get(one.rule, "")) for one in states])


@NOUN.get("/alert-channels", "list_alert_channels")
def list_channels(parts: Uses) -> ChannelList:
    """All channels, in the order of making."""
    with parts.store.read() as db:
        return ChannelList(data=[shown_channel(one) for one in stored.list_channels(db)])


@NOUN.post("/alert-channels", "add_alert_channel", errors=(409,), status=201)
def add_channel(body: ChannelBody, parts: Uses, caller: Signed, response: Response) -> ChannelAnswer:
    """Adds a webhook, a robot or a mailbox."""
    now_s = caller.source.at_s
    secrets = body.secrets(ChannelSecrets())
    _check_secrets(body, secrets)
    name = new_id("ach", now_s)
    channel = Channel(
        id=name,
        terms=body.terms(secrets),
        envelope=sealed(_vault(parts), name, secrets),
        created_at_s=now_s,
        updated_at_s=now_s,
        version=1,
    )
    with _naming("a channel"), parts.store.write() as db:
        stored.add_channel(db, channel)
        changes = {"terms": channel.terms, "secrets": SECRET}
        audited(db, caller, "alert_channel.create", _channel_target(channel), changes)
    tag(response, channel.version)
    return shown_channel(channel)


@NOUN.get("/alert-channels/{channel_id}", "get_alert_channel", errors=(404,))
def get_channel(channel_id: Id, parts: Uses, response: Response) -> ChannelAnswer:
    """One channel, without what it keeps secret."""
    with parts.store.read() as db:
        channel = _channel(db, channel_id)
    tag(response, channel.version)
    return shown_channel(channel)


@NOUN.put("/alert-channels/{channel_id}", "set_alert_channel", errors=(404, 409, 412, 428))
def set_channel(channel_id: Id, body: ChannelBody, parts: Uses, caller: Signed, edit: Edit) -> ChannelAnswer:
    """Changes a channel. Secrets that are left out stay, unless its kind or mail server changes."""
    with _naming("a channel"), parts.store.write() as db:
        before = _channel(db, channel_id)
        edit.check(before.version)
        kept = _opened(parts, before) if _leads_to_the_same(body, before) else ChannelSecrets()
        secrets = body.secrets(kept)
        _check_secrets(body, secrets)
        after = Channel(
            id=before.id,
            terms=body.terms(secrets),
            envelope=sealed(_vault(parts), before.id, secrets),
            created_at_s=before.created_at_s,
            updated_at_s=caller.source.at_s,
            version=before.version + 1,
        )
        if not stored.change_channel(db, before, after):
            raise Stale
        changes = difference(before.terms, after.terms)
        if secrets != kept:
            changes["secrets"] = SECRET
        audited(db, caller, "alert_channel.change", _channel_target(after), changes)
    edit.tag(after.version)
    return shown_channel(after)


@NOUN.delete("/alert-channels/{channel_id}", "delete_alert_channel", errors=(404, 409), status=204)
def delete_channel(channel_id: Id, parts: Uses, caller: Signed) -> None:
    """Removes a channel that no rule names."""
    with parts.store.write() as db:
        channel = _channel(db, channel_id)
        users = [rule.terms.name for rule in stored.list_rules(db) if channel.id in rule.terms.channels]
        if users:
            raise Conflict("CHANNEL_IN_USE", f"rules name it: {', '.join(users[:5])}")
        stored.delete_channel(db, channel.id)
        audited(db, caller, "alert_channel.delete", _channel_target(channel), {"terms": channel.terms})


@NOUN.post("/alert-channels/{channel_id}/test", "test_alert_channel", errors=(404, 429))
def test_channel(channel_id: Id, parts: Uses, caller: Signed) -> ChannelTest:
    """Sends a test notice, and says whether it was taken."""
    now_s = caller.source.at_s
    with parts.store.read() as db:
        channel = _channel(db, channel_id)
    notice = Notice(
        id=new_id("test", now_s),
        status="test",
        rule=channel.terms.name,
        kind="test",
        subject="",
        value=0.0,
        message="this is a test of aimesh",
        at_s=now_s,
        since_s=now_s,
    )
    secrets = _opened(parts, channel)
    message = ""
    with parts.pace.turn(f"alerts {caller.kind} {caller.name}", now_s):
        try:
            sender_of(parts).send(channel.terms, secrets, notice)
        except SendError as error:
            message = str(error)
    with parts.store.write() as db:
        audited(db, caller, "alert_channel.test", _channel_target(channel), {"ok": not message})
    return ChannelTest(ok=not message, message=message)


@NOUN.get("/alert-rules", "list_alert_rules")
def list_rules(parts: Uses) -> RuleList:
    """All rules, in the order of making."""
    with parts.store.read() as db:
        return RuleList(data=[shown_rule(one) for one in stored.list_rules(db)])


@NOUN.post("/alert-rules", "add_alert_rule", errors=(409,), status=201)
def add_rule(body: RuleBody, parts: Uses, caller: Signed, response: Response) -> RuleAnswer:
    """Adds a rule. It is looked at every half minute."""
    now_s = caller.source.at_s
    rule = Rule(
        id=new_id("arl", now_s), terms=body.terms(), created_at_s=now_s, updated_at_s=now_s, version=1
    )
    with _naming("a rule"), parts.store.write() as db:
        _check_channels(db, rule.terms)
        stored.add_rule(db, rule)
        audited(db, caller, "alert_rule.create", _rule_target(rule), {"terms": rule.terms})
    tag(response, rule.version)
    return shown_rule(rule)


@NOUN.get("/alert-rules/{rule_id}", "get_alert_rule", errors=(404,))
def get_rule(rule_id: Id, parts: Uses, response: Response) -> RuleAnswer:
    """One rule."""
    with parts.store.read() as db:
        rule = _rule(db, rule_id)
    tag(response, rule.version)
    return shown_rule(rule)


@NOUN.put("/alert-rules/{rule_id}", "set_alert_rule", errors=(404, 409, 412, 428))
def set_rule(rule_id: Id, body: RuleBody, parts: Uses, caller: Signed, edit: Edit) -> RuleAnswer:
    """Changes a rule. What is not found by it any more is over; what a disabled one found is forgotten."""
    with _naming("a rule"), parts.store.write() as db:
        before = _rule(db, rule_id)
        edit.check(before.version)
        after = Rule(
            id=before.id,
            terms=body.terms(),
            created_at_s=before.created_at_s,
            updated_at_s=caller.source.at_s,
            version=before.version + 1,
        )
        _check_channels(db, after.terms)
        if not stored.change_rule(db, before, after):
            raise Stale
        if not after.terms.enabled:
            stored.forget_states(db, after.id)
        audited(db, caller, "alert_rule.change", _rule_target(after), difference(before.terms, after.terms))
    edit.tag(after.version)
    return shown_rule(after)


@NOUN.delete("/alert-rules/{rule_id}", "delete_alert_rule", errors=(404,), status=204)
def delete_rule(rule_id: Id, parts: Uses, caller: Signed) -> None:
    """Removes a rule with what is known of its alerts."""
    with parts.store.write() as db:
        rule = _rule(db, rule_id)
        stored.delete_rule(db, rule.id)
        audited(db, caller, "alert_rule.delete", _rule_target(rule), {"terms": rule.terms})


def sender_of(parts: Parts) -> Sender:
    def on_crash(name: str, error: BaseException) -> None:
        if parts.log is not None:
            parts.log.crash(Event.CHILD_CRASHED, error, {"child": name})

    return Sender(parts.settings.upstream, parts.clock, on_crash)


def _channel(db: Connection, name: str) -> Channel:
    channel = stored.find_channel(db, name)
    if channel is None:
        raise NotFound("ALERT_CHANNEL_NOT_FOUND", "there is no such channel")
    return channel


def _rule(db: Connection, name: str) -> Rule:
    rule = stored.find_rule(db, name)
    if rule is None:
        raise NotFound("ALERT_RULE_NOT_FOUND", "there is no such rule")
    return rule


def _check_channels(db: Connection, terms: RuleTerms) -> None:
    known = {one.id for one in stored.list_channels(db)}
    for place, name in enumerate(terms.channels):
        if name not in known:
            message = "there is no such channel"
            raise Invalid(
                "INVALID_REQUEST", message, details=[Detail(path=f"channels.{place}", message=message)]
            )


def _leads_to_the_same(body: ChannelBody, before: Channel) -> bool:
    """A password is never sent to another server than the one it was given for."""
    terms = before.terms
    is_same_server = (body.host, body.port) == (terms.host, terms.port)
    return body.kind is terms.kind and (body.kind is not ChannelKind.SMTP or is_same_server)


def _check_secrets(body: ChannelBody, secrets: ChannelSecrets) -> None:
    if body.kind is not ChannelKind.SMTP and not secrets.url:
        message = "a webhook or robot needs its address"
        raise Invalid("INVALID_REQUEST", message, details=[Detail(path="url", message=message)])


@contextmanager
def _naming(what: str) -> Iterator[None]:
    try:
        yield
    except DuplicateError as error:
        raise Conflict(
            "NAME_TAKEN",
            f"{what} with this name exists",
            details=[Detail(path="name", message="it is taken")],
        ) from error


def _vault(parts: Parts) -> Vault:
    if parts.vault is None:
        raise Unavailable("VAULT_CLOSED", "there is no master key, so nothing secret can be kept")
    return parts.vault


def _opened(parts: Parts, channel: Channel) -> ChannelSecrets:
    try:
        return opened(parts.vault, channel)
    except VaultError as error:
        raise Unavailable("VAULT_CLOSED", str(error)) from error


def _channel_target(channel: Channel) -> Target:
    return Target("alert_channel", channel.id, channel.terms.name, TenantId(""))


def _rule_target(rule: Rule) -> Target:
    return Target("alert_rule", rule.id, rule.terms.name, TenantId(""))
