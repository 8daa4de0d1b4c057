"""Process settings: the operator's file, the environment and the built-in catalogue become one frozen value.

1. The only file that knows variables of the environment; the mapping itself is an argument.
2. Everything wrong is reported at once, each with file, line, column and what to write instead.
3. No text that leaves this file holds a secret.
4. The simulator stands in for every provider or for none, and for none while a real credential is configured.
"""

import ipaddress
from collections.abc import Mapping as Table
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct

from aimesh.catalog.crosscheck import Layer, Merged, check, merged
from aimesh.catalog.decode import decode
from aimesh.catalog.document import EMPTY, Document, Mapping, Node, Scalar, interpolated, read_document
from aimesh.catalog.document import Path as Place
from aimesh.catalog.load import load_built_in
from aimesh.catalog.operator import (
    AdminSettings,
    JournalSettings,
    KeySettings,
    LimitSettings,
    LogSettings,
    OperatorFile,
    QuotaEntry,
    Region,
    RouteEntry,
    RoutingSettings,
    TimeoutSettings,
    UpstreamSettings,
    VirtualKeyEntry,
)
from aimesh.catalog.problem import ConfigError, Problem, did_you_mean, shown_name
from aimesh.catalog.snapshot import Catalog, compile_catalog
from aimesh.core.ids import DEFAULT_TENANT, CredentialId, KeyId, ModelName, ProviderId, TenantId
from aimesh.core.money import NANO
from aimesh.core.policy import NO_LIMITS, Limits, Quota, Route, RouteMode, Unit
from aimesh.core.secret import Secret

FILE_NAME = "aimesh.yaml"
_OFF = "off"
_SIMULATED = "simulated"
_LEAST_KEY = 16


class Address(Struct, frozen=True):
    """Where to listen: TCP, or a unix socket when ``unix`` is set."""

    host: str = ""
    port: int = 0
    unix: str = ""


class Credential(Struct, frozen=True):
    id: CredentialId
    """``{provider}/{name}``."""
    provider: ProviderId
    name: str
    secret: Secret[str]
    """Empty only where the provider asks for none."""


class VirtualKey(Struct, frozen=True):
    """A key declared in the file."""

    id: KeyId
    tenant: TenantId
    alias: str
    secret: Secret[str]
    patterns: tuple[str, ...]
    allowed: frozenset[ModelName]
    enabled: bool
    expires_at_s: float | None
    """Wall-clock seconds."""
    cidrs: tuple[str, ...]
    labels: dict[str, str]
    route: Route = Route()
    limits: Limits = NO_LIMITS


class Settings(Struct, frozen=True):
    file: Path | None
    home: Path
    listen: tuple[Address, ...]
    admin_listen: tuple[Address, ...]
    workers: int
    """Data-plane processes; 0: one per core."""
    timezone: str
    regions: tuple[Region, ...]
    catalog: Catalog
    credentials: dict[ProviderId, tuple[Credential, ...]]
    """Every provider that can be called, with at least one credential."""
    virtual_keys: tuple[VirtualKey, ...]
    keys: KeySettings
    admin: AdminSettings
    limits: LimitSettings
    timeouts: TimeoutSettings
    routing: RoutingSettings
    upstream: UpstreamSettings
    journal: JournalSettings
    log: LogSettings
    journal_directory: Path
    database: Secret[str] | None
    """URL; None: SQLite in the home directory."""
    master_key: Secret[str] | None
    """``AIMESH_MASTER_KEY``; None: the file in the home directory."""
    simulator: str
    """URL, or empty when off."""


def compile_settings(path: Path | None, environ: Table[str, str]) -> Settings:
    """The settings of one process. Without a path: ``AIMESH_CONFIG``, else ``aimesh.yaml`` in the home
    directory if there is one, else all defaults. Raises ``ConfigError``."""
    home = home_directory(environ)
    file = _file(path, home, environ)
    document = _with_named_credentials(_read(file, environ))
    operator, problems = decode(document, OperatorFile)
    if operator is None:
        raise ConfigError(problems)
    return _Compiler(document, operator, environ).compile(file, home)


