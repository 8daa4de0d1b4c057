"""Whether a credential works: one small real call, through the code that calls go through.

1. The call costs as little as the provider allows: the cheapest chat model, else embedding model, one token of answer.
   Pictures, video and 3D cost, so they are made only for a model that was named.
2. It ends within ``LONGEST_S``, one caller gets ``MOST_PER_MINUTE``, and ``AT_ONCE`` run at a time.
3. No text that comes back holds the secret.
4. With the simulator on, only a secret that is made up is sent to it (``settings/merge.py``).
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock

import msgspec
from msgspec import Struct

from aimesh.catalog.snapshot import Catalog, Endpoint
from aimesh.control.errors import Detail, Invalid, TooManyRequests
from aimesh.core.clock import Clock
from aimesh.core.ids import CredentialId, ProviderId
from aimesh.core.kind import Kind
from aimesh.core.secret import Secret
from aimesh.net.children import Children, OnCrash
from aimesh.net.client import ClientSettings, PooledClient
from aimesh.net.message import Timeouts
from aimesh.routing.candidate import Candidate, Credential
from aimesh.settings import Settings, is_simulated
from aimesh.upstream.attempt import Errand, Failure, Opened, Whole, attempt
from aimesh.upstream.reach import candidate, proxy_of
from aimesh.wire.interface import Interface
from aimesh.wire.registry import find_interface

LONGEST_S = 30.0
MOST_PER_MINUTE = 10
AT_ONCE = 4
_MINUTE_S = 60.0
_MOST_CALLERS = 10_000
_SHOWN = 500
_CHEAP = (Kind.CHAT, Kind.EMBEDDING)

# JSON of a request.
_Body = dict[str, object]


class Trial(Struct, frozen=True):
    """What a test gave."""

    ok: bool
    message: str
    """Empty where it went well."""
    model: str = ""
    endpoint: str = ""
    latency_ms: int | None = None
    """None: no call was made."""
    status: int | None = None
    """HTTP status of the provider; None: it gave none."""


class Pace:
    """Keeps callers from hammering providers. Any thread may use it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._slots = BoundedSemaphore(AT_ONCE)
        self._starts: OrderedDict[str, deque[float]] = OrderedDict()

    @contextmanager
    def turn(self, caller: str, now_s: float) -> Iterator[None]:
        """Raises ``TooManyRequests``."""
        self._count(caller, now_s)
        if not self._slots.acquire(blocking=False):
            raise TooManyRequests(
                "SLOW_DOWN", "other tests are running; try again in a moment", retry_after_s=2.0
            )
        try:
            yield
        finally:
            self._slots.release()

    def _count(self, caller: str, now_s: float) -> None:
        with self._lock:
            starts = self._starts.pop(caller, deque())
            while starts and now_s - starts[0] >= _MINUTE_S:
                starts.popleft()
            self._starts[caller] = starts
            if len(starts) >= MOST_PER_MINUTE:
                wait_s = _MINUTE_S - (now_s - starts[0])
                raise TooManyRequests(
                    "SLOW_DOWN", f"at most {MOST_PER_MINUTE} tests a minute", retry_after_s=wait_s
                )
            starts.append(now_s)
            if len(self._starts) > _MOST_CALLERS:
                self._starts.popitem(last=False)


def cheap_endpoints(catalog: Catalog, provider: ProviderId) -> list[Endpoint]:
    """What a provider is tested with, best first; empty: nothing without cost."""
    found = [
        endpoint
        for endpoint in catalog.endpoints.values()
        if endpoint.provider == provider and endpoint.is_callable and endpoint.kind in _CHEAP
    ]
    return sorted(
        found,
        key=lambda one: (
            one.kind is not Kind.CHAT, one.blended_rank is None, one.blended_rank or 0,
            _BEST.index(one.interface), one.name,
        ),
    )  # fmt: skip


def choose_endpoint(catalog: Catalog, provider: ProviderId, model: str) -> Endpoint | None:
    """``model`` empty: the cheapest; None: there is nothing that can be called without cost. Raises ``Invalid``."""
    if not model:
        return next(iter(cheap_endpoints(catalog, provider)), None)
    found = catalog.find(model)
    if found is not None:
        endpoints = found.model.endpoints if found.pinned is None else (found.pinned,)
        mine = [one for one in endpoints if one.provider == provider and one.is_callable]
        if mine:
            return min(mine, key=lambda one: _BEST.index(one.interface))
    message = "this provider does not run this model"
    raise Invalid("INVALID_REQUEST", message, details=[Detail(path="model", message=message)])


