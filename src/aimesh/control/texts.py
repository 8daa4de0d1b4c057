"""Kinds of text and time that the admin API takes and gives.

1. What is taken has no control characters (a database may refuse them) and an end.
2. Times are ISO 8601 in UTC; inside they are wall-clock seconds.
"""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Path
from pydantic import AwareDatetime, Field, SecretStr, StringConstraints

from aimesh.core.secret import Secret

_NO_CONTROL = r"^[^\x00-\x1f\x7f]*$"

Line = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_NO_CONTROL)]
"""One line of text."""
OptionalLine = Annotated[str, StringConstraints(max_length=200, pattern=_NO_CONTROL)]
"""One line of text, or none."""
Slug = Annotated[str, StringConstraints(min_length=1, max_length=63, pattern=r"^[a-z0-9][a-z0-9_-]*$")]
"""A name made for addresses: small letters, digits, ``-`` and ``_``."""
Username = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[\w.@+-]+$")]
"""Letters of any script, digits and ``. _ @ + -``; small and capital letters are the same."""
Password = Annotated[SecretStr, Field(min_length=1, max_length=1024)]
"""Taken, never given."""
Id = Annotated[str, Path(min_length=1, max_length=300, pattern=_NO_CONTROL)]
"""Part of a path that names a thing."""
Time = AwareDatetime
"""With a time zone."""


def shown_time(at_s: float) -> datetime:
    return datetime.fromtimestamp(at_s, UTC)


def shown_time_or_none(at_s: float | None) -> datetime | None:
    return None if at_s is None else shown_time(at_s)


def seconds(at: datetime) -> float:
    return at.timestamp()


def secret(given: SecretStr) -> Secret[str]:
    return Secret(given.get_secret_value())
