"""The walk of one call: the table of contents of the data plane.

    received > recognised > authenticated > admitted > planned > held > attempted > relayed > settled

1. Only this file calls stages; a stage never calls a stage.
2. Everything before the ticket holds nothing that must be given back; everything after it ends in a record.
3. The walk is a plain coroutine that waits only for the upstream (and, for tasks, the store); it is driven by
   ``net/walk.py`` without an asyncio task.
"""

from collections.abc import Mapping

from msgspec import Struct

from aimesh.core.ids import InterfaceId
from aimesh.dataplane import models
from aimesh.dataplane.admit import admit
from aimesh.dataplane.authenticate import authenticate, find_key
from aimesh.dataplane.count_tokens import count_tokens
from aimesh.dataplane.forward import Means, first_good, send_stream, send_whole
from aimesh.dataplane.hold import Account, Hold
from aimesh.dataplane.idempotency import HEADER, claim_of, once, stored
from aimesh.dataplane.operations import Action, match
from aimesh.dataplane.plan import plan
from aimesh.dataplane.recognise import recognise
from aimesh.dataplane.settle import RecordSink, Ticket
from aimesh.dataplane.snapshot import Snapshot
from aimesh.dataplane.stages import Arrival, Authenticated, Planned
from aimesh.dataplane.task_holds import likely
from aimesh.dataplane.tasks import Tasks
from aimesh.net.message import Request
from aimesh.routing.measure import Measures
from aimesh.routing.plan import Planner
from aimesh.store.idempotency import IdempotencyStore, StoredAnswer
from aimesh.upstream.attempt import Opened
from aimesh.wire.interface import Interface
from aimesh.wire.registry import find_task_interface


class Parts(Struct, frozen=True):
    """What the walk is made of; put together by ``app.py``."""

    interfaces: Mapping[InterfaceId, Interface]
    means: Means
    sink: RecordSink
    tasks: Tasks
    idempotency: IdempotencyStore
    planner: Planner
    measures: Measures


class Pipeline:
    """Runs calls. One per worker."""

    __slots__ = ("_parts",)

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def run(self, arrival: Arrival) -> None:
        """Answers one call through ``arrival.reply``. Raises ``Fault`` for the edge to render."""
        parts = self._parts
        caller = authenticate(recognise(arrival, parts.interfaces))
        action = caller.recognised.match.operation.action
        if action is Action.CALL or action is Action.CREATE_TASK:
            if HEADER in arrival.request.headers and (claim := claim_of(caller)) is not None:
                await once(arrival, claim, store=parts.idempotency, call=lambda: self._relay(caller))
            else:
                await self._relay(caller)
        elif action is Action.COUNT_TOKENS:
            await count_tokens(admit(caller), parts.means)
        elif action is Action.LIST_MODELS or action is Action.GET_MODEL:
            models.answer(caller)
        else:
            await parts.tasks.answer(caller)

    @staticmethod
    def check_head(request: Request, snapshot: Snapshot, at_s: float) -> None:
        """What can be refused before a large body is read: a wrong path or method, a bad key."""
        match(request.method, request.path)
        find_key(request, snapshot, at_s)

    async def _relay(self, caller: Authenticated) -> StoredAnswer | None:
        """Gives what may be answered again to the same request; None for a stream."""
        parts = self._parts
        arrival = caller.recognised.arrival
        planned = plan(admit(caller), parts.planner)
        if planned.interface.once and not planned.peek.stream:
            # What a provider may have made, and bills, is bound and recorded, even when its caller hung up.
            arrival.reply.on_gone = None
        # Nothing waits between the hold and the ticket that owns it.
        hold = None if planned.key.account is None else _hold(planned, planned.key.account)
        with Ticket(planned, parts.sink, parts.means.clock, parts.measures, hold) as ticket:
            good = await first_good(planned, ticket, parts.means)
            if isinstance(good, Opened):
                await send_stream(planned, ticket, good)
                return None
            if good.answer.task is not None:
                await parts.tasks.bind(planned, ticket, good)
            send_whole(planned, ticket, good)
            return stored(arrival, good) if planned.interface.once else None


def _hold(planned: Planned, account: Account) -> Hold:
    """Sets aside what the call may use of its key's and tenant's limits. Raises ``QuotaSpent``, ``RateLimited``,
    ``TenantOverQuota``."""
    endpoint, body = planned.attempts[0].endpoint, planned.arrival.request.body
    asked = None
    if account.has_money and (interface := find_task_interface(planned.interface.id)) is not None:
        asked = likely(interface.read_request(body), endpoint)
    return account.admit(endpoint, len(body), max_output=planned.peek.max_output_tokens, asked=asked)
