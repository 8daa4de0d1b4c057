"""Kinds of text and time that the admin API takes and gives.

1. What is taken has an end, and no character that controls instead of being seen: a database may refuse it, and text
   that turns around shows another name than it is.
2. Times are ISO 8601 in UTC; inside they are wall-clock seconds.
"""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Path
from pydantic import AwareDatetime, Field, SecretStr, StringConstraints

from aimesh.core.secret import Secret

UNSEEN = r"\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069"
"""For a class of characters: controls, other ends of lines, and what changes the direction of text."""
_NO_CONTROL = rf"^[^{UNSEEN}]*$"

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
