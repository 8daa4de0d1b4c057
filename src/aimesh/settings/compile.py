"""From the operator's file, the environment and the built-in catalogue to settings.

1. Everything wrong is reported at once, each with file, line, column and what to write instead.
2. The simulator stands in for every provider or for none, and for none while a real credential is configured.
"""

from collections.abc import Mapping as Table
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from aimesh.catalog.crosscheck import Layer, Merged, check, merged
from aimesh.catalog.decode import decode
from aimesh.catalog.document import Document
from aimesh.catalog.document import Path as Place
from aimesh.catalog.load import load_built_in
from aimesh.catalog.operator import OperatorFile, Region, UpstreamSettings
from aimesh.catalog.problem import ConfigError, did_you_mean, shown_name
from aimesh.catalog.snapshot import Catalog, compile_catalog
from aimesh.core.ids import ProviderId
from aimesh.core.secret import Secret
from aimesh.routing.candidate import Credential
from aimesh.settings.file import Desk, Source, home_directory, read_nodes, read_source
from aimesh.settings.keys import KeyReader
from aimesh.settings.merge import DATABASE, held_credentials, made_credential, ranking_rate
from aimesh.settings.values import (
    Address,
    Credentials,
    Settings,
    Sources,
    is_header_text,
    parse_address,
)

_OFF = "off"


def compile_settings(path: Path | None, environ: Table[str, str]) -> Settings:
    """The settings of one process. Without a path: ``AIMESH_CONFIG``, else ``aimesh.yaml`` in the home
    directory if there is one, else all defaults. Raises ``ConfigError``."""
    return compile_source(read_source(path, environ), environ)


def compile_source(source: Source, environ: Table[str, str]) -> Settings:
    """The same from a file that was read already. Raises ``ConfigError``."""
    document = read_nodes(source, environ)
    operator, problems = decode(document, OperatorFile)
    if operator is None:
        raise ConfigError(problems)
    return _Compiler(document, operator, environ).compile(source.file, home_directory(environ))


