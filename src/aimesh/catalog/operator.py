"""The types of ``aimesh.yaml``: everything an operator may declare, with its default.

1. Every field has a docstring, which the reference page and the JSON Schema show.
2. Secrets are ``Secret`` from the moment they are read.
3. ``providers`` and ``models`` have the types of the built-in data files, so an entry can move between them.
"""

from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from aimesh.catalog.schema import ModelEntry, Name, ProviderEntry, ProviderName
from aimesh.core.policy import Period, RankBy, RouteMode
from aimesh.core.secret import Secret

Seconds = Annotated[float, Meta(gt=0, le=86_400)]
Bytes = Annotated[int, Meta(ge=1)]
Count = Annotated[int, Meta(ge=1)]
Label = Annotated[str, Meta(min_length=1)]


class Region(Struct, frozen=True, forbid_unknown_fields=True):
    """A public address of this installation, as call examples show it."""

    id: Name
    """Short name, as the region selector and the examples use it."""
    base_url: str
    """Origin and path before ``/v1``: ``https://ai.example.com/gateway``."""
    name: str = ""
    """As people read it."""


class RouteEntry(Struct, frozen=True, forbid_unknown_fields=True):
    """Which endpoints a key's calls may try, and in what order."""

    mode: RouteMode = RouteMode.DEFAULT
    """``default``: everything usable, ranked; ``provider``: the listed providers in their order; ``byok``: the listed
    BYOK credentials in their order."""
    rank_by: RankBy = RankBy.PRICE
    """How ``default`` ranks: ``price``, ``throughput`` or ``latency``."""
    providers: tuple[ProviderName, ...] = ()
    """For ``provider``: the order. For ``default``: only these, if any."""
    credentials: tuple[Name, ...] = ()
    """For ``byok``: the order; none: all of them, ranked."""
    tiers: dict[ProviderName, int] = {}
    """For ``default``: lower tiers first; others are 0."""
    weights: dict[ProviderName, Count] = {}
    """Shares of the load among equals; others are 1."""
    affinity: bool = True
    """The same prompt prefers the same endpoint among equals, for its prompt cache."""


class QuotaEntry(Struct, frozen=True, forbid_unknown_fields=True):
    """A ceiling of use in a period: of tokens, or of money in one currency. Exactly one of the three."""

    period: Period
    """``daily``, ``weekly`` (from Monday), ``monthly`` or ``total``."""
    tokens: Count | None = None
    """Input and output together, cached ones included."""
    cny: Decimal | None = None
    """Yuan; calls priced in another currency do not count."""
    usd: Decimal | None = None
    """US dollars; calls priced in another currency do not count."""


class VirtualKeyEntry(Struct, frozen=True, forbid_unknown_fields=True):
    """A key that callers use, declared here instead of being made in the console."""

    alias: Label
    """Unique name of the key."""
    key: Secret[str]
    """At least 16 characters without spaces; keys made by aimesh are ``ck-`` and 40 characters."""
    models: tuple[Label, ...] = ("*",)
    """Public identifiers it may call; ``*`` stands for any text: ``qwen/*``."""
    enabled: bool = True
    """``false`` refuses its calls and keeps its records."""
    expires_at: str = ""
    """A day or a time, ISO 8601; in the setting ``timezone`` where it names no offset."""
    cidrs: tuple[Label, ...] = ()
    """Addresses callers may come from; none: any."""
    labels: dict[str, str] = {}
    """For allocating cost."""
    route: RouteEntry = RouteEntry()
    """Which endpoints its calls may try."""
    quotas: tuple[QuotaEntry, ...] = ()
    """Of several, any one that is spent refuses."""
    rpm: Count | None = None
    """Requests per minute."""
    tpm: Count | None = None
    """Tokens per minute."""
    concurrency: Count | None = None
    """Calls at once."""


class KeySettings(Struct, frozen=True, forbid_unknown_fields=True):
    reveal: Literal["audited", "never"] = "audited"
    """``never`` stores only a hash, so a key is shown once, when it is made."""


class LimitSettings(Struct, frozen=True, forbid_unknown_fields=True):
    max_body_bytes: Bytes = 64 * 1024 * 1024
    """Largest request body."""
    max_head_bytes: Bytes = 32 * 1024
    """Largest request head."""
    max_connections: Count = 20_000
    """Open connections of callers, per worker."""
    max_upstream_connections: Count = 10_000
    """Open connections to one upstream origin, per worker."""


class TimeoutSettings(Struct, frozen=True, forbid_unknown_fields=True):
    connect_s: Seconds = 5.0
    """TCP and TLS to an upstream."""
    first_byte_stream_s: Seconds = 120.0
    """From the request to the first byte of a streamed answer."""
    first_byte_whole_s: Seconds = 600.0
    """From the request to the first byte of a whole answer."""
    idle_s: Seconds = 120.0
    """Silence between two pieces of an answer."""
    whole_s: Seconds = 900.0
    """A whole call, all attempts together."""
    request_s: Seconds = 60.0
    """A caller's head, and silence inside a caller's body."""
    keep_alive_s: Seconds = 75.0
    """Idle connection of a caller."""
    upstream_idle_s: Seconds = 30.0
    """Idle pooled connection to an upstream; below the idle limits of common load balancers."""
    drain_s: Seconds = 30.0
    """Running calls after a stop signal."""


class RoutingSettings(Struct, frozen=True, forbid_unknown_fields=True):
    attempts: Annotated[int, Meta(ge=1, le=10)] = 4
    """Most endpoints tried for one call."""
    cny_per_usd: Annotated[float, Meta(gt=0)] = 7.0
    """Only for ranking prices of different currencies; money is never converted."""


