"""What tasks that have not ended hold of budgets, from their creation until they are settled.

1. A task's row says what it holds and which process does: a process holds for the tasks that it made, and one of the
   node's processes for those whose process is dead. What a dead process held is held again at the next round.
2. Whoever settles a task charges what it used, and the hold ends in the round after: for a moment both count, never
   neither. A process that settles its own task ends the hold at once.
3. An estimate is never counted, only held. Where the request does not say how long or how fine a video is to be, or
   there is no price for that, nothing is held.
4. The database decides which tasks have not ended. While it is away, what is held stays held.
"""

import msgspec
from msgspec import Struct, structs

from aimesh.catalog.price import resolution_key
from aimesh.catalog.snapshot import Endpoint
from aimesh.core.ids import InterfaceId, TaskId
from aimesh.core.kind import Kind
from aimesh.core.usage import Usage
from aimesh.dataplane.hold import Hold, Holder
from aimesh.routing.candidate import Candidate
from aimesh.store.ledger_row import Row
from aimesh.store.lives import Lives
from aimesh.store.tasks import HeldTask, TaskBook

ROUND_S = 2.0
_PIXELS = {"480p": 864 * 496, "720p": 1280 * 720, "1080p": 1920 * 1080, "4k": 3840 * 2160}
_TOKENS_PER_PIXEL_SECOND = 24 / 1024
"""As Ark documents tokens of a video: width x height x frames a second x seconds / 1024."""

TaskName = tuple[InterfaceId, TaskId]


class Held(Struct, frozen=True):
    node: str
    by: str
    """Name of the process that holds it."""
    rows: dict[str, int]
    """Names of the ledger's rows to what is held in each."""


def likely(asked: Usage, endpoint: Endpoint) -> Usage:
    """What a task that was asked for like this may use."""
    if endpoint.kind is Kind.MODEL_3D:
        return structs.replace(asked, assets=1)
    price = endpoint.price
    if price is not None and price.video_tokens and not asked.output_tokens:
        pixels = _PIXELS.get(resolution_key(asked.video_resolution), 0)
        tokens = round(pixels * asked.video_seconds * _TOKENS_PER_PIXEL_SECOND)
        return structs.replace(asked, output_tokens=tokens)
    return asked


class TaskHolds:
    """One per worker."""

    def __init__(self, holder: Holder, lives: Lives, node: str) -> None:
        self._holder = holder
        self._lives = lives
        self._node = node
        self._held: dict[TaskName, list[tuple[Row, int]]] = {}

    def note(self, hold: Hold, asked: Usage, candidate: Candidate) -> str:
        """What a task's row is to say; empty: it holds nothing."""
        endpoint = candidate.endpoint
        rows = hold.money_rows(endpoint, candidate.credential, likely(asked, endpoint))
        return msgspec.json.encode(Held(self._node, self._lives.name, rows)).decode() if rows else ""

    def keep(self, interface: InterfaceId, task_id: TaskId, note: str) -> None:
        """Holds for a task whose row says so."""
        self._take((interface, task_id), msgspec.json.decode(note, type=Held))

    def release(self, interface: InterfaceId, task_id: TaskId) -> None:
        """Ends what this process holds for a task; else its holder does, in its next round."""
        try:
            for row, amount in self._held.pop((interface, task_id), ()):
                row.hold(-amount)
        except ValueError:
            # The ledger was closed, and with it everything ended that this process held.
            return

    async def round(self, book: TaskBook) -> None:
        """Takes over from the dead and ends what was settled elsewhere. Raises ``StoreError``."""
        has_chair = self._lives.takes_chair()
        if not self._held and not has_chair:
            return
        before = list(self._held)
        wanted = self._mine(await book.held(), has_chair=has_chair)
        for name, held in wanted.items():
            self._take(name, held)
        for name in before:
            if name not in wanted:
                self.release(*name)

    def _mine(self, several: list[HeldTask], *, has_chair: bool) -> dict[TaskName, Held]:
        others = self._lives.others() if has_chair else None
        found = {}
        for one in several:
            held = msgspec.json.decode(one.note, type=Held)
            is_orphan = others is not None and held.by not in others
            if held.node == self._node and (held.by == self._lives.name or is_orphan):
                found[one.interface, one.id] = held
        return found

    def _take(self, name: TaskName, held: Held) -> None:
        if name in self._held:
            return
        rows = [(self._holder.quota_row(row), amount) for row, amount in held.rows.items()]
        self._held[name] = taken = [(row, amount) for row, amount in rows if row is not None]
        for row, amount in taken:
            row.hold(amount)

    def close(self) -> None:
        self._lives.close()
