"""The log: one line per event, JSON or text, to one file descriptor.

1. Writing a line never waits: lines are encoded at once and go out in groups on the log's own thread. Where
   the reader is too slow, lines beyond ``BUFFER_BYTES`` are dropped, counted, and the count is logged.
2. No secret and no body: every line passes ``redact``, but for the access lines of calls that went well,
   whose fields hold nothing that a caller or an upstream wrote.
3. A call has one line, made from its usage record. The journal is the record; the log may lose the last
   moments before a kill.
4. Names of events are the members of ``Event``; what varies is in fields.

``docs/decisions/0007-own-log.md`` says why this is not a library.
"""

import os
import threading
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import IntEnum, StrEnum

import msgspec
from msgspec import Struct

from aimesh.core.clock import Clock
from aimesh.core.outcome import Outcome
from aimesh.core.record import UsageRecord
from aimesh.telemetry.redact import redact

BUFFER_BYTES = 4 << 20
"""Waiting for a slow reader."""
GROUP_S = 0.1
"""How long an access line may wait for company."""

Field = str | int | float | bool | None
Fields = Mapping[str, Field]
NO_FIELDS: Fields = {}


class Level(IntEnum):
    DEBUG = 10
    INFO = 20
    WARNING = 30
    ERROR = 40


class Event(StrEnum):
    STARTING = "starting"
    LISTENING = "listening"
    DRAINING = "draining"
    STOPPED = "stopped"
    RELOADED = "reloaded"
    RELOAD_REJECTED = "reload_rejected"
    """The new configuration is not usable; the old one stays."""
    CALL = "call"
    """The access line."""
    REFUSED = "refused"
    """A request that was refused before planning: it leaves no usage record."""
    CRASHED = "crashed"
    """An exception that nobody expected, while a request was answered."""
    CHILD_CRASHED = "child_crashed"
    """Background work ended with an exception."""
    JOURNAL_ALARM = "journal_alarm"
    LEDGER_ALARM = "ledger_alarm"
    JOURNAL_RECOVERED = "journal_recovered"
    PUBLICATION_ALARM = "publication_alarm"
    """What the control process says, or is to say, cannot be used; what was good stays."""
    PUBLICATION_RECOVERED = "publication_recovered"
    IMPORT_ALARM = "import_alarm"
    """Usage records wait, or one was set aside, or old ones are not removed."""
    IMPORT_RECOVERED = "import_recovered"
    ALERTING_ALARM = "alerting_alarm"
    """Nobody looks whether there is something to tell, or somebody is not told."""
    ALERTING_RECOVERED = "alerting_recovered"
    DATABASE_FAILED = "database_failed"
    CREDENTIAL_REFUSED = "credential_refused"
    """A provider does not accept a credential."""
    RUN_FILE_FAILED = "run_file_failed"
    """What a worker tells those who look cannot be written."""
    CIRCUIT_OPENED = "circuit_opened"
    CIRCUIT_CLOSED = "circuit_closed"
    TASK_SETTLED = "task_settled"
    TASK_EXPIRED = "task_expired"
    LINES_DROPPED = "lines_dropped"


class AccessLine(Struct, frozen=True, omit_defaults=True, gc=False):
    """What is shown of a usage record, in this order."""

    at: datetime
    level: str
    event: str
    id: str
    tenant: str
    key: str
    """Alias; the id where there is none."""
    operation: str
    model: str
    endpoint: str
    outcome: str
    status: int
    duration_ms: float
    ttft_ms: float | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    stream: bool = False
    attempts: int = 1
    error_code: str = ""
    error: str = ""
    """Why the last attempt failed."""
    task_id: str = ""
    client_ip: str = ""


Write = Callable[[bytes], None]


