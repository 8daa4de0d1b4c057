"""One process that the supervisor started, as the supervisor holds it.

1. The channel is a pair of sockets. The child says ``ready`` on it; that it ends is how either side learns of the
   other's death, however sudden.
2. A child has a process group of its own: Ctrl-C reaches the supervisor alone, which stops the children in order.
3. A child that is not ready after ``READY_S`` is killed.
4. Nothing of the supervisor is inherited but what is in ``sockets``, the order and the standard streams.
"""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence

import msgspec

from aimesh.settings import Source
from aimesh.supervisor.orders import Brief, write_order

READY = b"ready"
LEAVE = b"leave"
SAY = b"say "
READY_S = 60.0
_REAP_S = 0.01
_STANDARD_ERROR = 2

OnEnd = Callable[["Child"], None]


class Child:
    def __init__(
        self,
        module: str,
        brief: Brief,
        *,
        source: Source,
        sockets: Sequence[socket.socket],
        loop: asyncio.AbstractEventLoop,
        on_end: OnEnd,
        on_words: Callable[[str], None],
    ) -> None:
        """``module`` is run with the brief and the configuration. Raises ``OSError``."""
        self._loop = loop
        self._on_end = on_end
        self._on_words = on_words
        self.slot = brief.slot
        self.began_s = loop.time()
        self.is_ready = False
        self.is_asked_to_go = False
        self._read = b""
        self._told: asyncio.Future[None] = loop.create_future()
        self.ended: asyncio.Future[int] = loop.create_future()
        """Its exit code as ``subprocess`` has it: negative for a signal."""
        self._channel, theirs = socket.socketpair()
        order = -1
        try:
            file = "" if source.file is None else str(source.file)
            whole = msgspec.structs.replace(brief, channel=theirs.fileno(), file=file)
            order = write_order(whole, source.text.reveal())
            inherited = (order, theirs.fileno(), *(each.fileno() for each in sockets))
            self._process = subprocess.Popen(  # noqa: S603 - this very interpreter and a module of ours
                [sys.executable, "-P", "-m", module, str(order)],
                stdin=subprocess.DEVNULL,
                # Standard output is for what the command prints.
                stdout=_STANDARD_ERROR,
                pass_fds=inherited,
                process_group=0,
            )
        except OSError:
            self._channel.close()
            raise
        finally:
            theirs.close()
            if order >= 0:
                os.close(order)
        self.pid = self._process.pid
        self._channel.setblocking(False)
        loop.add_reader(self._channel, self._hear)
        self._limit = loop.call_later(READY_S, self.kill)

    async def comes_up(self) -> bool:
        """Waits for ``ready``; False: it ended."""
        await asyncio.wait((self._told, self.ended), return_when=asyncio.FIRST_COMPLETED)
        return self.is_ready

    def leave(self) -> None:
        """Asks it to accept nothing more and to end when its callers have gone."""
        self.is_asked_to_go = True
        with contextlib.suppress(OSError):
            self._channel.send(LEAVE + b"\n")

    def stop(self) -> None:
        """Asks it to end what runs, within its limit, and then itself."""
        self.is_asked_to_go = True
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        # Not reaped before ``ended`` is set, so the number cannot be another process's.
        if not self.ended.done():
            os.kill(self.pid, number)

    def _hear(self) -> None:
        try:
            data = self._channel.recv(4096)
        except BlockingIOError:
            return
        except ConnectionResetError:
            data = b""
        if not data:
            self._loop.remove_reader(self._channel)
            self._channel.close()
            self._reap()
            return
        *lines, self._read = (self._read + data).split(b"\n")
        for line in lines:
            if line == READY:
                self.is_ready = True
                self._limit.cancel()
                self.began_s = self._loop.time()
                if not self._told.done():
                    self._told.set_result(None)
            elif line.startswith(SAY):
                self._on_words(line.removeprefix(SAY).decode("utf-8", errors="replace"))

    def _reap(self) -> None:
        code = self._process.poll()
        if code is None:
            # Its descriptors are closed a moment before it can be waited for.
            self._loop.call_later(_REAP_S, self._reap)
            return
        self._limit.cancel()
        self.ended.set_result(code)
        self._on_end(self)


def how_it_ended(code: int) -> str:
    if code >= 0:
        return f"with status {code}"
    try:
        return f"by {signal.Signals(-code).name}"
    except ValueError:
        return f"by signal {-code}"
