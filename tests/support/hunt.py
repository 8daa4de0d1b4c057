"""Looks for secrets in the clear: in bytes, files, processes' command lines, and databases.

1. A secret is looked for as it is and as it stands in URLs, JSON, base64 and hex.
2. What is found is told as ``name in place``, never with the secret itself.
"""

import base64
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

import psycopg
from psycopg import sql

from aimesh.store.tables import METADATA


class Hunt:
    """Secrets by name."""

    def __init__(self) -> None:
        self._forms: dict[str, set[bytes]] = {}

    def add(self, name: str, secret: str) -> None:
        assert len(secret) >= 8, f"{name} is too short to be looked for"
        self._forms[name] = set(forms_of(secret))

    @property
    def names(self) -> list[str]:
        return sorted(self._forms)

    def in_bytes(self, data: bytes, place: str, *, but: Iterable[str] = ()) -> list[str]:
        """``but``: names of what may be there."""
        allowed = set(but)
        return [
            f"{name} in {place}"
            for name, forms in self._forms.items()
            if name not in allowed and any(form in data for form in forms)
        ]

    def in_files(self, root: Path, *, but: dict[str, set[str]] | None = None) -> list[str]:
        """In every file below ``root`` and in their names. ``but``: name of a file to what it may hold."""
        found: list[str] = []
        for path in sorted(root.rglob("*")):
            found += self.in_bytes(str(path.relative_to(root)).encode(), f"the name of {path}")
            if path.is_file() and not path.is_symlink():
                allowed = (but or {}).get(path.name, set())
                found += self.in_bytes(read_if_there(path), str(path.relative_to(root)), but=allowed)
        return found

    def in_commands(self, pids: Iterable[int]) -> list[str]:
        """In command lines and names of processes and their threads."""
        found: list[str] = []
        for pid in pids:
            for path in (Path(f"/proc/{pid}/cmdline"), *Path(f"/proc/{pid}/task").glob("*/comm")):
                found += self.in_bytes(read_if_there(path), str(path))
        return found

    def in_environments(self, pids: Iterable[int], *, but: Iterable[str] = ()) -> list[str]:
        found: list[str] = []
        for pid in pids:
            found += self.in_bytes(read_if_there(Path(f"/proc/{pid}/environ")), f"environ of {pid}", but=but)
        return found

    def in_postgres(self, url: str) -> list[str]:
        """In every row of every table."""
        return [one for table, rows in rows_of(url) for one in self.in_bytes(rows, f"table {table}")]


def forms_of(secret: str) -> Iterator[bytes]:
    plain = secret.encode()
    yield plain
    yield quote(secret, safe="").encode()
    yield quote_plus(secret).encode()
    yield json.dumps(secret)[1:-1].encode()
    for slash in ("\\/", "\\\\/"):
        # JSON as some write it, and that within JSON.
        yield json.dumps(secret)[1:-1].replace("/", slash).encode()
    yield plain.hex().encode()
    # Base64 of it at each place within other text: what does not depend on the neighbours.
    for shift in range(3):
        whole = base64.b64encode(b"\0" * shift + plain + b"\0\0\0").decode()
        start = -(-shift * 8 // 6)
        inner = whole[start : (shift + len(plain)) * 8 // 6]
        yield inner.encode()
        yield inner.replace("+", "-").replace("/", "_").encode()


def rows_of(url: str) -> Iterator[tuple[str, bytes]]:
    """Each table of a PostgreSQL database as text; bytes in hex."""
    with psycopg.connect(url) as connection:
        for table in METADATA.tables:
            query = sql.SQL("SELECT t::text FROM {} AS t").format(sql.Identifier(table))
            rows = connection.execute(query).fetchall()
            yield table, "\n".join(str(row[0]) for row in rows).encode()


def read_if_there(path: Path) -> bytes:
    """Files come and go while they are looked at."""
    try:
        return path.read_bytes()
    except OSError:
        return b""
