"""Virtual keys of the operator's file: from entries to values, with everything that is wrong about them."""

import ipaddress
from datetime import datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

from aimesh.catalog.document import Path as Place
from aimesh.catalog.operator import QuotaEntry, RouteEntry, VirtualKeyEntry
from aimesh.catalog.problem import did_you_mean, shown_name
from aimesh.catalog.snapshot import Catalog
from aimesh.core.ids import DEFAULT_TENANT, KeyId, ProviderId
from aimesh.core.money import NANO
from aimesh.core.policy import Limits, Quota, Route, RouteMode, Unit
from aimesh.core.secret import Secret
from aimesh.settings.file import Desk
from aimesh.settings.values import VirtualKey, is_header_text

_LEAST_KEY = 16


class KeyReader:
    """Reports to the desk."""

    def __init__(self, desk: Desk, catalog: Catalog, zone: ZoneInfo) -> None:
        self._desk = desk
        self._catalog = catalog
        self._zone = zone

    def read(self, entries: tuple[VirtualKeyEntry, ...]) -> tuple[VirtualKey, ...]:
        aliases: set[str] = set()
        secrets: set[Secret[str]] = set()
        keys: list[VirtualKey] = []
        for index, entry in enumerate(entries):
            place: Place = ("virtual_keys", index)
            if entry.alias in aliases:
                self._desk.fault((*place, "alias"), f"a second key with the alias {shown_name(entry.alias)}")
            aliases.add(entry.alias)
            self._check_text(entry.key, (*place, "key"))
            if entry.key in secrets:
                self._desk.fault((*place, "key"), "another key has the same value")
            secrets.add(entry.key)
            keys.append(self._key(entry, place))
        return tuple(keys)

    def _key(self, entry: VirtualKeyEntry, place: Place) -> VirtualKey:
        catalog = self._catalog
        for index, pattern in enumerate(entry.models):
            # A pattern with '*' may wait for models that are not there yet; an exact name is a promise.
            if "*" not in pattern and pattern not in catalog.models and pattern not in catalog.aliases:
                hint = did_you_mean(pattern, [*catalog.models, *catalog.aliases])
                self._desk.fault((*place, "models", index), f"unknown model {shown_name(pattern)}", hint)
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
            expires_at_s=self._expiry(entry.expires_at, (*place, "expires_at")),
            cidrs=entry.cidrs,
            labels=entry.labels,
            route=self._route(entry.route, (*place, "route")),
            limits=self._limits(entry, place),
        )

    def _route(self, entry: RouteEntry, place: Place) -> Route:
        providers = self._catalog.providers
        named = [("providers", name) for name in entry.providers]
        named += [("tiers", name) for name in entry.tiers] + [("weights", name) for name in entry.weights]
        for field, name in named:
            if name not in providers:
                hint = did_you_mean(name, providers)
                self._desk.fault((*place, field), f"unknown provider {shown_name(name)}", hint)
        if entry.mode is RouteMode.PROVIDER and not entry.providers:
            self._desk.fault((*place, "mode"), "mode 'provider' needs the providers, in their order")
        return Route(
            mode=entry.mode,
            rank_by=entry.rank_by,
            providers=tuple(map(ProviderId, entry.providers)),
            credentials=entry.credentials,
            tiers={ProviderId(name): tier for name, tier in entry.tiers.items()},
            weights={ProviderId(name): weight for name, weight in entry.weights.items()},
            affinity=entry.affinity,
        )

    def _limits(self, entry: VirtualKeyEntry, place: Place) -> Limits:
        quotas: dict[tuple[Unit, str], Quota] = {}
        for index, one in enumerate(entry.quotas):
            quota = self._quota(one, (*place, "quotas", index))
            if quota is None:
                continue
            if (quota.unit, quota.period) in quotas:
                self._desk.fault((*place, "quotas", index), f"a second {quota.period} quota of {quota.unit}")
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
            self._desk.fault(place, "a quota has exactly one of tokens, cny, usd")
            return None
        unit, amount, scale = given[0]
        scaled = Fraction(amount) * scale
        if scaled.denominator != 1 or not 0 < scaled <= 1 << 62:
            self._desk.fault(
                place, "the amount is not positive, too large, or finer than nine decimal places"
            )
            return None
        return Quota(unit=unit, period=entry.period, limit=int(scaled))

    def _check_text(self, key: Secret[str], place: Place) -> None:
        text = key.reveal()
        if len(text) < _LEAST_KEY:
            self._desk.fault(
                place,
                f"a virtual key has at least {_LEAST_KEY} characters",
                "make one with: aimesh key create",
            )
        elif not is_header_text(text):
            self._desk.fault(place, "a virtual key has a character that no header can carry")

    def _check_cidr(self, cidr: str, place: Place) -> None:
        try:
            ipaddress.ip_network(cidr)
        except ValueError:
            hint = ""
            try:
                hint = f"did you mean '{ipaddress.ip_network(cidr, strict=False)}'?"
            except ValueError:
                hint = "for example 10.0.0.0/8"
            self._desk.fault(place, f"{self._desk.shown(place, cidr)} is no network", hint)

    def _expiry(self, text: str, place: Place) -> float | None:
        if not text:
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            self._desk.fault(
                place, f"{self._desk.shown(place, text)} is no day or time", "for example 2027-12-31"
            )
            return None
        return (moment if moment.tzinfo is not None else moment.replace(tzinfo=self._zone)).timestamp()
