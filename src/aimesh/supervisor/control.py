"""``python -m aimesh.supervisor.control``: the control process as a child of the supervisor.

It yields to the data plane: on a busy machine the workers come first.
"""

import os

from aimesh.control import process
from aimesh.settings import Settings
from aimesh.supervisor.inside import Supervision, run_child
from aimesh.supervisor.orders import Brief

_NICENESS = 5


async def main(brief: Brief, settings: Settings, supervision: Supervision) -> None:
    (descriptor,) = brief.listeners
    told = process.Supervision(stopped=supervision.stopped, ready=supervision.ready)
    await process.run_control(settings, descriptor, told)


if __name__ == "__main__":
    os.nice(_NICENESS)
    run_child(main)
