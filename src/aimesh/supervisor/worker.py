"""``python -m aimesh.supervisor.worker``: a data-plane worker as a child of the supervisor."""

import asyncio
import sys

from aimesh.app import Seat, Worker
from aimesh.core.clock import SystemClock
from aimesh.net.listen import adopt
from aimesh.settings import Settings
from aimesh.supervisor.inside import Supervision, run_child
from aimesh.supervisor.orders import Brief


async def main(brief: Brief, settings: Settings, supervision: Supervision) -> None:
    seat = Seat(
        slot=brief.slot,
        listeners=tuple(map(adopt, brief.listeners)),
        admin=tuple(map(adopt, brief.admin)),
        control=brief.control,
        ledger=brief.ledger,
    )
    worker = Worker(settings, SystemClock(), seat=seat)
    await worker.start()
    supervision.ready()
    await supervision.leaves.wait()
    if not supervision.stopped.is_set():
        leaving = worker.children.start("leave", worker.leave())
        stopped = worker.children.start("wait for a stop", supervision.stopped.wait())
        await asyncio.wait((leaving, stopped), return_when=asyncio.FIRST_COMPLETED)
    broken = await worker.stop()
    if broken:
        print(f"{broken} connections were still busy and were closed", file=sys.stderr)  # noqa: T201 - to the operator


if __name__ == "__main__":
    run_child(main)
