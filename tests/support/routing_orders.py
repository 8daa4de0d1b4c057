"""A live worker with six simulated providers and three tenants, for tests that read the order of attempts at the
simulator.

Prices: ``alpha`` 1, ``beta`` 2, ``gamma`` 3, ``delta`` not known, ``far`` 4; ``twin`` costs what ``gamma`` does.
Built-in credentials: one each, two (``pair`` and ``pair#second``) at ``pair``, none at ``far``. Each model has circuits
and measurements of its own, so a test that has a model to itself meets nobody else's.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from msgspec import Struct
from tests.support.chaos_config import Config, chaos_config
from tests.support.chaos_http import Seen, call
from tests.support.chaos_simulator import SimulatorProcess
from tests.support.chaos_worker import InnerGateway, LoopThread
from tests.support.routes import NOBODY, THEM, US, credential, route

from aimesh.core.ids import KeyId, TenantId
from aimesh.dataplane.snapshot import VirtualKey, compile_snapshot
from aimesh.routing.candidate import Circuit, Credential
from aimesh.upstream.reach import candidate

PRICES: dict[str, int | None] = {"alpha": 1, "beta": 2, "gamma": 3, "delta": None, "far": 4}
EQUALS: dict[str, int | None] = {"gamma": 3, "twin": 3, "pair": 5}
BUILT_IN = ["alpha", "beta", "gamma", "twin", "delta", "pair", "pair#second"]
OWN = {
    US: ["beta+b-two", "beta+b-one", "gamma+g-one", "far+f-one"],
    THEM: ["alpha+a-one", "beta+b-one", "beta+b-three", "delta+d-one", "far+f-one", "far+f-two"],
}
"""Two tenants have a credential of one name. ``NOBODY`` has none."""

SECRETS: dict[tuple[TenantId | None, str], str] = {
    (one.tenant, word): one.secret.reveal().replace(" ", "-")
    for tenant, words in ((None, BUILT_IN), *OWN.items())
    for word in words
    for one in (credential(word, tenant or NOBODY),)
}
WORDS = {secret: word for (_, word), secret in SECRETS.items()}


def secret_of(word: str, tenant: TenantId) -> str:
    return SECRETS[(tenant if "+" in word else None, word)]


def _credentials() -> Iterator[Credential]:
    for (tenant, word), secret in SECRETS.items():
        given = credential(word, tenant or NOBODY)
        yield Credential(
            id=given.id,
            provider=given.provider,
            name=given.name,
            secret=type(given.secret)(secret),
            tenant=tenant,
        )


def _config(simulator: str, models: dict[str, str]) -> Config:
    names = list(dict.fromkeys([*PRICES, *EQUALS]))
    config = chaos_config(simulator, providers={name: f"{simulator}/{name}" for name in names})
    entries = []
    for model, kind in models.items():
        prices = EQUALS if kind == "equals" else PRICES
        interfaces = ["ark_image"] if kind == "image" else ["open_ai", "anthropic", "responses"]
        entries.append(
            {
                "name": model,
                "kind": "image" if kind == "image" else "chat",
                "endpoints": [
                    {"provider": name, "interfaces": interfaces, "as": f"{name}-model", **_price(kind, price)}
                    for name, price in prices.items()
                ],
            }
        )
    return config | {"models": entries, "timeouts": {"first_byte_whole_s": 5, "drain_s": 2}}


def _price(kind: str, price: int | None) -> dict[str, Any]:
    if price is None:
        return {}
    if kind == "image":
        return {"price": {"currency": "CNY", "per_image": price}}
    return {"price": {"currency": "CNY", "tiers": [{"input": price, "output": price}]}}


class Asked(Struct, frozen=True):
    """One way to ask for the model of a case."""

    path: str
    interface: str
    body: dict[str, Any]


_TURN = {"messages": [{"role": "user", "content": "hello"}]}
WAYS = {
    "chat": Asked("/gateway/v1/chat/completions", "open_ai", _TURN),
    "stream": Asked("/gateway/v1/chat/completions", "open_ai", _TURN | {"stream": True}),
    "messages": Asked("/gateway/v1/messages", "anthropic", _TURN | {"max_tokens": 100}),
    "responses": Asked("/gateway/v1/responses", "responses", {"input": "hello"}),
    "image": Asked("/gateway/api/v3/images/generations", "ark_image", {"prompt": "a harbour"}),
}


class Network:
    """The worker, its keys and the simulator."""

    def __init__(self, gateway: InnerGateway, simulator: SimulatorProcess) -> None:
        self.gateway = gateway
        self.simulator = simulator

    def call(self, alias: str, model: str, *, way: str = "chat", prompt: str = "") -> Seen:
        asked = WAYS[way]
        body = asked.body | {"model": model} | ({"messages": _prompt(prompt)} if prompt else {})
        return call(self.gateway.url, asked.path, body, key=alias)

    def fails(self, kind: str, *words: str, tenant: TenantId) -> None:
        fault: dict[str, Any] = {"kind": "status", "status": int(kind)} if kind.isdigit() else {"kind": kind}
        for word in words:
            match = {"provider": provider_of(word), "credential": secret_of(word, tenant)}
            self.simulator.fault(**fault, match=match, provider=None)

    def attempts(self) -> str:
        """What the simulator saw, in order: provider and credential must fit each other."""
        seen = []
        for request in self.simulator.requests():
            word = WORDS[request["headers"]["authorization"].removeprefix("Bearer ")]
            assert provider_of(word) == request["provider"]
            seen.append(word)
        return " ".join(seen)

    def tenants(self) -> set[TenantId | None]:
        """Whose credentials the simulator saw."""
        owner = {secret: tenant for (tenant, _), secret in SECRETS.items()}
        return {
            owner[request["headers"]["authorization"].removeprefix("Bearer ")]
            for request in self.simulator.requests()
        }

    def circuit(self, word: str, model: str, tenant: TenantId, way: str = "chat") -> Circuit:
        given = credential(word, tenant)
        return f"{given.provider}@{model}@{WAYS[way].interface}", given.id

    def opens(self, *circuits: Circuit) -> None:
        def opened() -> None:
            for circuit in circuits:
                self.gateway.worker.breakers.of(circuit).failed(time.monotonic(), 60.0)

        self.gateway.ask(opened)

    def measured(self, circuit: Circuit, *, stream: bool, ttfb_s: float, tokens_per_s: float | None) -> None:
        def fed() -> None:
            self.gateway.worker.measures.feed(
                circuit, stream=stream, now_s=time.monotonic(), ttfb_s=ttfb_s, tokens_per_s=tokens_per_s
            )

        self.gateway.ask(fed)


def provider_of(word: str) -> str:
    return word.partition("+")[0].partition("#")[0]


def _prompt(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


@contextmanager
def running_network(
    thread: LoopThread,
    simulator: SimulatorProcess,
    home: Path,
    *,
    models: dict[str, str],
    keys: dict[str, tuple[TenantId, dict[str, Any]]],
) -> Iterator[Network]:
    """``models``: name to ``chat``, ``image`` or ``equals``. ``keys``: text to tenant and route."""
    gateway = InnerGateway(thread, _config(simulator.url, models), home)
    try:

        def swap() -> None:
            edge = gateway.worker.edge
            edge.snapshot = compile_snapshot(
                99,
                edge.snapshot.catalog,
                keys={
                    sha256(text.encode()).digest(): VirtualKey(
                        id=KeyId(text), alias=text, tenant=tenant, route=route(**members)
                    )
                    for text, (tenant, members) in keys.items()
                },
                credentials=_credentials(),
                make=candidate,
            )

        gateway.ask(swap)
        yield Network(gateway, simulator)
    finally:
        gateway.stop()