class _Compiler:
    """From a decoded file to settings; collects what types could not say."""

    def __init__(self, document: Document, operator: OperatorFile, environ: Table[str, str]) -> None:
        self._document = document
        self._operator = operator
        self._environ = environ
        self._desk = Desk(document)

    def compile(self, file: Path | None, home: Path) -> Settings:
        operator = self._operator
        zone = self._zone()
        simulator = self._simulator()
        built_in = load_built_in()
        below = Merged(
            providers=dict(built_in.providers), models={model.name: model for model in built_in.models}
        )
        layer = self._layer()
        catalog = self._catalog(below, layer, simulator)
        declared = self._declared(catalog)
        sources = Sources(
            built_in=below,
            layer=Layer(document=DATABASE, providers=layer.providers, models=layer.models, is_built_in=False),
            declared=declared,
            environment=self._from_environment(catalog),
        )
        settings = Settings(
            file=file,
            home=home,
            listen=self._addresses("listen", operator.listen),
            admin_listen=self._addresses("admin_listen", operator.admin_listen),
            trusted_proxies=self._trusted_proxies(),
            workers=operator.workers,
            timezone=operator.timezone,
            regions=self._regions(),
            catalog=catalog,
            credentials=held_credentials(sources, catalog, (), simulator),
            virtual_keys=KeyReader(self._desk, catalog, zone).read(operator.virtual_keys),
            keys=operator.keys,
            admin=operator.admin,
            limits=operator.limits,
            timeouts=operator.timeouts,
            routing=operator.routing,
            upstream=self._upstream(file),
            journal=operator.journal,
            usage=operator.usage,
            log=operator.log,
            journal_directory=_beside(file, operator.journal.directory) or home / "journal",
            database=operator.database,
            master_key=self._master_key(),
            simulator=simulator,
            sources=sources,
        )
        if self._desk.problems:
            raise ConfigError(self._desk.problems)
        return settings

    def _zone(self) -> ZoneInfo:
        try:
            return ZoneInfo(self._operator.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self._desk.fault(
                ("timezone",),
                f"unknown time zone {self._desk.shown(('timezone',), self._operator.timezone)}",
                "for example Asia/Shanghai",
            )
            return ZoneInfo("UTC")

    def _simulator(self) -> str:
        value = self._operator.simulator
        if value == _OFF:
            return ""
        if not value.startswith(("http://", "https://")):
            shown = self._desk.shown(("simulator",), value)
            self._desk.fault(("simulator",), f"{shown} is not possible here", "'off' or a URL")
            return ""
        return value.rstrip("/")

    def _layer(self) -> Layer:
        operator = self._operator
        return Layer(
            document=self._document,
            providers={name: (("providers", name), entry) for name, entry in operator.providers.items()},
            models=tuple((("models", index), entry) for index, entry in enumerate(operator.models)),
            is_built_in=False,
        )

    def _catalog(self, below: Merged, layer: Layer, simulator: str) -> Catalog:
        result = merged(below, layer)
        if problems := check(layer, result, below):
            # Half a catalogue cannot be compiled, and everything else would be judged against it.
            raise ConfigError(self._desk.problems + problems)
        return compile_catalog(
            result.providers,
            result.models.values(),
            cny_per_usd=ranking_rate(self._operator.routing),
            rebase=simulator,
        )

    def _declared(self, catalog: Catalog) -> Credentials:
        return {
            ProviderId(name): found
            for name in self._operator.credentials
            if (found := self._declared_for(name, catalog))
        }

    def _declared_for(self, name: str, catalog: Catalog) -> tuple[Credential, ...]:
        place: Place = ("credentials", name)
        if name not in catalog.providers:
            hint = did_you_mean(name, catalog.providers) or "define it under providers"
            self._desk.fault(place, f"unknown provider {shown_name(name)}", hint, at_key=True)
            return ()
        found: list[Credential] = []
        for alias, secret in self._operator.credentials[name].items():
            text = secret.reveal().strip()
            if not is_header_text(text):
                self._desk.fault((*place, alias), "a credential has a character that no header can carry")
            elif text:
                found.append(made_credential(ProviderId(name), alias, text))
        if found and self._operator.simulator != _OFF:
            self._desk.fault(
                ("simulator",),
                f"the provider '{name}' has a credential: the simulator never stands in for a real provider",
                "simulator: off",
            )
        return tuple(found)

    def _from_environment(self, catalog: Catalog) -> Credentials:
        found: Credentials = {}
        if not self._operator.credentials_from_environment:
            return found
        for name, provider in catalog.providers.items():
            usual = self._environ.get(provider.environment, "").strip() if provider.environment else ""
            if not usual or name in self._operator.credentials:
                continue
            found[name] = (made_credential(name, "environment", usual),)
            if self._operator.simulator != _OFF:
                self._desk.fault(
                    ("simulator",),
                    f"{provider.environment} is set: the simulator never stands in for a real provider",
                    "unset it, or set credentials_from_environment: false",
                )
        return found

    def _addresses(self, field: str, texts: tuple[str, ...]) -> tuple[Address, ...]:
        found: list[Address] = []
        for index, text in enumerate(texts):
            try:
                found.append(parse_address(text))
            except ValueError as error:
                self._desk.fault(
                    (field, index),
                    f"{self._desk.shown((field, index), text)} is no address: {error}",
                    "for example 127.0.0.1:8600",
                )
        return tuple(found)

    def _trusted_proxies(self) -> tuple[IPv4Network | IPv6Network, ...]:
        found: list[IPv4Network | IPv6Network] = []
        for index, text in enumerate(self._operator.trusted_proxies):
            try:
                found.append(ip_network(text))
            except ValueError:
                place: Place = ("trusted_proxies", index)
                self._desk.fault(
                    place, f"{self._desk.shown(place, text)} is no network", "for example 10.0.0.0/8"
                )
        return tuple(found)

    def _regions(self) -> tuple[Region, ...]:
        seen: set[str] = set()
        for index, region in enumerate(self._operator.regions):
            place: Place = ("regions", index)
            if region.id in seen:
                self._desk.fault((*place, "id"), f"a second region {shown_name(region.id)}")
            seen.add(region.id)
            if not _is_url(region.base_url):
                shown = self._desk.shown((*place, "base_url"), region.base_url)
                self._desk.fault((*place, "base_url"), f"{shown} is no URL", "https://host/gateway")
        return self._operator.regions

    def _upstream(self, file: Path | None) -> UpstreamSettings:
        given = self._operator.upstream
        if given.proxy and not _is_url(given.proxy):
            self._desk.fault(("upstream", "proxy"), "the proxy is no http:// URL", "http://host:port")
        ca_file = _beside(file, given.ca_file)
        if ca_file is not None and not ca_file.is_file():
            self._desk.fault(("upstream", "ca_file"), "there is no such file")
        return UpstreamSettings(
            ca_file="" if ca_file is None else str(ca_file), proxy=given.proxy, no_proxy=given.no_proxy
        )

    def _master_key(self) -> Secret[str] | None:
        value = self._environ.get("AIMESH_MASTER_KEY")
        return Secret(value) if value else None


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
