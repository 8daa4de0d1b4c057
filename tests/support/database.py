"""A database for one test."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aimesh.store.database import Database, default_url, open_database


@contextmanager
def opened_database(home: Path) -> Iterator[Database]:
    database = open_database(default_url(home))
    try:
        yield database
    finally:
        database.close()
