"""What one process tells another at its start: written to a file without a name, read from an inherited descriptor.

Command lines are for everybody to read, and the environment is inherited by all; an order is neither.
"""

import os
import tempfile
from typing import TypeVar

import msgspec
from msgspec import Struct

T = TypeVar("T")

URL_MARK = "{url}"
"""Stands in a greeting for the address."""


class Order(Struct, frozen=True):
    """To the supervisor, by the command that becomes it."""

    config: str = ""
    """``aimesh.yaml``; empty: the usual places."""
    workers: int | None = None
    """Instead of the setting."""
    simulator: int = -1
    """Descriptor of a bound socket on which a simulator is to run as well."""
    greeting: str = ""
    """Printed on standard output once calls are served, with the address for ``URL_MARK``; empty: the usual lines."""


class Brief(Struct, frozen=True):
    """To a child, by the supervisor."""

    channel: int = -1
    """Descriptor of the connection to the supervisor."""
    file: str = ""
    """Of the configuration; its text follows the brief."""
    slot: int = 0
    listeners: tuple[int, ...] = ()
    admin: tuple[int, ...] = ()
    control: str = ""
    ledger: str = ""
    """See ``app.Seat``."""
    address: str = ""
    """Where callers are served: ``host:port``."""


def write_order(order: Order | Brief, text: str = "") -> int:
    """A descriptor to be inherited and given to ``read_order``; the caller closes its own."""
    with tempfile.TemporaryFile() as file:
        file.write(msgspec.json.encode(order) + b"\n" + text.encode())
        file.seek(0)
        return os.dup(file.fileno())


def read_order(descriptor: int, kind: type[T]) -> tuple[T, str]:
    """The order and the text that follows it."""
    with os.fdopen(descriptor, "rb") as file:
        order, _, text = file.read().partition(b"\n")
    return msgspec.json.decode(order, type=kind), text.decode()
