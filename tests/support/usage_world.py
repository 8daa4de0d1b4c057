"""Who calls what in ``usage_scale``: tenants, people, keys, and which of them call which models how often.

One tenant makes most of the calls, and of its keys few make most. A key calls a few models, each over one or two
endpoints of the built-in catalogue. Everything is the same for the same size.
"""

import hashlib
import json
import random
from collections.abc import Iterable, Mapping
from itertools import accumulate

from msgspec import Struct

from aimesh.catalog.snapshot import Catalog, Endpoint
from aimesh.core.histogram import bucket_of
from aimesh.core.outcome import Outcome
from aimesh.store.usage_rows import digest_of, encoded_labels

BIG_TENANT = "default"
BIG_SHARE = 0.6
TENANTS = (BIG_TENANT, *(f"tenant-{number:02}" for number in range(1, 20)))
MODELS, ENDPOINTS = 60, 150
SLOTS = 1 << 16
TIMES = 200
PRICE = "5ca1e5ca1e5c"
"""The version of every price."""
LABELS: tuple[dict[str, str], ...] = (
    {},
    {"team": "search"},
    {"team": "ads"},
    {"cost": "4711", "team": "ads"},
    {"env": "prod", "team": "support"},
)
_OPERATIONS = {"chat": "chat", "embedding": "embeddings", "image": "images", "video": "create_task"}
_BYOK_SHARE, _UNPRICED_SHARE = 0.12, 0.04


class Key(Struct, frozen=True):
    id: str
    alias: str
    tenant: str
    user: str
    labels: dict[str, str]


class Fate(Struct, frozen=True):
    """How a call ends, and of a thousand how many do."""

    outcome: Outcome
    status: int
    error_code: str
    of_thousand: int

    @property
    def used(self) -> bool:
        return self.outcome in (Outcome.OK, Outcome.CLIENT_GONE)


FATES = (
    Fate(Outcome.OK, 200, "", 940),
    Fate(Outcome.UPSTREAM_FAILED, 502, "UPSTREAM_FAILED", 20),
    Fate(Outcome.UPSTREAM_FAILED, 504, "UPSTREAM_TIMEOUT", 10),
    Fate(Outcome.REFUSED_UPSTREAM, 400, "UPSTREAM_REFUSED", 15),
    Fate(Outcome.CLIENT_GONE, 0, "", 13),
    Fate(Outcome.BROKEN_STREAM, 200, "STREAM_BROKEN", 2),
)


class Combo(Struct, frozen=True):
    """A key that calls a model over an endpoint with a credential."""

    key: Key
    endpoint: Endpoint
    is_byok: bool
    is_priced: bool
    rate_in: int
    """Nano-units of a token."""
    rate_out: int
    rate_unit: int
    """Of a picture or a second."""
    client_ip: str

    @property
    def kind(self) -> str:
        return self.endpoint.kind.value

    @property
    def credential(self) -> str:
        return f"byok:{self.key.tenant}" if self.is_byok else "main"

    @property
    def percent(self) -> int:
        """Of the list price; one tenant has a discount."""
        return 80 if self.key.tenant == "tenant-01" and not self.is_byok else 100

    def currency(self, fate: Fate) -> str:
        return "CNY" if self.is_priced and fate.used else ""


class World(Struct, frozen=True):
    users: tuple[tuple[str, str, str], ...]
    """Id, tenant, username."""
    keys: tuple[Key, ...]
    """Those that call."""
    combos: tuple[Combo, ...]
    slots: tuple[int, ...]
    """A call has one of these combos, each as likely."""


