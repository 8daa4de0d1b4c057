"""Alerts as the admin API takes and shows them. What a channel keeps secret is taken, never given."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, model_validator

from aimesh.control.texts import Line, OptionalLine, Time, shown_time, shown_time_or_none
from aimesh.core.alert_kind import ChannelKind, RuleKind
from aimesh.store.alerts import Channel, ChannelSecrets, ChannelTerms, Rule, RuleTerms, State

_Url = Annotated[SecretStr, Field(min_length=8, max_length=2000)]
_Secret = Annotated[SecretStr, Field(max_length=1000)]
_Address = Annotated[
    str, StringConstraints(max_length=254, pattern=r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+$")
]
_Host = Annotated[str, StringConstraints(max_length=253, pattern=r"^[A-Za-z0-9.:_-]*$")]
_ChannelId = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9_]+$")]
Percent = Annotated[float, Field(gt=0, le=1000)]


class ChannelBody(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "name": "on call",
                "kind": "webhook",
                "url": "https://alerts.example.com/aimesh",
                "secret": "a secret of both",
            }
        },
    )

    name: Line
    kind: ChannelKind
    enabled: bool = True
    allow_private: bool = Field(
        default=False,
        description="Whether a webhook may lead to an address of this machine or its network, and mail go "
        "unencrypted.",
    )
    url: _Url | None = Field(
        default=None, description="Of a webhook or robot. Left out in a change: as before."
    )
    secret: _Secret | None = Field(
        default=None,
        description="What is signed with, or the mail server's password. Left out in a change: as before.",
    )
    host: _Host = Field(default="", description="Mail server.")
    port: int = Field(default=587, ge=1, le=65_535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: OptionalLine = ""
    sender: _Address | None = None
    recipients: list[_Address] = Field(default=[], max_length=50)

    @model_validator(mode="after")
    def _fits(self) -> "ChannelBody":
        if self.kind is ChannelKind.SMTP:
            if not (self.host and self.sender and self.recipients):
                raise ValueError("a mail channel needs host, sender and recipients")
            if not self.allow_private and self.security == "none":
                raise ValueError("mail goes unencrypted only where allow_private is set")
        elif self.url is not None:
            _check_url(self.url.get_secret_value())
        return self

    def secrets(self, before: ChannelSecrets) -> ChannelSecrets:
        return ChannelSecrets(
            url=before.url if self.url is None else self.url.get_secret_value(),
            secret=before.secret if self.secret is None else self.secret.get_secret_value(),
        )

    def terms(self, secrets: ChannelSecrets) -> ChannelTerms:
        is_mail = self.kind is ChannelKind.SMTP
        return ChannelTerms(
            name=self.name,
            kind=self.kind,
            enabled=self.enabled,
            allow_private=self.allow_private,
            host=self.host if is_mail else urlsplit(secrets.url).hostname or "",
            port=self.port if is_mail else 0,
            security=self.security,
            username=self.username if is_mail else "",
            sender=(self.sender or "") if is_mail else "",
            recipients=tuple(self.recipients) if is_mail else (),
        )


class ChannelAnswer(BaseModel):
    id: str
    name: str
    kind: ChannelKind
    enabled: bool
    allow_private: bool
    host: str = Field(description="Of the URL, or the mail server.")
    port: int = Field(description="Of the mail server; 0 for others.")
    security: Literal["starttls", "tls", "none"]
    username: str
    sender: str
    recipients: list[str]
    created_at: Time
    updated_at: Time
    version: int


class ChannelList(BaseModel):
    data: list[ChannelAnswer]


class ChannelTest(BaseModel):
    ok: bool
    message: str = Field(description="Why it was not taken; empty: it was.")


class RuleBody(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "name": "errors",
                "kind": "error_rate",
                "channels": ["ach_0190f2a4c1de5f3b9a77c0d2"],
                "percents": [20],
                "minutes": 5,
                "least": 20,
            }
        },
    )

    name: Line
    kind: RuleKind
    channels: list[_ChannelId] = Field(min_length=1, max_length=20, description="Ids.")
    enabled: bool = True
    cooldown_s: float = Field(
        default=3600.0, ge=0, le=30 * 86_400, description="So long the same thing is not told again."
    )
    model: OptionalLine = Field(default="", description="Error rate: of this model.")
    endpoint: OptionalLine = Field(default="", description="Error rate: of this endpoint.")
    provider: OptionalLine = Field(default="", description="Provider down: only this one.")
    tenant: Line = Field(default="default", description="Whose quotas and budgets.")
    key: OptionalLine = Field(
        default="", description="Id of a key; empty: the tenant's own limits, and those of all of its keys."
    )
    percents: list[Percent] | None = Field(
        default=None,
        min_length=1,
        max_length=10,
        description="Quotas: each of these is told, by default 80 and 100. Else the share of failed calls: one, by "
        "default 50.",
    )
    minutes: int = Field(default=5, ge=1, le=1440, description="Calls of so long count.")
    least: int = Field(default=10, ge=1, le=1_000_000, description="With fewer calls nothing is told.")
    lag_s: float = Field(default=300.0, ge=10, le=80_000, description="Import: so far behind.")

    def terms(self) -> RuleTerms:
        is_quota = self.kind in (RuleKind.QUOTA_USED, RuleKind.BUDGET_USED)
        usual = (80.0, 100.0) if is_quota else (50.0,)
        return RuleTerms(
            name=self.name,
            kind=self.kind,
            channels=tuple(dict.fromkeys(self.channels)),
            enabled=self.enabled,
            cooldown_s=self.cooldown_s,
            model=self.model,
            endpoint=self.endpoint,
            provider=self.provider,
            tenant=self.tenant,
            key=self.key,
            percents=tuple(sorted(set(self.percents))) if self.percents else usual,
            minutes=self.minutes,
            least=self.least,
            lag_s=self.lag_s,
        )


class RuleAnswer(BaseModel):
    id: str
    name: str
    kind: RuleKind
    channels: list[str]
    enabled: bool
    cooldown_s: float
    model: str
    endpoint: str
    provider: str
    tenant: str
    key: str
    percents: list[float]
    minutes: int
    least: int
    lag_s: float
    created_at: Time
    updated_at: Time
    version: int


class RuleList(BaseModel):
    data: list[RuleAnswer]


class AlertAnswer(BaseModel):
    rule: str = Field(description="Id.")
    rule_name: str
    subject: str = Field(description="What it is about: an endpoint, a key's quota ...")
    status: Literal["firing", "resolved"]
    value: float = Field(description="Percent, or seconds behind.")
    message: str
    since: Time
    resolved_at: Time | None


class AlertList(BaseModel):
    data: list[AlertAnswer] = Field(description="The latest first; those that are over for a month.")


def shown_channel(channel: Channel) -> ChannelAnswer:
    terms = channel.terms
    return ChannelAnswer(
        id=channel.id,
        name=terms.name,
        kind=terms.kind,
        enabled=terms.enabled,
        allow_private=terms.allow_private,
        host=terms.host,
        port=terms.port,
        security=terms.security,
        username=terms.username,
        sender=terms.sender,
        recipients=list(terms.recipients),
        created_at=shown_time(channel.created_at_s),
        updated_at=shown_time(channel.updated_at_s),
        version=channel.version,
    )


def shown_rule(rule: Rule) -> RuleAnswer:
    terms = rule.terms
    return RuleAnswer(
        id=rule.id,
        name=terms.name,
        kind=terms.kind,
        channels=list(terms.channels),
        enabled=terms.enabled,
        cooldown_s=terms.cooldown_s,
        model=terms.model,
        endpoint=terms.endpoint,
        provider=terms.provider,
        tenant=terms.tenant,
        key=terms.key,
        percents=list(terms.percents),
        minutes=terms.minutes,
        least=terms.least,
        lag_s=terms.lag_s,
        created_at=shown_time(rule.created_at_s),
        updated_at=shown_time(rule.updated_at_s),
        version=rule.version,
    )


def shown_alert(state: State, rule_name: str) -> AlertAnswer:
    return AlertAnswer(
        rule=state.rule,
        rule_name=rule_name,
        subject=state.subject,
        status="firing" if state.resolved_at_s is None else "resolved",
        value=state.value,
        message=state.message,
        since=shown_time(state.since_s),
        resolved_at=shown_time_or_none(state.resolved_at_s),
    )


def _check_url(url: str) -> None:
    if not (url.isascii() and url.isprintable()) or " " in url:
        raise ValueError("an address has only printable ASCII")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("this is no address") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0 or "@" in parts.netloc:
        raise ValueError("an address is http:// or https://, with a host, without a user")
