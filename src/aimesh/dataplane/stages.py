"""The type of each stage of the walk. Each holds the one before, so all that is known is reachable.

    Arrival > Recognised > Authenticated > Admitted > Resolved > Planned, and from there the ticket

1. A stage is immutable; the next stage is a new value.
2. Nothing here does anything: the stages' functions are in the files of their names.
"""

from msgspec import Struct

from aimesh.catalog.snapshot import Model
from aimesh.core.ids import RequestId
from aimesh.dataplane.operations import Match
from aimesh.dataplane.snapshot import Snapshot, VirtualKey
from aimesh.net.message import Reply, Request
from aimesh.routing.candidate import Candidate
from aimesh.wire.interface import Interface, Peek


class Arrival(Struct, frozen=True):
    """Bytes are here, nothing is known. The snapshot is the one of this moment, to the end of the call."""

    request: Request
    reply: Reply
    id: RequestId
    at_s: float
    """Wall-clock seconds."""
    started_s: float
    """Monotonic seconds."""
    snapshot: Snapshot


class Recognised(Struct, frozen=True):
    arrival: Arrival
    match: Match
    interface: Interface


class Authenticated(Struct, frozen=True):
    recognised: Recognised
    key: VirtualKey


class Admitted(Struct, frozen=True):
    authenticated: Authenticated
    peek: Peek
    model: Model
    pinned: tuple[Candidate, ...] | None
    """The candidates of an endpoint that the caller named; None: the model was named."""


class Resolved(Struct, frozen=True):
    admitted: Admitted
    candidates: tuple[Candidate, ...]


class Planned(Struct, frozen=True):
    resolved: Resolved
    attempts: tuple[Candidate, ...]

    @property
    def arrival(self) -> Arrival:
        return self.resolved.admitted.authenticated.recognised.arrival

    @property
    def key(self) -> VirtualKey:
        return self.resolved.admitted.authenticated.key

    @property
    def match(self) -> Match:
        return self.resolved.admitted.authenticated.recognised.match

    @property
    def interface(self) -> Interface:
        return self.resolved.admitted.authenticated.recognised.interface

    @property
    def peek(self) -> Peek:
        return self.resolved.admitted.peek

    @property
    def model(self) -> Model:
        return self.resolved.admitted.model