def home_directory(environ: Table[str, str]) -> Path:
    """``AIMESH_HOME``, else the place the XDG rules give."""
    if given := environ.get("AIMESH_HOME"):
        return Path(given).expanduser()
    data = environ.get("XDG_DATA_HOME", "")
    # The XDG rules say that a relative path is to be ignored.
    if not data.startswith("/"):
        data = f"{environ.get('HOME') or Path.home()}/.local/share"
    return Path(data) / "aimesh"


def _file(path: Path | None, home: Path, environ: Table[str, str]) -> Path | None:
    if path is None and (named := environ.get("AIMESH_CONFIG")):
        path = Path(named).expanduser()
    if path is None:
        usual = home / FILE_NAME
        return usual if usual.is_file() else None
    return path


def _read(file: Path | None, environ: Table[str, str]) -> Document:
    if file is None:
        return Document(file=FILE_NAME, root=EMPTY)
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        why = (error.strerror or "unreadable").lower()
        raise ConfigError(
            [Problem(file=str(file), line=1, column=1, message=f"cannot be read: {why}")]
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError([Problem(file=str(file), line=1, column=1, message="is not UTF-8 text")]) from error
    document, problems = read_document(text, str(file))
    if not problems:
        document, problems = interpolated(document, environ.get)
    if problems:
        raise ConfigError(problems)
    return document


def _with_named_credentials(document: Document) -> Document:
    """``provider: secret`` is short for ``provider: {default: secret}``."""
    root = document.root
    if not isinstance(root, Mapping) or "credentials" not in root.entries:
        return document
    key, section = root.entries["credentials"]
    if not isinstance(section, Mapping):
        return document
    named = {provider: (name, _named(value)) for provider, (name, value) in section.entries.items()}
    section = Mapping(entries=named, line=section.line, column=section.column)
    entries = root.entries | {"credentials": (key, section)}
    return Document(file=document.file, root=Mapping(entries=entries, line=root.line, column=root.column))


def _named(value: Node) -> Node:
    if not isinstance(value, Scalar) or value.is_null:
        return value
    # The secret stands in the value only: a key is shown in problems and records.
    key = Scalar(text="default", line=value.line, column=value.column)
    return Mapping(entries={"default": (key, value)}, line=value.line, column=value.column)


class _Compiler:
    """From a decoded file to settings; collects what types could not say."""

    def __init__(self, document: Document, operator: OperatorFile, environ: Table[str, str]) -> None:
        self._document = document
        self._operator = operator
        self._environ = environ
        self._problems: list[Problem] = []

    def compile(self, file: Path | None, home: Path) -> Settings:
        operator = self._operator
        zone = self._zone()
        simulator = self._simulator()
        catalog = self._catalog(simulator)
        settings = Settings(
            file=file,
            home=home,
            listen=self._addresses("listen", operator.listen),
            admin_listen=self._addresses("admin_listen", operator.admin_listen),
            workers=operator.workers,
            timezone=operator.timezone,
            regions=self._regions(),
            catalog=catalog,
            credentials=self._credentials(catalog, simulator),
            virtual_keys=self._virtual_keys(catalog, zone),
            keys=operator.keys,
            admin=operator.admin,
            limits=operator.limits,
            timeouts=operator.timeouts,
            routing=operator.routing,
            upstream=self._upstream(file),
            journal=operator.journal,
            log=operator.log,
            journal_directory=_beside(file, operator.journal.directory) or home / "journal",
            database=operator.database,
            master_key=self._master_key(),
            simulator=simulator,
        )
        if self._problems:
            raise ConfigError(self._problems)
        return settings

    def _fault(self, place: Place, message: str, hint: str = "", *, at_key: bool = False) -> None:
        self._problems.append(self._document.problem(place, message, hint, at_key=at_key))

    def _shown(self, place: Place, text: str) -> str:
        return self._document.shown(place, text)

    def _zone(self) -> ZoneInfo:
        try:
            return ZoneInfo(self._operator.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self._fault(
                ("timezone",),
                f"unknown time zone {self._shown(('timezone',), self._operator.timezone)}",
                "for example Asia/Shanghai",
            )
            return ZoneInfo("UTC")

    def _simulator(self) -> str:
        value = self._operator.simulator
        if value == _OFF:
            return ""
        if not value.startswith(("http://", "https://")):
            shown = self._shown(("simulator",), value)
            self._fault(("simulator",), f"{shown} is not possible here", "'off' or a URL")
            return ""
        return value.rstrip("/")

    def _catalog(self, simulator: str) -> Catalog:
        built_in = load_built_in()
        below = Merged(
            providers=dict(built_in.providers), models={model.name: model for model in built_in.models}
        )
        operator = self._operator
        layer = Layer(
            document=self._document,
            providers={name: (("providers", name), entry) for name, entry in operator.providers.items()},
            models=tuple((("models", index), entry) for index, entry in enumerate(operator.models)),
            is_built_in=False,
        )
        result = merged(below, layer)
        if problems := check(layer, result, below):
            # Half a catalogue cannot be compiled, and everything else would be judged against it.
            raise ConfigError(self._problems + problems)
        return compile_catalog(
            result.providers,
            result.models.values(),
            cny_per_usd=Fraction(str(operator.routing.cny_per_usd)),
            rebase=simulator,
        )

    def _credentials(self, catalog: Catalog, simulator: str) -> dict[ProviderId, tuple[Credential, ...]]:
        declared = {name: self._declared(name, catalog) for name in self._operator.credentials}
        held: dict[ProviderId, tuple[Credential, ...]] = {}
        for name, provider in catalog.providers.items():
            found = declared.get(name, ())
            usual = self._environ.get(provider.environment, "").strip() if provider.environment else ""
            if name not in declared and usual and self._operator.credentials_from_environment:
                found = (_credential(name, "environment", Secret(usual)),)
                if simulator:
                    self._fault(
                        ("simulator",),
                        f"{provider.environment} is set: the simulator never stands in for a real provider",
                        "unset it, or set credentials_from_environment: false",
                    )
            if simulator:
                found = (_credential(name, _SIMULATED, Secret(_SIMULATED)),)
            elif provider.auth == "none" and not found:
                found = (_credential(name, "none", Secret("")),)
            if found:
                held[name] = found
        return held

    def _declared(self, name: str, catalog: Catalog) -> tuple[Credential, ...]:
        place: Place = ("credentials", name)
        if name not in catalog.providers:
            hint = did_you_mean(name, catalog.providers) or "define it under providers"
            self._fault(place, f"unknown provider {shown_name(name)}", hint, at_key=True)
            return ()
        found: list[Credential] = []
        for alias, secret in self._operator.credentials[name].items():
            text = secret.reveal().strip()
            if not _is_header_text(text):
                self._fault((*place, alias), "a credential has a character that no header can carry")
            elif text:
                found.append(_credential(ProviderId(name), alias, Secret(text)))
        if found and self._operator.simulator != _OFF:
            self._fault(
                ("simulator",),
                f"the provider '{name}' has a credential: the simulator never stands in for a real provider",
                "simulator: off",
            )
        return tuple(found)

    def _virtual_keys(self, catalog: Catalog, zone: ZoneInfo) -> tuple[VirtualKey, ...]:
        aliases: set[str] = set()
        secrets: set[Secret[str]] = set()
        keys: list[VirtualKey] = []
        for index, entry in enumerate(self._operator.virtual_keys):
            place: Place = ("virtual_keys", index)
            if entry.alias in aliases:
                self._fault((*place, "alias"), f"a second key with the alias {shown_name(entry.alias)}")
            aliases.add(entry.alias)
            self._check_key(entry.key, (*place, "key"))
            if entry.key in secrets:
                self._fault((*place, "key"), "another key has the same value")
            secrets.add(entry.key)
            keys.append(self._virtual_key(entry, place, catalog, zone))
        return tuple(keys)

    def _virtual_key(
        self, entry: VirtualKeyEntry, place: Place, catalog: Catalog, zone: ZoneInfo
    ) -> VirtualKey:
        for index, pattern in enumerate(entry.models):
            # A pattern with '*' may wait for models that are not there yet; an exact name is a promise.
            if "*" not in pattern and pattern not in catalog.models and pattern not in catalog.aliases:
                hint = did_you_mean(pattern, [*catalog.models, *catalog.aliases])
                self._fault((*place, "models", index), f"unknown model {shown_name(pattern)}", hint)
        for index, cidr in enumerate(entry.cidrs):
            self._check_cidr(cidr, (*place, "cidrs", index))
        return VirtualKey(
            id=KeyId(f"file:{entry.alias}"),
            tenant=DEFAULT_TENANT,
            alias=entry.alias,
            secret=entry.key,
            patterns=entry.models,
            allowed=catalog.allowed(entry.models),
            enabled=entry.enabled,
            expires_at_s=self._expiry(entry.expires_at, (*place, "expires_at"), zone),
            cidrs=entry.cidrs,
            labels=entry.labels,
            route=self._route(entry.route, (*place, "route"), catalog),
            limits=self._key_limits(entry, place),
        )

    def _route(self, entry: RouteEntry, place: Place, catalog: Catalog) -> Route:
        named = [("providers", name) for name in entry.providers]
        named += [("tiers", name) for name in entry.tiers] + [("weights", name) for name in entry.weights]
        for field, name in named:
            if name not in catalog.providers:
                hint = did_you_mean(name, catalog.providers)
                self._fault((*place, field), f"unknown provider {shown_name(name)}", hint)
        if entry.mode is RouteMode.PROVIDER and not entry.providers:
            self._fault((*place, "mode"), "mode 'provider' needs the providers, in their order")
        return Route(
            mode=entry.mode,
            rank_by=entry.rank_by,
            providers=tuple(map(ProviderId, entry.providers)),
            credentials=entry.credentials,
            tiers={ProviderId(name): tier for name, tier in entry.tiers.items()},
            weights={ProviderId(name): weight for name, weight in entry.weights.items()},
            affinity=entry.affinity,
        )

    def _key_limits(self, entry: VirtualKeyEntry, place: Place) -> Limits:
        quotas: dict[tuple[Unit, str], Quota] = {}
        for index, one in enumerate(entry.quotas):
            quota = self._quota(one, (*place, "quotas", index))
            if quota is None:
                continue
            if (quota.unit, quota.period) in quotas:
                self._fault((*place, "quotas", index), f"a second {quota.period} quota of {quota.unit}")
            quotas[quota.unit, quota.period] = quota
        return Limits(
            quotas=tuple(quotas.values()), rpm=entry.rpm, tpm=entry.tpm, concurrency=entry.concurrency
        )

    def _quota(self, entry: QuotaEntry, place: Place) -> Quota | None:
        given = [
            (unit, amount, scale)
            for unit, amount, scale in (
                (Unit.TOKENS, entry.tokens, 1),
                (Unit.CNY, entry.cny, NANO),
                (Unit.USD, entry.usd, NANO),
            )
            if amount is not None
        ]
        if len(given) != 1:
            self._fault(place, "a quota has exactly one of tokens, cny, usd")
            return None
        unit, amount, scale = given[0]
        scaled = Fraction(amount) * scale
        if scaled.denominator != 1 or not 0 < scaled <= 1 << 62:
            self._fault(place, "the amount is not positive, too large, or finer than nine decimal places")
            return None
        return Quota(unit=unit, period=entry.period, limit=int(scaled))

    def _check_key(self, key: Secret[str], place: Place) -> None:
        text = key.reveal()
        if len(text) < _LEAST_KEY:
            self._fault(
                place,
                f"a virtual key has at least {_LEAST_KEY} characters",
                "make one with: aimesh key create",
            )
        elif not _is_header_text(text):
            self._fault(place, "a virtual key has a character that no header can carry")

    def _check_cidr(self, cidr: str, place: Place) -> None:
        try:
            ipaddress.ip_network(cidr)
        except ValueError:
            hint = ""
            try:
                hint = f"did you mean '{ipaddress.ip_network(cidr, strict=False)}'?"
            except ValueError:
                hint = "for example 10.0.0.0/8"
            self._fault(place, f"{self._shown(place, cidr)} is no network", hint)

    def _expiry(self, text: str, place: Place, zone: ZoneInfo) -> float | None:
        if not text:
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            self._fault(place, f"{self._shown(place, text)} is no day or time", "for example 2027-12-31")
            return None
        return (moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)).timestamp()

    def _addresses(self, field: str, texts: tuple[str, ...]) -> tuple[Address, ...]:
        found: list[Address] = []
        for index, text in enumerate(texts):
            try:
                found.append(parse_address(text))
            except ValueError as error:
                self._fault(
                    (field, index),
                    f"{self._shown((field, index), text)} is no address: {error}",
                    "for example 127.0.0.1:8600",
                )
        return tuple(found)

    def _regions(self) -> tuple[Region, ...]:
        seen: set[str] = set()
        for index, region in enumerate(self._operator.regions):
            place: Place = ("regions", index)
            if region.id in seen:
                self._fault((*place, "id"), f"a second region {shown_name(region.id)}")
            seen.add(region.id)
            if not _is_url(region.base_url):
                shown = self._shown((*place, "base_url"), region.base_url)
                self._fault((*place, "base_url"), f"{shown} is no URL", "https://host/gateway")
        return self._operator.regions

    def _upstream(self, file: Path | None) -> UpstreamSettings:
        given = self._operator.upstream
        if given.proxy and not _is_url(given.proxy):
            self._fault(("upstream", "proxy"), "the proxy is no http:// URL", "http://host:port")
        ca_file = _beside(file, given.ca_file)
        if ca_file is not None and not ca_file.is_file():
            self._fault(("upstream", "ca_file"), "there is no such file")
        return UpstreamSettings(
            ca_file="" if ca_file is None else str(ca_file), proxy=given.proxy, no_proxy=given.no_proxy
        )

    def _master_key(self) -> Secret[str] | None:
        value = self._environ.get("AIMESH_MASTER_KEY")
        return Secret(value) if value else None


def parse_address(text: str) -> Address:
    """Raises ``ValueError`` with what is wrong."""
    if text.startswith("unix:"):
        if not text[5:].startswith("/"):
            raise ValueError("a unix socket needs an absolute path")
        return Address(unix=text[5:])
    host, colon, port = text.rpartition(":")
    if not colon:
        raise ValueError("a port is missing")
    if not (port.isascii() and port.isdecimal()) or int(port) > 65_535:
        raise ValueError("the port is a number from 0 to 65535")
    if ":" in host and not (host.startswith("[") and host.endswith("]")):
        raise ValueError("an IPv6 address stands in brackets")
    return Address(host=host.strip("[]") or "0.0.0.0", port=int(port))  # noqa: S104 (":8600" says every address)


def _credential(provider: ProviderId, name: str, secret: Secret[str]) -> Credential:
    return Credential(id=CredentialId(f"{provider}/{name}"), provider=provider, name=name, secret=secret)


def _is_header_text(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def _beside(file: Path | None, text: str) -> Path | None:
    """A path in the file, relative to the file's own directory."""
    if not text:
        return None
    return (file.parent if file is not None else Path()) / Path(text).expanduser()
