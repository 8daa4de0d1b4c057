"""People, tenants, tokens and sessions as the admin API takes and gives them."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from aimesh.control.access import Permission
from aimesh.control.http import Page
from aimesh.control.identity import CallerKind
from aimesh.control.schemas_policy import LimitsBody, RouteBody, shown_limits, shown_route
from aimesh.control.texts import (
    Line,
    OptionalLine,
    Password,
    Slug,
    Time,
    Username,
    shown_time,
    shown_time_or_none,
)
from aimesh.core.policy import TenantStatus
from aimesh.store.people import Role
from aimesh.store.tenants import Tenant
from aimesh.store.tokens import Token
from aimesh.store.users import User

_USER_ID = "usr_0190f2a4c1de5f3b9a77c0d2"
_WHEN = "2026-01-31T08:00:00Z"


class SetupState(BaseModel):
    model_config = ConfigDict(json_schema_extra={"example": {"needed": False, "single_sign_on": False}})

    needed: bool = Field(
        description="Nobody can run the installation yet: the first administrator is to be made."
    )
    single_sign_on: bool = Field(description="People can sign in through an identity provider.")


class Setup(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "token": "from the link that the first start printed",
                "username": "lin",
                "password": "...",
            }
        },
    )

    token: Password = Field(description="From the link that the first start printed.")
    username: Username
    password: Password = Field(description="At least 10 characters, not the username.")
    display_name: OptionalLine = ""
    email: OptionalLine = ""


class NewPassword(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"password": "..."}})

    password: Password = Field(description="At least 10 characters, not the username.")


class PasswordChange(BaseModel):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"current_password": "...", "new_password": "..."}}
    )

    current_password: Password
    new_password: Password = Field(description="At least 10 characters, not the username.")


class SignIn(BaseModel):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"username": "lin", "password": "..."}}
    )

    username: Line
    password: Password


class Person(BaseModel):
    id: str
    username: str
    display_name: str
    email: str


class TenantName(BaseModel):
    id: str
    name: str
    status: TenantStatus


class SessionAnswer(BaseModel):
    """Who is asking, and what this caller may do."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "kind": "user",
                "name": "lin",
                "user": {
                    "id": _USER_ID,
                    "username": "lin",
                    "display_name": "Lin",
                    "email": "lin@example.com",
                },
                "tenant": {"id": "default", "name": "Default", "status": "active"},
                "role": "AI_GATEWAY_ADMIN",
                "permissions": ["self", "keys.read", "keys.write"],
                "csrf_token": "8Qk1x0cJ5u2Vb7Yw",
                "expires_at": _WHEN,
            }
        }
    )

    kind: CallerKind
    name: str = Field(description="Username, name of the token, or account on this machine.")
    user: Person | None = Field(description="Null: nobody's token, or the local operator.")
    tenant: TenantName
    role: Role
    permissions: list[Permission]
    csrf_token: str | None = Field(
        default=None,
        description="To be sent as `x-csrf-token` with every method but GET. Null without a session.",
    )
    expires_at: Time | None = Field(default=None, description="Of the session or the token.")


class Member(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": _USER_ID,
                "tenant": "default",
                "username": "lin",
                "display_name": "Lin",
                "email": "lin@example.com",
                "role": "MEMBER",
                "enabled": True,
                "has_password": True,
                "single_sign_on": False,
                "locked_until": None,
                "last_login_at": _WHEN,
                "created_at": _WHEN,
                "updated_at": _WHEN,
                "version": 3,
            }
        }
    )

    id: str
    tenant: str
    username: str = Field(description="Small letters; unique in the installation.")
    display_name: str
    email: str
    role: Role
    enabled: bool
    has_password: bool = Field(description="False: a password link, or single sign-on, lets this person in.")
    single_sign_on: bool = Field(description="Bound to a person at the identity provider.")
    locked_until: Time | None = Field(description="After too many wrong passwords.")
    last_login_at: Time | None
    created_at: Time
    updated_at: Time
    version: int


class MemberPage(Page[Member]):
    """By username."""


class MemberUpsert(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"display_name": "Lin", "email": "lin@example.com", "role": "MEMBER"}},
    )

    display_name: OptionalLine = ""
    email: OptionalLine = ""
    role: Role = Role.MEMBER
    enabled: bool = True


class NewMember(MemberUpsert):
    model_config = ConfigDict(
        json_schema_extra={"example": {"username": "lin", "display_name": "Lin", "role": "MEMBER"}}
    )

    username: Username