def try_credential(
    settings: Settings, clock: Clock, endpoint: Endpoint, *, secret: Secret[str], on_crash: OnCrash
) -> Trial:
    """Makes the call; blocks."""
    if settings.simulator and not is_simulated(secret):
        words = "the simulator stands in for every provider, and a real key is never sent to it"
        return Trial(ok=False, message=words, model=endpoint.model, endpoint=endpoint.name)
    interface = find_interface(endpoint.interface)
    assert interface is not None
    credential = Credential(id=CredentialId("test"), provider=endpoint.provider, name="test", secret=secret)
    visitor = _Visitor(settings, clock, candidate(endpoint, credential), interface, on_crash=on_crash)
    return visitor.trial(asyncio.run(visitor.call()), secret)


class _Visitor:
    """One test, with a client of its own."""

    def __init__(
        self, settings: Settings, clock: Clock, target: Candidate, interface: Interface, *, on_crash: OnCrash
    ) -> None:
        self._upstream = settings.upstream
        self._clock = clock
        self._target = target
        self._interface = interface
        self._on_crash = on_crash
        self._took_s = 0.0

    async def call(self) -> Whole | Opened | Failure:
        children = Children(self._on_crash)
        client = PooledClient(
            children,
            ClientSettings(extra_ca_file=self._upstream.ca_file or None, proxy=proxy_of(self._upstream)),
            loop=asyncio.get_running_loop(),
        )
        began_s = self._clock.monotonic_s()
        try:
            verdict: Whole | Opened | Failure | None = None
            for body in _BODIES[self._target.endpoint.interface]:
                left_s = LONGEST_S - (self._clock.monotonic_s() - began_s)
                if verdict is not None and not (_blames_request(verdict) and left_s > 0):
                    break
                verdict = await attempt(client, self._target, self._errand(body, left_s), self._clock)
            assert verdict is not None
            self._took_s = self._clock.monotonic_s() - began_s
            return verdict
        finally:
            client.close()
            await children.stop()

    def _errand(self, body: _Body, left_s: float) -> Errand:
        encoded = msgspec.json.encode(body | {"model": self._target.endpoint.model})
        peek = self._interface.peek(encoded)
        prepared = self._interface.prepare(encoded, peek, self._target.target)
        head = b"".join(
            (
                b"POST %b HTTP/1.1\r\n" % self._target.path,
                self._target.head.reveal(),
                b"accept: application/json\r\n",
                *(b"%b: %b\r\n" % header for header in prepared.headers),
            )
        )
        timeouts = Timeouts(connect_s=5.0, first_byte_s=left_s, idle_s=left_s, whole_s=left_s)
        return Errand(self._interface, head, prepared, timeouts)

    def trial(self, verdict: Whole | Opened | Failure, secret: Secret[str]) -> Trial:
        message = ""
        if isinstance(verdict, Failure):
            status = verdict.status
            message = _words(verdict)
            if secret.reveal():
                message = message.replace(secret.reveal(), "****")
        else:
            status = verdict.head.status
        return Trial(
            ok=not isinstance(verdict, Failure),
            message=message[:_SHOWN],
            model=self._target.endpoint.model,
            endpoint=self._target.endpoint.name,
            latency_ms=round(self._took_s * 1000),
            status=status or None,
        )


def _blames_request(verdict: Whole | Opened | Failure) -> bool:
    """The provider understood who called, and did not like what was sent."""
    return isinstance(verdict, Failure) and verdict.status == 400 and not verdict.counts_against_provider


def _words(failure: Failure) -> str:
    said = failure.error.message if failure.error is not None else failure.body
    if failure.error is not None and failure.error.blames_credential:
        lead = f"the provider refuses the key (HTTP {failure.status})"
    elif failure.is_rate_limit:
        lead = "the provider knows the key, and its quota or rate is used up (HTTP 429)"
    elif failure.status == 404:
        lead = "the provider has not opened this model to the key (HTTP 404)"
    else:
        lead = failure.words
    return f"{lead}: {said}" if said else lead


_HI: _Body = {"messages": [{"role": "user", "content": "hi"}]}
_BODIES: dict[str, tuple[_Body, ...]] = {
    # Models that think refuse the older field and so short an answer.
    "open_ai": (_HI | {"max_tokens": 1}, _HI | {"max_completion_tokens": 16}),
    "anthropic": (_HI | {"max_tokens": 1},),
    # The least that is accepted.
    "responses": ({"input": "hi", "max_output_tokens": 16},),
    "open_ai_embedding": ({"input": "hi"},),
    "ark_embedding": ({"input": [{"type": "text", "text": "hi"}]},),
    "dashscope_embedding": ({"input": {"contents": [{"text": "hi"}]}},),
    "open_ai_image": ({"prompt": "a grey square"},),
    "ark_image": ({"prompt": "a grey square"},),
    "task": ({"content": [{"type": "text", "text": "a grey square"}]},),
    "dashscope_video": ({"input": {"prompt": "a grey square"}},),
}
"""By interface, the best one first: bodies that are sent until one is not refused for its form."""
_BEST = list(_BODIES)