def make_world(catalog: Catalog, keys: int) -> World:
    dice = random.Random(4711)
    users = tuple((f"usr-{number:05}", _tenant(number, 400), f"person-{number:05}") for number in range(400))
    people = {tenant: [one[0] for one in users if one[1] == tenant] for tenant in TENANTS}
    callers = tuple(
        Key(
            id=f"key-{number:012}",
            alias=f"line {number}",
            tenant=(tenant := _tenant(number, keys)),
            # One in ten is nobody's.
            user="" if number % 10 == 9 else people[tenant][number % len(people[tenant])],
            labels=LABELS[number % len(LABELS)],
        )
        for number in range(keys)
    )
    models = _endpoints(catalog)
    offered = {tenant: models if tenant == BIG_TENANT else dice.sample(models, 10) for tenant in TENANTS}
    combos: list[Combo] = []
    weights: list[float] = []
    places = dict.fromkeys(TENANTS, 0)
    for key in callers:
        places[key.tenant] += 1
        # The hundredth key makes a tenth of the calls of the first.
        key_weight = 1 / (places[key.tenant] + 10) * (BIG_SHARE if key.tenant == BIG_TENANT else 0.08)
        mine = offered[key.tenant]
        for rank in range(dice.randrange(1, 5)):
            several = mine[min(int(dice.expovariate(6 / len(mine))), len(mine) - 1)]
            is_byok = dice.random() < _BYOK_SHARE
            for endpoint in dice.sample(several, min(len(several), dice.randrange(1, 3))):
                combos.append(_combo(key, endpoint, is_byok, dice))
                weights.append(key_weight / (rank + 1))
    return World(users, callers, tuple(combos), tuple(_slots(combos, weights)))


def _tenant(number: int, count: int) -> str:
    big = int(count * BIG_SHARE)
    return BIG_TENANT if number < big else TENANTS[1 + number % (len(TENANTS) - 1)]


def _endpoints(catalog: Catalog) -> list[list[Endpoint]]:
    """Of each model some."""
    by_model: dict[str, list[Endpoint]] = {}
    for endpoint in catalog.endpoints.values():
        if endpoint.kind.value in _OPERATIONS:
            by_model.setdefault(endpoint.model, []).append(endpoint)
    several = sorted(by_model.values(), key=lambda one: (-len(one), one[0].model))[:MODELS]
    # Kinds are mixed among the ones called most.
    random.Random(7).shuffle(several)
    left = ENDPOINTS - len(several)
    chosen = []
    for one in several:
        more = min(left, len(one) - 1)
        left -= more
        chosen.append(one[: 1 + more])
    return chosen


def _combo(key: Key, endpoint: Endpoint, is_byok: bool, dice: random.Random) -> Combo:
    # The same for every call of an endpoint.
    number = int(hashlib.sha256(endpoint.name.encode()).hexdigest()[:8], 16)
    return Combo(
        key=key,
        endpoint=endpoint,
        is_byok=is_byok,
        is_priced=number % 1000 >= _UNPRICED_SHARE * 1000,
        rate_in=200 + number % 3000,
        rate_out=800 + number % 12_000,
        rate_unit=100_000_000 + number % 300_000_000,
        client_ip=f"10.1.{dice.randrange(256)}.{dice.randrange(256)}",
    )


def _slots(combos: list[Combo], weights: list[float]) -> Iterable[int]:
    """Tenants' shares are exact, within each by weight."""
    for tenant in TENANTS:
        share = BIG_SHARE if tenant == BIG_TENANT else (1 - BIG_SHARE) / (len(TENANTS) - 1)
        mine = [place for place, combo in enumerate(combos) if combo.key.tenant == tenant]
        if not mine:
            continue
        room = int(SLOTS * share)
        total = sum(weights[place] for place in mine)
        # One each, the rest by weight.
        borders = list(accumulate(weights[place] / total * (room - len(mine)) for place in mine))
        yield from mine
        at = 0
        for place, border in zip(mine, borders, strict=True):
            yield from [place] * (round(border) - at)
            at = round(border)


Rows = list[dict[str, object]]
Values = tuple[str | bool, ...]


def slot_rows(world: World) -> Rows:
    # Rounding leaves some over.
    return [{"slot": slot, "combo": world.slots[slot % len(world.slots)]} for slot in range(SLOTS)]


def fate_rows() -> Rows:
    return [
        {
            "fate": number,
            "outcome": fate.outcome.value,
            "status": fate.status,
            "error_code": fate.error_code,
            "used": int(fate.used),
            "outcome_json": f',"outcome":"{fate.outcome.value}"',
            "status_json": (f',"status":{fate.status}' if fate.status else "")
            + (f',"error_code":"{fate.error_code}"' if fate.error_code else ""),
        }
        for number, fate in enumerate(FATES)
    ]


def time_rows() -> Rows:
    """Durations from 30 milliseconds to two minutes, evenly over their logarithm."""
    rows: Rows = []
    for number in range(TIMES):
        ms = round(30 * 4000 ** (number / (TIMES - 1))) + 0.5
        rows.append(
            {"place": number, "ms": ms, "us": round(ms * 1000), "bucket": bucket_of(ms), "shown": str(ms)}
        )
    return rows