class MemberChange(BaseModel):
    """What is left out stays as it is."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"role": "AI_GATEWAY_ADMIN", "enabled": True}}
    )

    display_name: OptionalLine | None = None
    email: OptionalLine | None = None
    role: Role | None = None
    enabled: bool | None = None


class RemainingKey(BaseModel):
    id: str
    alias: str


class MemberRemoved(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": _USER_ID,
                "removed": True,
                "tokens_removed": 1,
                "keys": [{"id": "key_0190f2a4c1de5f3b9a77c0d2", "alias": "search-prod"}],
            }
        }
    )

    id: str
    removed: Literal[True] = True
    tokens_removed: int
    keys: list[RemainingKey] = Field(
        description="Virtual keys of this person, which go on working; the first 1000."
    )


class PasswordLinkAnswer(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {"url": "https://aimesh.example.com/setup#link=Zk3...", "expires_at": _WHEN}
        }
    )

    url: str = Field(description="Works once. It lets whoever has it set this person's password.")
    expires_at: Time


class TenantAnswer(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "acme",
                "name": "Acme",
                "status": "active",
                "limits": {"quotas": [{"unit": "CNY", "period": "monthly", "limit": "5000"}]},
                "default_route": {"mode": "default"},
                "default_limits": {"quotas": [{"unit": "tokens", "period": "monthly", "limit": 10_000_000}]},
                "created_at": _WHEN,
                "updated_at": _WHEN,
                "version": 1,
            }
        }
    )

    id: str
    name: str
    status: TenantStatus
    limits: LimitsBody = Field(description="Over all keys of the tenant together.")
    default_route: RouteBody = Field(description="What a new key has unless its maker says otherwise.")
    default_limits: LimitsBody = Field(description="What a new key has unless its maker says otherwise.")
    created_at: Time
    updated_at: Time
    version: int


class TenantPage(Page[TenantAnswer]):
    """By id."""


class NewTenant(BaseModel):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"id": "acme", "name": "Acme", "limits": {"rpm": 6000}}}
    )

    id: Slug
    name: Line
    status: TenantStatus = Field(
        default=TenantStatus.ACTIVE,
        description="`overdue`: calls are refused. `disabled`: people and tokens of the tenant are shut out as well.",
    )
    limits: LimitsBody = LimitsBody()
    default_route: RouteBody = RouteBody()
    default_limits: LimitsBody = LimitsBody()


class TenantChange(BaseModel):
    """What is left out stays as it is."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"status": "overdue"}})

    name: Line | None = None
    status: TenantStatus | None = None
    limits: LimitsBody | None = None
    default_route: RouteBody | None = None
    default_limits: LimitsBody | None = None


class TokenOwner(BaseModel):
    id: str
    username: str | None


class TokenAnswer(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "tok_0190f2a4c1de5f3b9a77c0d2",
                "tenant": "default",
                "name": "deploy",
                "masked": "at-X****9f3c",
                "role": "AI_GATEWAY_ADMIN",
                "user": {"id": _USER_ID, "username": "lin"},
                "expires_at": None,
                "last_used_at": None,
                "created_at": _WHEN,
            }
        }
    )

    id: str
    tenant: str
    name: str
    masked: str
    role: Role = Field(description="At most; it never does more than its maker may at the time.")
    user: TokenOwner | None = Field(description="Whose it is. Null: made by the operator of the machine.")
    expires_at: Time | None
    last_used_at: Time | None = Field(description="To the minute.")
    created_at: Time


class MadeToken(TokenAnswer):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "tok_0190f2a4c1de5f3b9a77c0d2",
                "tenant": "default",
                "name": "deploy",
                "masked": "at-X****9f3c",
                "role": "AI_GATEWAY_ADMIN",
                "user": {"id": _USER_ID, "username": "lin"},
                "expires_at": None,
                "last_used_at": None,
                "created_at": _WHEN,
                "text": "at-...",
            }
        }
    )

    text: str = Field(description="The token itself; shown only here.")


class TokenPage(Page[TokenAnswer]):
    """By name."""


class NewToken(BaseModel):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"name": "deploy", "role": "AI_GATEWAY_ADMIN"}}
    )

    name: Line
    role: Role | None = Field(default=None, description="At most the maker's own, which is the default.")
    expires_at: Time | None = Field(default=None, description="Null: never.")


def shown_member(user: User) -> Member:
    return Member(
        id=user.id,
        tenant=user.tenant,
        username=user.username,
        display_name=user.display_name,
        email=user.email,
        role=user.role,
        enabled=user.enabled,
        has_password=user.has_password,
        single_sign_on=user.oidc_subject is not None,
        locked_until=shown_time_or_none(user.locked_until_s),
        last_login_at=shown_time_or_none(user.last_login_at_s),
        created_at=shown_time(user.created_at_s),
        updated_at=shown_time(user.updated_at_s),
        version=user.version,
    )


def shown_tenant(tenant: Tenant) -> TenantAnswer:
    terms = tenant.terms
    return TenantAnswer(
        id=tenant.id,
        name=terms.name,
        status=terms.status,
        limits=shown_limits(terms.limits),
        default_route=shown_route(terms.default_route),
        default_limits=shown_limits(terms.default_limits),
        created_at=shown_time(tenant.created_at_s),
        updated_at=shown_time(tenant.updated_at_s),
        version=tenant.version,
    )


def shown_token(token: Token, username: str | None) -> TokenAnswer:
    return TokenAnswer(
        id=token.id,
        tenant=token.tenant,
        name=token.name,
        masked=token.masked,
        role=token.role,
        user=TokenOwner(id=token.user_id, username=username) if token.user_id else None,
        expires_at=shown_time_or_none(token.expires_at_s),
        last_used_at=shown_time_or_none(token.last_used_at_s),
        created_at=shown_time(token.created_at_s),
    )
