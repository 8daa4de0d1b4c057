"""``python -m aimesh.supervisor``: the process that ``aimesh serve`` and ``aimesh demo`` become.

A process of its own kind, because the command line's libraries are no use to what runs for months.
"""

import asyncio
import sys

from aimesh.catalog.problem import ConfigError
from aimesh.net.listen import new_event_loop
from aimesh.supervisor.orders import Order, read_order
from aimesh.supervisor.rundir import InUseError
from aimesh.supervisor.supervisor import Loaded, Supervisor, load


def main() -> int:
    order, _ = read_order(int(sys.argv[1]), Order)
    try:
        loaded = load(order.config)
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            return runner.run(_run(order, loaded))
    except ConfigError as error:
        count = len(error.problems)
        problems = "\n".join(map(str, error.problems))
        return _refused(f"{problems}\n{count} problem{'s' if count > 1 else ''}; nothing was started")
    except InUseError as error:
        return _refused(f"cannot start: {error}")
    except OSError as error:
        return _refused(f"cannot start: {error.strerror or error}")


async def _run(order: Order, loaded: Loaded) -> int:
    return await Supervisor(order, loaded).run()


def _refused(why: str) -> int:
    sys.stderr.write(why + "\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
