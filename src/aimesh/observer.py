"""What an operator sees of a worker: every settled call, every refusal, every alarm, in logs and counters.

1. ``append`` puts the record into the journal first; what comes after can fail no call.
2. Nothing here waits: the log has a thread of its own, the counters are integers.
"""

from collections.abc import Callable, Iterable

from aimesh.core.clock import Clock
from aimesh.core.errors import Fault
from aimesh.core.record import UsageRecord
from aimesh.dataplane.edge import Edge
from aimesh.net.client import PooledClient
from aimesh.net.message import Request
from aimesh.net.server import Server
from aimesh.routing.breaker import Breakers
from aimesh.routing.candidate import Candidate
from aimesh.settings import Settings
from aimesh.store.journal import Journal
from aimesh.telemetry.logs import Event, Fields, Level, Log, wants_json
from aimesh.telemetry.metrics import Metrics, Sample
from aimesh.upstream.attempt import Failure

DATABASE_QUIET_S = 10.0
"""Between two lines about a database that fails."""


class Observer:
    """One per worker. Knows of the journal only after ``keep_in``."""

    def __init__(self, settings: Settings, clock: Clock, *, is_terminal: bool) -> None:
        given = settings.log
        self.log = Log(
            clock,
            as_json=wants_json(given.format, is_terminal),
            level=Level[given.level.upper()],
            access=given.access,
        )
        self.metrics = Metrics()
        self._clock = clock
        self._access = self.log.access if given.access else None
        self._journal: Journal | None = None
        self._database_failures = 0
        self._database_quiet_until_s = 0.0

    def keep_in(self, journal: Journal) -> None:
        self._journal = journal

    def append(self, record: UsageRecord) -> None:
        """See ``dataplane.settle.RecordSink``."""
        journal = self._journal
        if journal is not None:
            journal.append(record)
        self.metrics.record(record)
        if self._access is not None:
            self._access(record)

    def refused(self, request: Request, fault: Fault, request_id: str) -> None:
        """See ``dataplane.edge.Observer``. What an upstream did is in the call's record and counted there."""
        if fault.source == "gateway":
            self.metrics.refused(fault.code)
        fields: Fields = {
            "id": request_id,
            "code": fault.code,
            "status": fault.status,
            "client_ip": request.peer,
        }
        self.log.event(Level.DEBUG, Event.REFUSED, fault.message, fields)

    def crashed(self, request: Request, error: BaseException, request_id: str) -> None:
        """See ``dataplane.edge.Observer``."""
        path = request.path.decode("ascii", errors="replace")
        self.log.crash(Event.CRASHED, error, {"id": request_id, "path": path})

    def child_crashed(self, name: str, error: BaseException) -> None:
        """See ``net.children.OnCrash``."""
        self.log.crash(Event.CHILD_CRASHED, error, {"child": name})

    def journal_alarm(self, name: str, message: str) -> None:
        """See ``store.journal.OnAlarm``."""
        self.log.event(Level.ERROR, Event.JOURNAL_ALARM, message, {"alarm": name})

    def ledger_alarm(self, message: str) -> None:
        """See ``store.ledger.Ledger``."""
        self.log.event(Level.ERROR, Event.LEDGER_ALARM, message)

    def publication_alarm(self, name: str, message: str) -> None:
        """See ``keeper.OnAlarm``."""
        if message:
            self.log.event(Level.ERROR, Event.PUBLICATION_ALARM, message, {"alarm": name})
        else:
            self.log.event(Level.INFO, Event.PUBLICATION_RECOVERED, "", {"alarm": name})

    def database_failed(self, error: Exception) -> None:
        """One line in a while: a database that is away fails whoever asks, many times a second."""
        now_s = self._clock.monotonic_s()
        self._database_failures += 1
        if now_s < self._database_quiet_until_s:
            return
        self._database_quiet_until_s = now_s + DATABASE_QUIET_S
        count, self._database_failures = self._database_failures, 0
        self.log.event(Level.ERROR, Event.DATABASE_FAILED, str(error), {"failures": count})

    def run_file_failed(self, error: OSError) -> None:
        """See ``dataplane.circuits.CircuitTeller``."""
        why = (error.strerror or "unknown").lower()
        self.log.event(Level.WARNING, Event.RUN_FILE_FAILED, f"what circuits are open is not told: {why}")

    def bad_credential(self, candidate: Candidate, failure: Failure) -> None:
        """See ``dataplane.forward.Means``."""
        fields = {
            "credential": candidate.credential,
            "name": candidate.name,
            "endpoint": candidate.endpoint.name,
        }
        self.log.event(Level.WARNING, Event.CREDENTIAL_REFUSED, failure.words, fields)

    def watch(
        self, *, edge: Edge, server: Server, client: PooledClient, journal: Journal, breakers: Breakers
    ) -> None:
        """Lets the counters ask the parts that count for themselves."""
        watch = self.metrics.watch
        watch("aimesh_calls_running", "gauge", "Calls begun and not ended.", one(lambda: edge.in_flight))
        watch("aimesh_connections", "gauge", "Connections of callers.", one(lambda: server.stats.open))
        watch(
            "aimesh_requests_malformed_total",
            "counter",
            "Requests refused below the data plane.",
            one(lambda: server.stats.refused),
        )
        watch(
            "aimesh_upstream_connections",
            "gauge",
            "Connections to upstreams.",
            lambda: [
                Sample(client.stats().idle, (("state", "idle"),)),
                Sample(client.stats().in_use, (("state", "in_use"),)),
            ],
        )
        watch(
            "aimesh_journal_waiting",
            "gauge",
            "Usage records that wait in memory for disk space.",
            one(lambda: journal.stats().waiting),
        )
        watch(
            "aimesh_journal_dropped_total",
            "counter",
            "Usage records lost for want of disk and memory.",
            one(lambda: journal.stats().dropped),
        )
        watch(
            "aimesh_circuits_open",
            "gauge",
            "Endpoints (with a credential) that are cooling.",
            one(lambda: len(breakers.cooling(self._clock.monotonic_s()))),
        )

    def close(self) -> None:
        self.log.close()


def one(read: Callable[[], float]) -> Callable[[], Iterable[Sample]]:
    """A family of a single sample."""
    return lambda: [Sample(read())]