def combo_rows(world: World) -> Rows:
    rows: Rows = []
    for number, combo in enumerate(world.combos):
        key, endpoint = combo.key, combo.endpoint
        labels = encoded_labels(key.labels)
        is_chat = combo.kind == "chat"
        begin = {
            "tenant": key.tenant,
            "key_id": key.id,
            "operation": _OPERATIONS[combo.kind],
            "interface": endpoint.interface,
        }
        middle = {
            "key_alias": key.alias,
            **({"labels": dict(sorted(key.labels.items()))} if key.labels else {}),
            "model_asked": endpoint.model,
            "model": endpoint.model,
            "endpoint": endpoint.name,
            "provider": endpoint.provider,
            "credential": combo.credential,
            **({"upstream_model": endpoint.upstream_name} if endpoint.upstream_name else {}),
        }
        rows.append(
            {
                "combo": number, "tenant": key.tenant, "key_id": key.id, "key_alias": key.alias,
                "user_id": key.user, "labels": labels, "model": endpoint.model, "endpoint": endpoint.name,
                "provider": endpoint.provider, "credential": combo.credential, "is_byok": combo.is_byok,
                "kind": combo.kind, "interface": endpoint.interface, "operation": _OPERATIONS[combo.kind],
                "is_priced": int(combo.is_priced), "rate_in": combo.rate_in,
                "rate_out": combo.rate_out if is_chat else 0,
                "rate_unit": combo.rate_unit, "percent": combo.percent, "client_ip": combo.client_ip,
                "is_stream": is_chat and number % 2 == 0,
                "begin_json": _inner(begin), "middle_json": _inner(middle),
            }
        )  # fmt: skip
    return rows


def _inner(fields: Mapping[str, object]) -> str:
    """As it stands within a record, behind a comma."""
    return "," + json.dumps(fields, separators=(",", ":"))[1:-1]


class Groups(Struct, frozen=True):
    """What rows of roll-ups and points are of, and which of them a combo with a fate adds to."""

    sums: Rows
    wholes: Rows
    models: Rows
    keys: Rows
    points: Rows


def groups(world: World) -> Groups:
    sums: Rows = []
    wholes: dict[Values, int] = {}
    models: dict[Values, int] = {}
    keys: dict[Values, int] = {}
    points: dict[Values, int] = {}
    for number, combo in enumerate(world.combos):
        key, endpoint = combo.key, combo.endpoint
        for place, fate in enumerate(FATES):
            end = (fate.outcome.value, combo.currency(fate))
            model = (key.tenant, endpoint.model, endpoint.provider, combo.is_byok, combo.kind, *end)
            caller = (key.tenant, key.id, key.user, combo.is_byok, *end)
            point = (endpoint.model, endpoint.name, fate.outcome.value, fate.error_code)
            whole = (
                key.tenant, key.id, key.user, endpoint.model, endpoint.name, endpoint.provider, combo.is_byok,
                combo.kind, encoded_labels(key.labels), *end,
            )  # fmt: skip
            sums.append(
                {
                    "combo": number,
                    "fate": place,
                    "whole_group": wholes.setdefault(whole, len(wholes)),
                    "model_group": models.setdefault(model, len(models)),
                    "key_group": keys.setdefault(caller, len(keys)),
                    "point_group": points.setdefault(point, len(points)),
                }
            )
    return Groups(
        sums,
        _numbered(
            wholes,
            (
                "tenant",
                "key_id",
                "user_id",
                "model",
                "endpoint",
                "provider",
                "is_byok",
                "kind",
                "labels",
                "outcome",
                "currency",
            ),
        ),
        _numbered(models, ("tenant", "model", "provider", "is_byok", "kind", "outcome", "currency")),
        _numbered(keys, ("tenant", "key_id", "user_id", "is_byok", "outcome", "currency")),
        [
            dict(zip(("model", "endpoint", "outcome", "error_code"), one, strict=True)) | {"place": place}
            for one, place in points.items()
        ],
    )


def _numbered(found: dict[Values, int], names: tuple[str, ...]) -> Rows:
    return [
        dict(zip(names, one, strict=True)) | {"place": place, "dimensions": digest_of(one[1:])}
        for one, place in found.items()
    ]