class Log:
    """One per process. Any thread may call it."""

    def __init__(
        self, clock: Clock, *, as_json: bool, level: Level, access: bool, write: Write | None = None
    ) -> None:
        self._clock = clock
        self._level = level
        self._access = access
        self._as_json = as_json
        self._write = write if write is not None else _write_stderr
        self._encoder = msgspec.json.Encoder()
        self._lock = threading.Lock()
        self._lines: list[bytes] = []
        self._lines_bytes = 0
        self._dropped = 0
        self._wake = threading.Event()
        self._hurry = threading.Event()
        self._is_closing = False
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def access(self, record: UsageRecord) -> None:
        """The one line of a call."""
        if not self._access:
            return
        line = _access_line(record)
        data = self._encoder.encode(line) if self._as_json else _access_text(line)
        if line.error_code or line.error:
            data = redact(data)
        self._put(data)

    def event(self, level: Level, event: Event, message: str, fields: Fields = NO_FIELDS) -> None:
        if level < self._level:
            return
        at = datetime.fromtimestamp(self._clock.wall_s(), UTC)
        if self._as_json:
            head = {"at": at, "level": level.name.lower(), "event": event, "message": message}
            data = self._encoder.encode(_clean({**head, **fields}))
        else:
            data = _text(at, level.name, event, message, fields)
        self._put(redact(data), hurry=level >= Level.WARNING)

    def crash(self, event: Event, error: BaseException, fields: Fields = NO_FIELDS) -> None:
        """With the traceback: where, not with what values."""
        trace = "".join(traceback.format_exception(error))
        self.event(Level.ERROR, event, f"{type(error).__name__}: {error}", {**fields, "traceback": trace})

    @property
    def dropped(self) -> int:
        """Lines that a slow reader cost since the count was last logged."""
        return self._dropped

    def close(self) -> None:
        """Writes what is left. Blocks as long as the reader does."""
        self._is_closing = True
        self._hurry.set()
        self._wake.set()
        self._thread.join()

    def _put(self, data: bytes, *, hurry: bool = False) -> None:
        with self._lock:
            if self._lines_bytes + len(data) > BUFFER_BYTES:
                self._dropped += 1
                return
            if not self._lines:
                self._wake.set()
            self._lines.append(data)
            self._lines_bytes += len(data) + 1
        if hurry:
            self._hurry.set()

    def _run(self) -> None:
        while True:
            self._wake.wait()
            self._hurry.wait(GROUP_S)
            self._hurry.clear()
            is_last = self._is_closing
            with self._lock:
                self._wake.clear()
                lines, self._lines = self._lines, []
                self._lines_bytes = 0
                dropped, self._dropped = self._dropped, 0
            if dropped:
                # After the lines that were kept: about here the others are missing.
                self.event(Level.WARNING, Event.LINES_DROPPED, "the log's reader is slow", {"lines": dropped})
            if lines:
                lines.append(b"")
                self._write(b"\n".join(lines))
            if is_last and not self._lines:
                return


def _write_stderr(data: bytes) -> None:
    """Everything, however often the pipe takes only a part; nothing, once its reader is gone."""
    view = memoryview(data)
    try:
        while view:
            view = view[os.write(2, view) :]
    except OSError:
        return


def wants_json(setting: str, is_terminal: bool) -> bool:
    """The setting ``log.format``: ``json``, ``text`` or ``auto``."""
    return setting == "json" or (setting == "auto" and not is_terminal)


def _access_line(record: UsageRecord) -> AccessLine:
    usage = record.usage
    attempts = record.attempts
    # By position: naming twenty fields would cost more than encoding them.
    return AccessLine(
        datetime.fromtimestamp(record.at, UTC),
        "info",
        "call",
        record.id,
        record.tenant,
        record.key_alias or record.key_id,
        record.operation,
        record.model,
        record.endpoint,
        record.outcome,
        record.status,
        record.duration_ms,
        record.ttft_ms,
        usage.input_tokens,
        usage.output_tokens,
        record.stream,
        len(attempts) or int(record.outcome is Outcome.OK),
        record.error_code,
        attempts[-1].error if attempts else "",
        record.task_id,
        record.client_ip,
    )


def _access_text(line: AccessLine) -> bytes:
    ttft = f" first {line.ttft_ms:.0f}" if line.ttft_ms is not None else ""
    tokens = f" tokens {line.input_tokens}+{line.output_tokens}" if line.output_tokens else ""
    trouble = "".join(f" {text}" for text in (line.error_code, line.error) if text)
    text = (
        f"{line.at:%H:%M:%S.%f}"[:-3]
        + f" {line.status or '---'} {line.operation} {line.model} {line.outcome}"
        f" {line.duration_ms:.0f} ms{ttft}{tokens}{trouble} key={line.key} via={line.endpoint} id={line.id}"
    )
    return _one_line(text)


def _text(at: datetime, level: str, event: str, message: str, fields: Fields) -> bytes:
    trace = fields.get("traceback")
    shown = "".join(f" {name}={value}" for name, value in fields.items() if name != "traceback")
    line = _one_line(f"{at:%H:%M:%S.%f}"[:-3] + f" {level} {event}: {message}{shown}")
    return line if trace is None else line + b"\n" + str(trace).rstrip().encode("utf-8", "replace")


def _one_line(text: str) -> bytes:
    """A caller's text cannot forge a line or move the cursor."""
    safe = text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
    return safe.encode("utf-8", "replace")


def _clean(fields: Mapping[str, object]) -> dict[str, object]:
    return {
        name: value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
        for name, value in fields.items()
    }
