"""Where an upstream lives: one connection pool each."""

from msgspec import Struct


class Origin(Struct, frozen=True):
    host: str
    port: int
    tls: bool
    unix: str = ""
    """Path of a unix socket, which is then where the connection goes; no proxy and no guard is asked."""
