"""``aimesh serve`` and ``aimesh simulate``: the processes that stay.

1. ``serve`` becomes the supervisor: same process, without the libraries of the command line. What it is to do travels
   in a file without a name, for command lines are for everybody to read.
2. SIGTERM and SIGINT drain and end; a second one ends at once. SIGHUP reads the configuration again.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Mapping
from typing import Annotated, Any, NoReturn

import typer

from aimesh.cli.inspect import ConfigOption
from aimesh.cli.output import fail
from aimesh.net.listen import new_event_loop, on_signal
from aimesh.simulator.app import Simulator
from aimesh.supervisor.orders import Order, write_order

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def serve(
    config: ConfigOption = None,
    *,
    workers: Annotated[
        int | None,
        typer.Option(min=0, max=256, help="Data-plane processes, instead of the setting; 0: one per core."),
    ] = None,
) -> None:
    """Run the gateway with aimesh.yaml, until SIGTERM. SIGHUP reads the file again."""
    order = Order(config=str(config) if config is not None else "", workers=workers)
    become_supervisor(order, os.environ)  # noqa: TID251 - handed on, not read


def become_supervisor(order: Order, environ: Mapping[str, str]) -> NoReturn:
    """This process goes on as ``aimesh.supervisor``. What it inherits besides is in the order."""
    descriptor = write_order(order)
    os.set_inheritable(descriptor, True)
    if order.simulator >= 0:
        os.set_inheritable(order.simulator, True)
    sys.stdout.flush()
    sys.stderr.flush()
    command = [sys.executable, "-P", "-m", "aimesh.supervisor", str(descriptor)]
    os.execve(sys.executable, command, dict(environ))  # noqa: S606 - this very interpreter and a module of ours


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
