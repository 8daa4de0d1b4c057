"""Where the running processes of a home meet: ``<home>/run``, nobody else's to enter.

One supervisor per home: it holds a lock there, which the system takes from it however it ends. Paths of unix sockets
are short by law of the system (108 bytes); for a home that lies too deep they are in a directory of the same kind
below the system's directory for temporary files.
"""

import fcntl
import os
import stat
import tempfile
from hashlib import sha256
from pathlib import Path

_LONGEST = 100
_NAME = "worker-999.sock"


class InUseError(Exception):
    """Another supervisor has this home."""


def run_directory(home: Path) -> Path:
    """Made if need be. Raises ``OSError``."""
    run = home / "run"
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    return _own(run)


def socket_directory(run: Path) -> Path:
    """Where the unix sockets are. Raises ``OSError``."""
    if len(os.fsencode(run / _NAME)) <= _LONGEST:
        return run
    name = sha256(os.fsencode(run.resolve())).hexdigest()[:12]
    return _own(Path(tempfile.gettempdir()) / f"aimesh-{os.getuid()}-{name}")


def _own(directory: Path) -> Path:
    directory.mkdir(mode=0o700, exist_ok=True)
    seen = directory.lstat()
    if not stat.S_ISDIR(seen.st_mode) or seen.st_uid != os.getuid():
        raise PermissionError(f"{directory} is not a directory of this user")
    directory.chmod(0o700)
    return directory


def lock(run: Path) -> int:
    """A descriptor that holds the lock while it is open. Raises ``InUseError``."""
    descriptor = os.open(run / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise InUseError(f"another aimesh runs in {run.parent}") from None
    return descriptor
