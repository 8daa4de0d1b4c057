"""The sockets of a running gateway. The supervisor owns them, so that no caller notices who serves them.

1. A TCP address has one socket per seat, all with SO_REUSEPORT: the kernel spreads callers over those that listen.
   Whoever takes a seat inherits its socket with the callers who wait in its queue.
2. A seat that is vacant for a while is closed, so that its callers go to the others. A further socket that is
   bound and never listens keeps the port for us meanwhile.
3. Before an address is taken, it is tried without SO_REUSEPORT: two gateways never share an address by accident.
4. A unix address has one socket for all seats.
"""

import socket
from collections.abc import Sequence
from pathlib import Path

from aimesh.net.listen import bind_tcp, bind_unix
from aimesh.settings import Address


class Port:
    """One TCP address."""

    def __init__(self, address: Address) -> None:
        """Raises ``OSError``."""
        with bind_tcp(address.host, address.port) as probe:
            self._host, self._port = probe.getsockname()[:2]
        self._keeper = _keeper(self._host, self._port)
        self._seats: dict[int, socket.socket] = {}

    @property
    def name(self) -> str:
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{host}:{self._port}"

    def is_at(self, address: Address) -> bool:
        """Whether this is where the address leads, though it was said in other words (port 0)."""
        return not address.unix and (address.host, address.port) == (self._host, self._port)

    def open(self, seat: int) -> socket.socket:
        if seat not in self._seats:
            self._seats[seat] = bind_tcp(self._host, self._port, reuse_port=True)
        return self._seats[seat]

    def vacate(self, seat: int) -> None:
        if (listener := self._seats.pop(seat, None)) is not None:
            listener.close()

    def close(self) -> None:
        for listener in (self._keeper, *self._seats.values()):
            listener.close()
        self._seats.clear()


def _keeper(host: str, port: int) -> socket.socket:
    try:
        return bind_tcp(host, port, reuse_port=True, reuse_address=False)
    except OSError:
        # Old connections of a gateway that did not share its port still linger; the port is kept less firmly.
        return bind_tcp(host, port, reuse_port=True)


class UnixPort:
    """One unix address."""

    def __init__(self, address: Address) -> None:
        self._path = Path(address.unix)
        self._listener = bind_unix(self._path)

    @property
    def name(self) -> str:
        return f"unix:{self._path}"

    def is_at(self, address: Address) -> bool:
        return address.unix == str(self._path)

    def open(self, _seat: int) -> socket.socket:
        return self._listener

    def vacate(self, _seat: int) -> None:
        """The others serve the same socket."""

    def close(self) -> None:
        self._listener.close()
        self._path.unlink(missing_ok=True)


class Ports:
    """The addresses for callers, in their order."""

    def __init__(self, addresses: Sequence[Address], before: "Ports | None" = None) -> None:
        """What ``before`` holds of these addresses is taken over. Raises ``OSError``; nothing is bound then."""
        held = list(before.by_address.items()) if before is not None else []
        fresh: list[Port | UnixPort] = []
        self.by_address: dict[Address, Port | UnixPort] = {}
        try:
            for address in addresses:
                known = [port for given, port in held if given == address or port.is_at(address)]
                if known:
                    port = known[0]
                else:
                    port = UnixPort(address) if address.unix else Port(address)
                    fresh.append(port)
                self.by_address[address] = port
        except OSError:
            for port in fresh:
                port.close()
            raise

    @property
    def names(self) -> list[str]:
        return [port.name for port in self.by_address.values()]

    def open(self, seat: int) -> list[socket.socket]:
        """The sockets of a seat. Raises ``OSError``."""
        return [port.open(seat) for port in self.by_address.values()]

    def vacate(self, seat: int) -> None:
        for port in self.by_address.values():
            port.vacate(seat)

    def close(self, but: "Ports | None" = None) -> None:
        """Closes all, or those that ``but`` did not take over."""
        kept = list(but.by_address.values()) if but is not None else []
        for port in self.by_address.values():
            if port not in kept:
                port.close()
