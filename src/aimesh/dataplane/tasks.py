"""Long jobs at a provider (video, 3D): bound to the key that made them, asked about where they live.

1. A task's id is the upstream's own. It is bound to key, tenant, endpoint and credential before its creator
   hears of it; a query or cancellation goes to that same endpoint with that same credential.
2. Another key's task does not exist: Ark says 404, DashScope says ``UNKNOWN``.
3. Lists come from the gateway's own records, never from the upstream account, which other callers share.
4. Usage is recorded once, when the task is first seen to have ended, under an id made from the task's: claimed in the
   database, written to the journal, marked as settled, charged, in this order. Who is killed before the mark is
   replaced when his claim has run out: by one who reads the words that were kept and writes the same id, which an
   import counts once. Only who sets the mark charges, so a kill may lose a charge to a budget and never doubles it.
5. What the upstream has forgotten is answered from our record, if the task had ended.
"""

from collections.abc import Callable

import msgspec

from aimesh.core.clock import Clock
from aimesh.core.errors import Internal, NoCandidates, TaskNotFound, Unavailable
from aimesh.core.ids import InterfaceId, RequestId, TaskId
from aimesh.core.outcome import Outcome
from aimesh.core.record import UsageRecord
from aimesh.core.usage import NO_USAGE, Usage
from aimesh.dataplane import headers
from aimesh.dataplane.forward import fault_of
from aimesh.dataplane.operations import OPERATIONS, Action
from aimesh.dataplane.settle import RecordSink, Ticket
from aimesh.dataplane.snapshot import Snapshot
from aimesh.dataplane.stages import Arrival, Authenticated, Planned
from aimesh.dataplane.task_holds import TaskHolds
from aimesh.net.message import Client
from aimesh.routing.candidate import Candidate
from aimesh.store.database import StoreError
from aimesh.store.tasks import HELD, NewTask, Progress, Task, TaskBook, TaskFilter
from aimesh.upstream.attempt import Failure, Whole
from aimesh.upstream.tasks import TaskJudge, TaskQuestion, ask_about
from aimesh.wire.interface import Answer, Family, TaskState
from aimesh.wire.registry import find_task_interface
from aimesh.wire.tasks import TaskInterface, TaskPage, TaskRecord

FIRST_POLL_AFTER_S = 5.0
CALLER_ASKED_S = 10.0
"""How long the settler leaves a task alone that its caller asks about."""
SETTLE_CLAIM_S = 20.0
"""For one record and one mark; a settler that is killed in between is replaced after it."""
KEY_ALIAS, LABELS = "key_alias", "labels"
"""Members of a task's summary beside what chooses its price: the key as it was when the task was made."""
_EXPIRED = {Family.ARK: "expired", Family.DASHSCOPE: "UNKNOWN"}
"""How each family spells them."""
_FAMILIES = {operation.interface: operation.family for operation in OPERATIONS}
TASK_EXPIRED = "TASK_EXPIRED"
TASK_FORGOTTEN = "TASK_FORGOTTEN"
"""Codes in the records of tasks that ended without a word."""

Charge = Callable[[Task, Usage], None]
"""Counts what a task used against the budgets of its key and tenant."""


