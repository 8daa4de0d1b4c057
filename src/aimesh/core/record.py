"""The usage record: one immutable line per call, written to the journal when the call settles.

1. Exactly one record per planned call, whatever became of it; ``id`` makes every later import idempotent.
2. A record names the caller's key by id and alias and never holds a secret or a body.
3. Fields are only ever added, at the end (they are given by position where calls settle), each with a
   default: records written by an older release stay readable, and an older reader skips what it does not
   know.
"""

import msgspec
from msgspec import Struct

from aimesh.core.ids import (
    CredentialId,
    EndpointName,
    InterfaceId,
    KeyId,
    ModelName,
    ProviderId,
    RequestId,
    TaskId,
    TenantId,
)
from aimesh.core.outcome import Outcome
from aimesh.core.usage import NO_USAGE, Usage


class AttemptRecord(Struct, frozen=True, omit_defaults=True, gc=False):
    """One endpoint with one credential, tried once."""

    endpoint: EndpointName
    credential: CredentialId
    started_ms: float
    """From the beginning of the call."""
    duration_ms: float
    status: int = 0
    """0: no HTTP answer."""
    error: str = ""
    """Why it failed, in our words; empty for the attempt that served the call."""


class UsageRecord(Struct, frozen=True, omit_defaults=True):
    """What is known of one call when it ended."""

    id: RequestId
    at: float
    """Wall-clock seconds when the call began."""
    tenant: TenantId
    key_id: KeyId
    operation: str
    """Name of the row in the table of operations: ``chat``, ``create_task``."""
    interface: InterfaceId
    """The client's side."""
    outcome: Outcome
    duration_ms: float
    key_alias: str = ""
    labels: dict[str, str] = {}
    """The key's labels at the time of the call, for cost allocation."""
    model_asked: str = ""
    """As the caller wrote it: a name, an alias or an endpoint."""
    model: ModelName = ModelName("")
    endpoint: EndpointName = EndpointName("")
    """Endpoint of the last attempt; the one that served, if any did."""
    provider: ProviderId = ProviderId("")
    credential: CredentialId = CredentialId("")
    upstream_model: str = ""
    stream: bool = False
    status: int = 0
    """HTTP status sent to the caller; 0 when the caller was gone before."""
    error_code: str = ""
    """Stable code of the error the caller got."""
    usage: Usage = NO_USAGE
    attempts: tuple[AttemptRecord, ...] = ()
    """In order. A call that its first attempt served has none here: the record itself says all of it."""
    ttft_ms: float | None = None
    """First byte of the answer to the caller, from the beginning of the call."""
    upstream_request_id: str = ""
    bytes_in: int = 0
    bytes_out: int = 0
    """Of the bodies, as the caller sent them and got them."""
    losses: tuple[str, ...] = ()
    """Paths of request fields that could not be carried to the upstream."""
    task_id: TaskId = TaskId("")
    client_ip: str = ""
    made_at: float = 0.0
    """Of a record that settles a task: wall-clock seconds when the task was made."""

    @property
    def priced_at(self) -> float:
        """The moment whose price, tier, hours and discount count: when the call began. A task is a call that began
        when it was made, however much later it is settled."""
        return self.made_at or self.at


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(UsageRecord)


def encode_record(record: UsageRecord) -> bytes:
    """Compact JSON; fields at their default are left out. Never fails: half a surrogate pair that a caller
    sent becomes a question mark."""
    try:
        return _ENCODER.encode(record)
    except UnicodeEncodeError:
        return _ENCODER.encode(_clean(msgspec.to_builtins(record)))


def _clean(value: object) -> object:
    match value:
        case str():
            return value.encode("utf-8", "replace").decode()
        case dict():
            return {_clean(name): _clean(item) for name, item in value.items()}
        case list() | tuple():
            return [_clean(item) for item in value]
        case _:
            return value


def decode_record(data: bytes) -> UsageRecord:
    """Raises ``msgspec.DecodeError`` (or its ``ValidationError``) where the bytes are no record."""
    return _DECODER.decode(data)
