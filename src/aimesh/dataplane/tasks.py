"""Long jobs at a provider."""

from aimesh.core.errors import Unsupported
from aimesh.dataplane.settle import Ticket
from aimesh.dataplane.stages import Authenticated, Planned
from aimesh.upstream.attempt import Whole


class Tasks:
    async def answer(self, caller: Authenticated) -> None:
        raise Unsupported("Tasks are not served yet")

    async def bind(self, planned: Planned, ticket: Ticket, whole: Whole) -> None:
        pass
