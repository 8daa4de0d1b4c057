"""Listening sockets, the event loop, file limits and stop signals: what a process sets up once.

1. A socket made here is bound and not yet listening; ``Server.listen`` starts it.
2. The file limit is raised as far as the system lets us, never lowered.
"""

import asyncio
import resource
import signal
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import uvloop

BACKLOG = 4096

Listener = socket.socket
"""For rooms that hand sockets on and otherwise know nothing of them."""


def new_event_loop() -> asyncio.AbstractEventLoop:
    return uvloop.new_event_loop()


def bind_tcp(host: str, port: int, *, reuse_port: bool = False, reuse_address: bool = True) -> socket.socket:
    """A bound TCP socket; port 0: the system chooses. ``reuse_port`` lets several workers share the port; without
    ``reuse_address`` nobody else gets it, even while nobody listens."""
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, kind, protocol, _, address = found[0]
    listener = socket.socket(family, kind, protocol)
    try:
        if reuse_address:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuse_port:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if host in ("", "::") else 1)
        listener.setblocking(False)
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    return listener


def bind_unix(path: Path, *, mode: int = 0o600) -> socket.socket:
    """A bound unix socket. One left by a dead process is replaced; anything else at the path is an error."""
    if path.exists():
        if not stat.S_ISSOCK(path.stat().st_mode):
            raise FileExistsError(f"{path} exists and is not a socket")
        path.unlink()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.setblocking(False)
        listener.bind(str(path))
        path.chmod(mode)
    except OSError:
        listener.close()
        raise
    return listener


def adopt(descriptor: int) -> Listener:
    """A socket that this process inherited."""
    return socket.socket(fileno=descriptor)


def raise_file_limit(wanted: int = 65_536) -> int:
    """Raises the soft limit of open files to ``wanted`` or to what the hard limit allows, and gives it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    target = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft == resource.RLIM_INFINITY or soft >= target:
        return soft if soft != resource.RLIM_INFINITY else wanted
    resource.setrlimit(resource.RLIMIT_NOFILE, (target, hard))
    return target


def on_signal(loop: asyncio.AbstractEventLoop, number: signal.Signals, action: Callable[[], None]) -> None:
    """Calls ``action`` on the loop's thread whenever the signal comes."""
    loop.add_signal_handler(number, action)