class UpstreamSettings(Struct, frozen=True, forbid_unknown_fields=True):
    ca_file: str = ""
    """Further certificates to trust, PEM; relative to this file."""
    proxy: str = ""
    """Forward proxy for every provider: ``http://user:password@host:port``."""
    no_proxy: tuple[Label, ...] = ()
    """Hosts reached directly; ``.example.com`` stands for every host below it."""


class JournalSettings(Struct, frozen=True, forbid_unknown_fields=True):
    directory: str = ""
    """Default: ``journal`` in the home directory."""
    fsync_ms: Annotated[int, Meta(ge=0, le=10_000)] = 100
    """Most that a power cut can lose."""
    segment_bytes: Annotated[int, Meta(ge=65_536)] = 16 * 1024 * 1024
    """A file of the journal is closed at this size ..."""
    segment_age_s: Seconds = 3600.0
    """... or at this age."""
    keep_days: Count = 90
    """Closed files are removed after so many days; while ``usage.import`` is on, never before they are imported."""


class UsageSettings(Struct, frozen=True, forbid_unknown_fields=True):
    import_: bool = field(default=True, name="import")
    """Bring the journal's records into the database, where reports and the console read them."""
    keep_days: Count = 90
    """Single calls are kept in the database for so many days, on PostgreSQL until their month is over for so long.
    What they add up to by the hour is kept for good."""


class LogSettings(Struct, frozen=True, forbid_unknown_fields=True):
    level: Literal["debug", "info", "warning", "error"] = "info"
    """Least level that is written."""
    format: Literal["auto", "json", "text"] = "auto"
    """``auto``: text on a terminal, JSON lines elsewhere."""
    access: bool = False
    """One line per call. Off, because the journal has every call: ``aimesh usage tail -f``."""


class OidcSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Single sign-on with OpenID Connect, by authorization code and PKCE."""

    issuer: str = ""
    """URL of the identity provider; empty: off."""
    client_id: str = ""
    """As registered there."""
    client_secret: Secret[str] | None = None
    """None for a public client."""
    tenant: Label = "default"
    """Where a person who signs in for the first time becomes a member."""
    admins: tuple[Label, ...] = ()
    """E-mail addresses that become ``AI_GATEWAY_ADMIN`` at their first sign-in."""


class AdminSettings(Struct, frozen=True, forbid_unknown_fields=True):
    session_hours: Annotated[float, Meta(gt=0, le=720)] = 12.0
    """A sign-in ends after so long ..."""
    idle_minutes: Annotated[float, Meta(gt=0, le=43_200)] = 120.0
    """... or after so long without a request."""
    lock_after: Count = 10
    """Wrong passwords in a row before an account is locked ..."""
    lock_minutes: Annotated[float, Meta(gt=0, le=1440)] = 15.0
    """... for so long."""
    secure_cookies: Literal["auto", "always", "never"] = "auto"
    """``auto``: whenever the request came over https, as the proxy in front says."""
    oidc: OidcSettings = OidcSettings()
    """Single sign-on."""


class OperatorFile(Struct, frozen=True, forbid_unknown_fields=True):
    """``aimesh.yaml``."""

    listen: tuple[Label, ...] = ("127.0.0.1:8600",)
    """Addresses for callers: ``host:port``, ``[::1]:port`` or ``unix:/path``."""
    admin_listen: tuple[Label, ...] = ()
    """Addresses of ``/metrics`` and health, never public; none: not served. Usual: ``127.0.0.1:8601``."""
    trusted_proxies: tuple[Label, ...] = ()
    """Addresses of your proxies in front (CIDR): of them, and of a proxy on a unix socket, ``X-Forwarded-For`` is
    believed, of nobody else. None: the caller is who holds the connection."""
    workers: Annotated[int, Meta(ge=0, le=256)] = 0
    """Data-plane processes; 0: one per core."""
    timezone: Label = "Asia/Shanghai"
    """Periods of quotas and days of reports."""
    regions: tuple[Region, ...] = ()
    """Public addresses; default: the address a caller used."""
    credentials: dict[ProviderName, dict[Name, Secret[str]]] = {}
    """Provider to its secrets, each with a name of its own, which records show. An empty one is left out."""
    credentials_from_environment: bool = True
    """Take a provider's usual variable (``DASHSCOPE_API_KEY``, ...) where no credential is declared."""
    simulator: str = "off"
    """``off``, or the URL of a running ``aimesh simulate``, which then stands in for every provider. Refused
    while a real credential is configured."""
    virtual_keys: tuple[VirtualKeyEntry, ...] = ()
    """Keys declared here, beside those made by command or console."""
    keys: KeySettings = KeySettings()
    """How keys are kept."""
    admin: AdminSettings = AdminSettings()
    """People and their sign-in."""
    limits: LimitSettings = LimitSettings()
    """Sizes and numbers that protect this process."""
    timeouts: TimeoutSettings = TimeoutSettings()
    """In seconds."""
    routing: RoutingSettings = RoutingSettings()
    """Which endpoints are tried."""
    upstream: UpstreamSettings = UpstreamSettings()
    """How providers are reached."""
    journal: JournalSettings = JournalSettings()
    """Where usage records are kept first."""
    usage: UsageSettings = UsageSettings()
    """Where usage records are kept then."""
    log: LogSettings = LogSettings()
    """What is written to standard error."""
    database: Secret[str] | None = None
    """URL of the database; default: ``aimesh.db`` (SQLite) in the home directory. May hold a password."""
    providers: dict[ProviderName, ProviderEntry] = {}
    """Changes to built-in providers, and new ones."""
    models: tuple[ModelEntry, ...] = ()
    """Changes to built-in models, and new ones."""
