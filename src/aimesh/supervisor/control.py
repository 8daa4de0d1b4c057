"""``python -m aimesh.supervisor.control``: the control process as a child of the supervisor.

It yields to the data plane: on a busy machine the workers come first.
"""

import os
from urllib.parse import urlsplit

from aimesh.control import process
from aimesh.settings import Settings
from aimesh.supervisor.inside import Supervision, run_child
from aimesh.supervisor.orders import Brief

_NICENESS = 5


async def main(brief: Brief, settings: Settings, supervision: Supervision) -> None:
    (descriptor,) = brief.listeners
    told = process.Supervision(
        stopped=supervision.stopped,
        ready=supervision.ready,
        say=supervision.say,
        address=public_address(settings, brief.address),
    )
    await process.run_control(settings, descriptor, told)


def public_address(settings: Settings, listened: str) -> str:
    """The origin of the first region that the settings name, else where the gateway listens."""
    if settings.regions:
        parts = urlsplit(settings.regions[0].base_url)
        return f"{parts.scheme}://{parts.netloc}"
    host, _, port = listened.rpartition(":")
    # Every address is no address to go to.
    return f"http://{'127.0.0.1' if host in ('0.0.0.0', '[::]') else host}:{port}"  # noqa: S104 - compared, not bound


if __name__ == "__main__":
    os.nice(_NICENESS)
    run_child(main)
