"""Where an upstream lives: one connection pool each."""

from msgspec import Struct


class Origin(Struct, frozen=True):
    host: str
    port: int
    tls: bool
