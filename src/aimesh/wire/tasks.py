"""Long jobs: what the two task interfaces share.

1. A list is made of the gateway's own records, never of the upstream account's.
2. What the answer does not repeat (flags in the prompt, a reference video) is read from the request at creation
   and filled in when the task ends.
"""

from typing import Literal, Protocol

from msgspec import Struct

from aimesh.core.usage import Usage
from aimesh.wire.interface import Answer, Interface


class TaskRecord(Struct, frozen=True):
    """A task as the gateway knows it."""

    id: str
    model: str
    """The name that the caller used."""
    status: str
    """In the upstream's own spelling."""
    created_s: float
    updated_s: float
    document: bytes = b""
    """The upstream's newest answer about it, as it came; empty before the first query."""
    request_id: str = ""
    """Of the call that created it."""


class TaskQuery(Struct, frozen=True):
    """What a list is asked for. Empty: no such filter."""

    page: int
    page_size: int
    statuses: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    model: str = ""
    service_tier: str = ""
    since_s: float = 0.0
    until_s: float = 0.0

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.page_size


class TaskPage(Struct, frozen=True):
    """One page of a caller's own tasks."""

    records: tuple[TaskRecord, ...]
    query: TaskQuery
    total: int


class Asset(Struct, frozen=True):
    """A file that a job made. Providers let its address expire after a day."""

    kind: Literal["video", "image", "3d"]
    url: str


class TaskResult(Struct, frozen=True):
    """What a job brought."""

    assets: tuple[Asset, ...] = ()
    error_code: str = ""
    """In the upstream's own spelling."""
    error: str = ""


class TaskInterface(Interface, Protocol):
    @property
    def forgotten(self) -> str:
        """The status of a task that the provider does not know, or not any more; empty: it answers 404."""
        ...

    @property
    def waiting(self) -> str:
        """The status of a task that has not begun: no other can be cancelled."""
        ...

    @property
    def cancelled(self) -> str:
        """The status of a task that was cancelled."""
        ...

    @property
    def cancel_method(self) -> str: ...

    def read_request(self, body: bytes) -> Usage:
        """What a creating request says about its price; ``reported`` is false. Never raises."""
        ...

    def read_task(self, body: bytes, asked: Usage) -> Answer:
        """Judges the answer to a query: ``task`` says how far the job is, ``usage`` what a finished one used.

        ``asked`` is what ``read_request`` gave at creation; it fills in what the answer does not repeat."""
        ...

    def read_result(self, body: bytes) -> TaskResult:
        """What the same answer says that the job brought. Never raises."""
        ...

    def read_query(self, query: bytes) -> TaskQuery:
        """Raises ``BadRequest`` for a page out of range."""
        ...

    def encode_list(self, page: TaskPage, request_id: str, /) -> bytes: ...

    def encode_unknown(self, task_id: str, request_id: str, /) -> bytes | None:
        """The answer (status 200) about a task that is not the caller's; None: it is a ``TaskNotFound``."""
        ...

    def encode_cancelled(self, request_id: str, /) -> bytes:
        """The answer (status 200) to a cancellation or deletion that succeeded."""
        ...
