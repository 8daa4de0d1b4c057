"""The type of each stage of the walk: an immutable value, made from the one before.

    Arrival > Recognised > Authenticated > Admitted > Planned, and from there the ticket

1. A stage is never changed; the next stage is a new value that holds what came before.
2. ``Planned`` is flat, because everything after it reads many of its fields, once per call.
3. Nothing here does anything: the stages' functions are in the files of their names.
"""

from msgspec import Struct

from aimesh.catalog.snapshot import Model
from aimesh.core.ids import RequestId
from aimesh.dataplane.operations import Match, Operation
from aimesh.dataplane.snapshot import Snapshot, VirtualKey
from aimesh.net.message import Reply, Request
from aimesh.routing.candidate import Candidate
from aimesh.routing.rank import Ranking
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
    ranking: Ranking
    """Who can do what is asked; never empty."""


class Planned(Struct, frozen=True):
    arrival: Arrival
    operation: Operation
    interface: Interface
    key: VirtualKey
    peek: Peek
    model: Model
    attempts: tuple[Candidate, ...]
