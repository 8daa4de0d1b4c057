"""Records that cannot be imported: each in a file of its own, whole, beside the journal.

1. A record is on the disk here before the journal is read past it: it is in one of the two places at any time.
2. The same record is set aside under the same name: once, however often that is done.
3. Whoever wants those that are set aside to be tried again asks for it here; the process that imports sees it.
"""

import os
from collections import Counter
from pathlib import Path

import msgspec
from msgspec import Struct

from aimesh.store.reader import Payload

_SUFFIX = ".record"
_WISH = "retry"


class Rejected(Struct, frozen=True):
    """Content of a file."""

    why: str
    segment: str
    at: int
    data: bytes
    """As the journal had it."""


def set_aside(journal: Path, payload: Payload, why: str) -> Path:
    """Gives the file. Raises ``OSError``."""
    directory = journal / "rejected"
    directory.mkdir(mode=0o700, exist_ok=True)
    path = directory / f"{payload.segment}-{payload.at:010d}{_SUFFIX}"
    unborn = path.with_suffix(".new")
    content = Rejected(why=why, segment=payload.segment, at=payload.at, data=payload.data)
    with unborn.open("wb") as file:
        # JSON gives bytes as base64: what is no text is kept as it is.
        file.write(msgspec.json.encode(content))
        file.flush()
        os.fsync(file.fileno())
    unborn.rename(path)
    descriptor = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return path


def list_rejected(journal: Path) -> list[Path]:
    return sorted((journal / "rejected").glob(f"*{_SUFFIX}"))


def read_rejected(path: Path) -> Rejected | None:
    """None: no such file, or none of ours. Raises ``OSError``."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Rejected)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def reasons(journal: Path) -> dict[str, int]:
    """Why records are set aside, and how many for each. Raises ``OSError``."""
    found = (read_rejected(path) for path in list_rejected(journal))
    return dict(Counter(one.why for one in found if one is not None).most_common())


def ask_for_retry(journal: Path) -> None:
    """Raises ``OSError``."""
    directory = journal / "rejected"
    directory.mkdir(mode=0o700, exist_ok=True)
    (directory / _WISH).touch(mode=0o600)


def is_retry_asked_for(journal: Path) -> bool:
    return (journal / "rejected" / _WISH).exists()


def end_retry(journal: Path) -> None:
    """Raises ``OSError``."""
    (journal / "rejected" / _WISH).unlink(missing_ok=True)