class Tasks:
    """One per worker."""

    __slots__ = ("_charge", "_client", "_clock", "_holds", "_sink", "_store")

    def __init__(
        self,
        store: TaskBook,
        client: Client,
        *,
        sink: RecordSink,
        clock: Clock,
        charge: Charge | None = None,
        holds: TaskHolds | None = None,
    ) -> None:
        self._store = store
        self._client = client
        self._sink = sink
        self._clock = clock
        self._charge = charge
        self._holds = holds

    async def bind(self, planned: Planned, ticket: Ticket, whole: Whole) -> None:
        """Binds a task that an upstream has just accepted. Raises ``Internal`` when it cannot be kept."""
        state = whole.answer.task
        interface = _task_interface(planned.interface.id)
        if state is None:
            return
        ticket.task_id = TaskId(state.id)
        candidate = ticket.winner
        asked = interface.read_request(planned.arrival.request.body)
        note = ""
        if self._holds is not None and ticket.hold is not None:
            note = self._holds.note(ticket.hold, asked, candidate)
        task = NewTask(
            interface=interface.id,
            id=TaskId(state.id),
            tenant=planned.key.tenant,
            key_id=planned.key.id,
            request_id=planned.arrival.id,
            endpoint=candidate.endpoint.name,
            provider=candidate.endpoint.provider,
            credential=candidate.credential,
            model=planned.model.name,
            upstream_name=candidate.target.upstream_name,
            status=state.status,
            document=b"",
            summary={
                **msgspec.to_builtins(asked),
                KEY_ALIAS: planned.key.alias,
                LABELS: msgspec.json.encode(planned.key.labels).decode(),
                **({HELD: note} if note else {}),
            },
        )
        try:
            await self._store.create(task, poll_after_s=FIRST_POLL_AFTER_S)
        except StoreError as error:
            fault = Internal(
                f"Task {state.id} was accepted by {candidate.endpoint.name} but could not be kept"
            )
            fault.should_retry = False
            raise fault from error
        if note and self._holds is not None:
            # Before the ticket ends what the call holds.
            self._holds.keep(task.interface, task.id, note)

    async def answer(self, caller: Authenticated) -> None:
        """A query, a list or a cancellation. Raises ``TaskNotFound``, ``BadRequest``, ``Unavailable`` or a provider's
        fault."""
        try:
            await self._answer(caller)
        except StoreError as error:
            raise Unavailable("The database cannot be reached now; try again") from error

    async def _answer(self, caller: Authenticated) -> None:
        match caller.recognised.match.operation.action:
            case Action.LIST_TASKS:
                await self._list(caller)
            case Action.CANCEL_TASK:
                await self._cancel(caller)
            case _:
                await self._get(caller)

    async def _get(self, caller: Authenticated) -> None:
        interface, arrival = _task_interface(caller.recognised.interface.id), caller.recognised.arrival
        task = await self._own(caller)
        if task is None:
            self._unknown(arrival, interface, caller.recognised.match.item)
            return
        candidate = _candidate(arrival, task)
        verdict = await self.look(task, candidate)
        if not isinstance(verdict, Whole):
            if task.finished and task.document:
                arrival.reply.send(200, headers.own_answer(arrival.id), task.document)
                return
            if verdict.status == 404:
                raise TaskNotFound(f"Task {task.id} is no longer known to its provider")
            raise fault_of(verdict, candidate)
        state = verdict.answer.task
        is_past = task.finished and task.document and (state is None or state.status != task.status)
        body = task.document if is_past else verdict.answer.body
        arrival.reply.send(200, headers.own_answer(arrival.id), body)

    async def look(
        self, task: Task, candidate: Candidate, *, poll_at_s: float | None = None
    ) -> Whole | Failure:
        """Asks the upstream how far a task is, and keeps what it says. ``poll_at_s``: when the settler asks next."""
        verdict = await self._ask(task, candidate, msgspec.convert(dict(task.summary), Usage))
        if isinstance(verdict, Whole) and verdict.answer.task is not None:
            await self._seen(task, verdict.answer.task, verdict.answer, poll_at_s)
        return verdict

    async def _list(self, caller: Authenticated) -> None:
        interface, arrival = _task_interface(caller.recognised.interface.id), caller.recognised.arrival
        query = interface.read_query(arrival.request.query)
        found = await self._store.list_page(
            TaskFilter(
                interface=interface.id,
                key_id=caller.key.id,
                statuses=query.statuses,
                ids=tuple(TaskId(one) for one in query.ids),
                models=(query.model,) if query.model else (),
                created_from_s=query.since_s or None,
                created_until_s=query.until_s or None,
            ),
            page=query.page,
            page_size=query.page_size,
        )
        page = TaskPage(tuple(_record(task) for task in found.tasks), query, found.total)
        arrival.reply.send(200, headers.own_answer(arrival.id), interface.encode_list(page, arrival.id))

    async def _cancel(self, caller: Authenticated) -> None:
        interface, arrival = _task_interface(caller.recognised.interface.id), caller.recognised.arrival
        task = await self._own(caller)
        if task is None:
            self._unknown(arrival, interface, caller.recognised.match.item)
            return
        candidate = _candidate(arrival, task)
        # What it used must be recorded before it can be deleted.
        if task.finished and task.document:
            await self.settle_kept(task)
        elif not task.settled:
            # It may have ended since.
            seen = await self.look(task, candidate)
            if isinstance(seen, Failure) and seen.status != 404:
                raise fault_of(seen, candidate)
            task = await self._own(caller) or task
        verdict = await self._ask(task, candidate, None)
        if not isinstance(verdict, Whole):
            raise fault_of(verdict, candidate)
        if task.finished:
            await self._store.delete(task.interface, task.id)
        else:
            # What the upstream said before is out of date; the next query brings its new words.
            gone = Progress(status=interface.cancelled, finished=True, succeeded=False, document=b"")
            await self._store.update(task.interface, task.id, gone)
            await self._mark_settled(task)
        body = interface.encode_cancelled(arrival.id)
        arrival.reply.send(200, headers.own_answer(arrival.id), body)

    async def _own(self, caller: Authenticated) -> Task | None:
        call = caller.recognised
        return await self._store.find_own(call.interface.id, TaskId(call.match.item), caller.key.id)

    def _unknown(self, arrival: Arrival, interface: TaskInterface, task_id: str) -> None:
        body = interface.encode_unknown(task_id, arrival.id)
        if body is None:
            raise TaskNotFound(f"Task {task_id[:100]} does not exist or belongs to another key")
        arrival.reply.send(200, headers.own_answer(arrival.id), body)

    async def _ask(self, task: Task, candidate: Candidate, asked: Usage | None) -> Whole | Failure:
        question = TaskQuestion(task.id, TaskJudge(_task_interface(task.interface), asked))
        return await ask_about(self._client, candidate, question, clock=self._clock)

    async def _seen(self, task: Task, state: TaskState, answer: Answer, poll_at_s: float | None) -> None:
        """Keeps what the upstream says of a task, and records its usage the first time it has succeeded."""
        if task.finished and task.document:
            # Later words can only be fewer: providers forget what they made.
            await self.settle_kept(task)
            return
        if _says_forgotten(task, state):
            # Once is no proof: it may be another answer's mistake, and a film would go unpaid.
            return
        progress = Progress(
            status=state.status,
            finished=state.finished,
            succeeded=state.succeeded,
            document=answer.body,
            poll_at_s=poll_at_s,
            not_before_s=self._clock.wall_s() + CALLER_ASKED_S if poll_at_s is None else 0.0,
        )
        await self._store.update(task.interface, task.id, progress)
        if state.finished:
            await self._settle(task, state, answer.usage)

    async def settle_kept(self, task: Task, *, is_claimed: bool = False) -> None:
        """Settles a task that has ended from what was kept of it, if that was not done yet. ``is_claimed``: the caller
        has the claim."""
        if task.settled:
            return
        answer = _task_interface(task.interface).read_task(
            task.document, msgspec.convert(dict(task.summary), Usage)
        )
        if answer.task is not None:
            await self._settle(task, answer.task, answer.usage, is_claimed=is_claimed)

    async def expire(self, task: Task, code: str) -> None:
        """Ends a task of which nothing more will be heard, with a record that says so. ``code``: why."""
        status = _EXPIRED[_FAMILIES[task.interface]]
        if await self._store.expire(task.interface, task.id, status=status, claim_s=SETTLE_CLAIM_S):
            await self._close(task, code)

    async def settle_silent(self, task: Task) -> None:
        """Does what a kill left undone of a cancellation or an expiry. For who has the claim."""
        if task.status == _task_interface(task.interface).cancelled:
            await self._mark_settled(task)
        else:
            await self._close(task, TASK_EXPIRED)

    async def _close(self, task: Task, code: str) -> None:
        self._sink.append(self._settlement(task, None, NO_USAGE, code=code))
        await self._mark_settled(task)

    async def _settle(self, task: Task, state: TaskState, usage: Usage, *, is_claimed: bool = False) -> None:
        if task.settled:
            return
        name = (task.interface, task.id)
        if not is_claimed and not await self._store.claim_settling(*name, claim_s=SETTLE_CLAIM_S):
            return
        self._sink.append(self._settlement(task, state, usage))
        if await self._store.mark_settled(*name) and state.succeeded and self._charge is not None:
            self._charge(task, usage)
        self._release(task)

    async def _mark_settled(self, task: Task) -> None:
        """Of a task that is not charged."""
        await self._store.mark_settled(task.interface, task.id)
        self._release(task)

    def _release(self, task: Task) -> None:
        if self._holds is not None:
            self._holds.release(task.interface, task.id)

    def _settlement(
        self, task: Task, state: TaskState | None, usage: Usage, *, code: str = ""
    ) -> UsageRecord:
        labels = msgspec.json.decode(str(task.summary.get(LABELS) or "{}"), type=dict[str, str])
        has_succeeded = state is not None and state.succeeded
        return UsageRecord(
            id=RequestId(f"task:{task.interface}:{task.id}"),
            at=self._clock.wall_s(),
            tenant=task.tenant,
            key_id=task.key_id,
            key_alias=str(task.summary.get(KEY_ALIAS) or ""),
            labels=labels,
            operation="settle_task",
            interface=task.interface,
            outcome=Outcome.OK if has_succeeded else Outcome.UPSTREAM_FAILED,
            duration_ms=0.0,
            model=task.model,
            endpoint=task.endpoint,
            provider=task.provider,
            credential=task.credential,
            upstream_model=task.upstream_name,
            error_code=code,
            usage=usage if has_succeeded else NO_USAGE,
            task_id=task.id,
            made_at=task.created_at_s,
        )


