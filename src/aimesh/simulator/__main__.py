"""``python -m aimesh.simulator --port 0 --json``: the simulator as a process of its own.

With ``--json`` it prints one line ``{"url", "pid"}`` when it is ready. It ends on SIGTERM and SIGINT.
"""

import argparse
import asyncio
import json
import os
import signal
import sys

from aimesh.net.listen import new_event_loop, on_signal
from aimesh.simulator.app import Simulator
from aimesh.simulator.world import Settings


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m aimesh.simulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print one JSON line when ready")
    parser.add_argument("--task-seconds", type=float, default=1.2)
    parser.add_argument("--chunk-delay-ms", type=float, default=0.0)
    options = parser.parse_args(arguments)
    settings = Settings(task_s=options.task_seconds, chunk_delay_ms=options.chunk_delay_ms)
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(_serve(options.host, options.port, settings, as_json=options.json))
    return 0


async def _serve(host: str, port: int, settings: Settings, *, as_json: bool) -> None:
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        on_signal(loop, number, stopped.set)
    simulator = Simulator(settings)
    bound = await simulator.start(host, port)
    url = f"http://{f'[{host}]' if ':' in host else host}:{bound}"
    line = json.dumps({"url": url, "pid": os.getpid()}) if as_json else f"simulated providers at {url}"
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
    await stopped.wait()
    await simulator.stop()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
