"""What whoever imports a journal says of itself, in a file beside the journal.

For those who ask while the database is away, and for the supervisor, which does not open it; nothing is imported by it.
"""

from pathlib import Path

import msgspec
from msgspec import Struct


class ImportNote(Struct, frozen=True, omit_defaults=True):
    node: str
    positions: dict[str, int]
    """Committed."""
    at_s: float
    done_at_s: float = 0.0
    """When there was nothing more to import; everything before is in the database. 0: not since it began."""
    imported: int = 0
    """Records, since the process began."""
    rejected: int = 0
    """Records that are set aside."""
    problem: str = ""


_NOTE = "import.json"


def write_note(journal: Path, note: ImportNote) -> None:
    """Raises ``OSError``."""
    fresh = journal / f".{_NOTE}"
    fresh.write_bytes(msgspec.json.encode(note))
    fresh.rename(journal / _NOTE)


def read_note(journal: Path) -> ImportNote | None:
    try:
        return msgspec.json.decode((journal / _NOTE).read_bytes(), type=ImportNote)
    except (OSError, msgspec.DecodeError):
        return None
