"""Which processes of a node are alive, told by locks that end with them.

1. A life is a file ``<name>.life`` that its process has locked; the name is new for each process.
2. Of those who ask for the chair, one has it until it dies.
3. Whoever looks removes the files of the dead.
"""

import contextlib
import fcntl
import os
import secrets
from pathlib import Path

_ENDING = ".life"


class Lives:
    """A process's own life, and its view of the others'. Raises ``OSError`` where the directory cannot be written."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._directory = directory
        self._chair = os.open(directory / "chair", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._has_chair = False
        self._is_over = False
        try:
            self.name, self._descriptor = self._begun()
        except OSError:
            os.close(self._chair)
            raise

    def _begun(self) -> tuple[str, int]:
        while True:
            name = secrets.token_hex(8)
            path = self._directory / f"{name}{_ENDING}"
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            # Between the two somebody may have taken it for dead.
            if _locked(descriptor) and path.exists():
                return name, descriptor
            os.close(descriptor)

    def takes_chair(self) -> bool:
        self._has_chair = self._has_chair or _locked(self._chair)
        return self._has_chair

    def others(self) -> set[str]:
        """Names of those who live."""
        found = set()
        for path in self._directory.glob(f"*{_ENDING}"):
            if path.stem != self.name and self._is_alive(path):
                found.add(path.stem)
        return found

    def _is_alive(self, path: Path) -> bool:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            if not _locked(descriptor):
                return True
            path.unlink(missing_ok=True)
            return False
        finally:
            os.close(descriptor)

    def close(self) -> None:
        """A second time it does nothing."""
        if self._is_over:
            return
        self._is_over = True
        with contextlib.suppress(OSError):
            (self._directory / f"{self.name}{_ENDING}").unlink(missing_ok=True)
        os.close(self._descriptor)
        os.close(self._chair)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
