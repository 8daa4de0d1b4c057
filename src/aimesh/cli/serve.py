"""``aimesh serve`` and ``aimesh simulate``: the processes that stay.

SIGTERM and SIGINT drain and end; a second one ends at once. SIGHUP reads the configuration again.
"""

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer

from aimesh.app import Worker
from aimesh.catalog.problem import ConfigError
from aimesh.cli.inspect import ConfigOption, load_settings
from aimesh.cli.output import fail
from aimesh.core.clock import SystemClock
from aimesh.net.listen import new_event_loop, on_signal
from aimesh.settings import Settings, compile_settings
from aimesh.simulator.app import Simulator

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def serve(config: ConfigOption = None) -> None:
    """Run the gateway with aimesh.yaml, until SIGTERM. SIGHUP reads the file again."""
    settings = load_settings(config)
    run(lambda: _serve(settings, config))


def simulate(
    port: Annotated[int, typer.Option(help="Port on loopback; 0: any free one.")] = 8610,
) -> None:
    """Run the provider simulator alone: OpenAI, Anthropic, DashScope and Ark upstreams on loopback."""
    run(lambda: _simulate(port))


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Runs a coroutine on the fast loop."""
    try:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(main())
    except OSError as error:
        fail(f"cannot start: {error.strerror or error}")


async def _serve(settings: Settings, config: Path | None) -> None:
    worker = Worker(settings, SystemClock())
    addresses = await worker.start()
    loop = asyncio.get_running_loop()
    on_signal(loop, signal.SIGHUP, lambda: _reload(worker, config))
    for address in addresses:
        shown = address if address.startswith("unix:") else f"http://{address}/gateway"
        typer.echo(f"aimesh listens at {shown}", err=True)
    await until_stopped()
    broken = await worker.stop()
    if broken:
        typer.echo(f"{broken} connections were still busy and were closed", err=True)


def _reload(worker: Worker, config: Path | None) -> None:
    try:
        worker.reload(compile_settings(config, os.environ))  # noqa: TID251 - the command is where it enters
    except ConfigError as error:
        typer.echo(f"reload refused, the old configuration stays:\n{error}", err=True)
    else:
        typer.echo("configuration read again", err=True)


async def until_stopped() -> None:
    """Waits for a stop signal; a second one kills the process the usual way."""
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in STOP_SIGNALS:
        on_signal(loop, number, stopped.set)
    await stopped.wait()
    for number in STOP_SIGNALS:
        loop.remove_signal_handler(number)


async def _simulate(port: int) -> None:
    simulator = Simulator()
    bound = await simulator.start("127.0.0.1", port)
    typer.echo(f"the simulator listens at http://127.0.0.1:{bound}; every credential is good", err=True)
    await until_stopped()
    await simulator.stop()