def _task_interface(name: InterfaceId) -> TaskInterface:
    found = find_task_interface(name)
    assert found is not None, "only task interfaces make tasks and are asked about them"
    return found


def is_forgotten(task: Task, verdict: Whole | Failure) -> bool:
    """The provider says that it does not know the task, or not any more."""
    if isinstance(verdict, Failure):
        return verdict.status == 404
    state = verdict.answer.task
    return state is not None and _says_forgotten(task, state)


def _says_forgotten(task: Task, state: TaskState) -> bool:
    return bool(state.status) and state.status == _task_interface(task.interface).forgotten


def maker_of(task: Task, snapshot: Snapshot) -> Candidate | None:
    """The endpoint and credential the task was made with; None: no longer configured."""
    return snapshot.supply.candidate(task.endpoint, task.credential, task.tenant)


def _candidate(arrival: Arrival, task: Task) -> Candidate:
    """Raises ``NoCandidates``."""
    found = maker_of(task, arrival.snapshot)
    if found is None:
        raise NoCandidates(
            f"Task {task.id} was made with {task.credential} at {task.endpoint}, which is no longer configured"
        )
    return found


def _record(task: Task) -> TaskRecord:
    return TaskRecord(
        id=task.id,
        model=task.model,
        status=task.status,
        created_s=task.created_at_s,
        updated_s=task.updated_at_s,
        document=task.document,
        request_id=task.request_id,
    )
