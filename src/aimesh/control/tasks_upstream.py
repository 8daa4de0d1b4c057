"""What providers say about a task now: asked with the endpoint and the credential that the task was made with.

1. A credential is opened for the question and kept nowhere; no text that comes back holds it.
2. Few questions are on their way at a time (``tasks_turns.py``), and each ends within ``LONGEST_S``.
3. With the simulator on, only a secret that is made up is sent to it (``settings/merge.py``).
"""

import asyncio

import msgspec
from msgspec import Struct

from aimesh.control.errors import Conflict, Unavailable
from aimesh.control.parts import Parts
from aimesh.core.ids import CredentialId, ProviderId, TenantId
from aimesh.core.usage import Usage
from aimesh.net.children import Children
from aimesh.net.client import ClientSettings, PooledClient
from aimesh.net.message import Timeouts
from aimesh.routing.candidate import Candidate, Credential
from aimesh.settings.merge import held_credentials, is_simulated
from aimesh.store.credentials import PLATFORM, envelope_of, find_credential, place_of
from aimesh.store.engine import Connection
from aimesh.store.tasks import Task
from aimesh.store.vault import VaultError
from aimesh.telemetry.logs import Event
from aimesh.upstream.attempt import Failure, Whole
from aimesh.upstream.reach import candidate, proxy_of
from aimesh.upstream.tasks import TaskJudge, TaskQuestion, ask_about
from aimesh.wire.registry import find_task_interface
from aimesh.wire.tasks import TaskInterface

LONGEST_S = 8.0
_TIMEOUTS = Timeouts(connect_s=3.0, first_byte_s=LONGEST_S, idle_s=LONGEST_S, whole_s=LONGEST_S)
_SHOWN = 500


class Asking(Struct, frozen=True):
    """A task, and how its provider is reached."""

    parts: Parts
    task: Task
    target: Candidate

    @property
    def interface(self) -> TaskInterface:
        return interface_of(self.task)

    @property
    def has_cancel(self) -> bool:
        return bool(self.target.endpoint.paths.cancel)

    def look(self) -> Whole | Failure:
        """Blocks. Raises ``TooManyRequests``."""
        return self._ask(msgspec.convert(dict(self.task.summary), Usage))

    def cancel(self) -> Whole | Failure:
        """Likewise."""
        return self._ask(None)

    def _ask(self, asked: Usage | None) -> Whole | Failure:
        question = TaskQuestion(self.task.id, TaskJudge(self.interface, asked), _TIMEOUTS)
        with self.parts.questions.turn():
            return asyncio.run(self._visit(question))

    async def _visit(self, question: TaskQuestion) -> Whole | Failure:
        upstream, clock = self.parts.settings.upstream, self.parts.clock
        children = Children(self._crashed)
        client = PooledClient(
            children,
            ClientSettings(extra_ca_file=upstream.ca_file or None, proxy=proxy_of(upstream)),
            loop=asyncio.get_running_loop(),
        )
        try:
            return await ask_about(client, self.target, question, clock=clock)
        finally:
            client.close()
            await children.stop()

    def _crashed(self, name: str, error: BaseException) -> None:
        if self.parts.log is not None:
            self.parts.log.crash(Event.CHILD_CRASHED, error, {"child": name})


def interface_of(task: Task) -> TaskInterface:
    found = find_task_interface(task.interface)
    assert found is not None, "only task interfaces make tasks"
    return found


def asking(parts: Parts, db: Connection, task: Task) -> Asking:
    """Raises ``Conflict`` where the task's endpoint or credential is there no more, ``Unavailable`` where the
    credential cannot be opened."""
    endpoint = parts.catalogs.of(parts.settings, db).shown.endpoints.get(task.endpoint)
    credential = None
    if endpoint is not None:
        credential = _of_settings(parts, db, endpoint.provider, task) or _of_database(parts, db, task)
    if endpoint is None or credential is None:
        raise Conflict(
            "TASK_OUT_OF_REACH", "the endpoint or the credential that made this task is no longer configured"
        )
    return Asking(parts, task, candidate(endpoint, credential))


def failed(failure: Failure) -> Conflict:
    """No 5xx: it is not this API that failed."""
    return Conflict("PROVIDER_FAILED", words_of(failure))


def words_of(failure: Failure) -> str:
    said = failure.error.message if failure.error is not None else failure.body
    return (f"{failure.words}: {said}" if said else failure.words)[:_SHOWN]


def _of_settings(parts: Parts, db: Connection, provider: ProviderId, task: Task) -> Credential | None:
    """Of the file, of a variable, or made up."""
    settings = parts.settings
    catalog = parts.catalogs.of(settings, db).shown
    held = held_credentials(settings.sources, catalog, (), settings.simulator)
    return next((one for one in held.get(provider, ()) if one.id == task.credential), None)


def _of_database(parts: Parts, db: Connection, task: Task) -> Credential | None:
    stored = find_credential(db, CredentialId(task.credential))
    if stored is None or not stored.enabled or stored.tenant not in (PLATFORM, task.tenant):
        return None
    envelope = envelope_of(db, stored.id)
    if envelope is None:
        return None
    if parts.vault is None:
        raise Unavailable("VAULT_CLOSED", "no master key is open, so the task's credential cannot be used")
    try:
        secret = parts.vault.decrypt(envelope, place_of(stored.tenant, stored.id))
    except VaultError as error:
        raise Unavailable("VAULT_CLOSED", str(error)) from error
    if parts.settings.simulator and not is_simulated(secret):
        return None
    return Credential(
        id=stored.id,
        provider=stored.provider,
        name=stored.name,
        secret=secret,
        tenant=TenantId(stored.tenant) if stored.tenant else None,
    )
