"""A node is a home directory. Its name is made once and kept there, so that several nodes can share a database."""

import os
import secrets
from pathlib import Path


def node_id(home: Path) -> str:
    """Made at the first question. Raises ``OSError``."""
    path = home / "node-id"
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    while True:
        try:
            found = path.read_text().strip()
        except FileNotFoundError:
            found = ""
        if found:
            return found
        fresh = path.with_name(f".node-id.{secrets.token_hex(4)}")
        fresh.write_text(f"{secrets.token_hex(8)}\n")
        try:
            # Whoever is first decides; a link appears complete or not at all.
            os.link(fresh, path)
        except FileExistsError:
            if path.stat().st_size == 0:
                path.unlink()
        finally:
            fresh.unlink()
