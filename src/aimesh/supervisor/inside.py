"""The supervisor as its children see it: what they are told, what they tell, and that they do not outlive it.

1. A child stops at SIGTERM or SIGINT, and when the supervisor is gone: the channel ends with it. A second signal
   ends it the usual way.
2. SIGHUP is the supervisor's alone.
"""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

from aimesh.catalog.problem import ConfigError
from aimesh.core.secret import Secret
from aimesh.net.listen import new_event_loop, on_signal
from aimesh.settings import Settings, Source, compile_source
from aimesh.store.database import StoreError
from aimesh.supervisor.child import LEAVE, READY, SAY
from aimesh.supervisor.orders import Brief, read_order

_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Supervision:
    """Made inside the child's running loop."""

    def __init__(self, channel: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._channel = socket.socket(fileno=channel)
        self._channel.setblocking(False)
        self._read = b""
        self.stopped = asyncio.Event()
        self.leaves = asyncio.Event()
        """Set with ``stopped`` as well: who waits for either waits for this."""
        self._loop.add_reader(self._channel, self._hear)
        for number in _STOP_SIGNALS:
            on_signal(self._loop, number, self._stop)

    def ready(self) -> None:
        self._tell(READY)

    def say(self, text: str) -> None:
        """A line for the supervisor's standard error; secrets of a first start go to the operator this way."""
        self._tell(SAY + text.replace("\n", " ").encode())

    def _tell(self, line: bytes) -> None:
        try:
            self._channel.send(line + b"\n")
        except OSError:
            self._stop()

    def _hear(self) -> None:
        try:
            data = self._channel.recv(4096)
        except BlockingIOError:
            return
        except ConnectionResetError:
            data = b""
        if not data:
            self._loop.remove_reader(self._channel)
            self._stop()
            return
        *lines, self._read = (self._read + data).split(b"\n")
        if LEAVE in lines:
            self.leaves.set()

    def _stop(self) -> None:
        for number in _STOP_SIGNALS:
            self._loop.remove_signal_handler(number)
        self.stopped.set()
        self.leaves.set()


Main = Callable[[Brief, Settings, Supervision], Coroutine[Any, Any, None]]


def run_child(main: Main) -> None:
    """The whole life of a child process: its brief is in the descriptor that the command line names."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    brief, text = read_order(int(sys.argv[1]), Brief)
    source = Source(file=Path(brief.file) if brief.file else None, text=Secret(text))

    async def live() -> None:
        supervision = Supervision(brief.channel)
        await main(brief, compile_source(source, own_environment()), supervision)

    try:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(live())
    except ConfigError as error:
        sys.exit("\n".join(map(str, error.problems)))
    except OSError as error:
        sys.exit(f"cannot start: {error.strerror or error}")
    except StoreError as error:
        sys.exit(f"cannot start: {error}")


def own_environment() -> Mapping[str, str]:
    return os.environ  # noqa: TID251 - a process's own beginning is where it enters
