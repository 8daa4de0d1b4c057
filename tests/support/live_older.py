"""Older releases of the SDKs, in a directory of their own that shadows the installed ones.

1. Installed once, with hashes, into ``<environment>/older-sdks-<hash of the list>``; a lock keeps xdist workers apart.
2. A half-finished installation is never used: the directory is renamed when it is whole.
3. ``run_again`` runs test files of this suite in a child that finds the older releases first and uses the stack that
   is already there (``STACK``).
"""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support.live import STACK, Live, clean_environment

ROOT = Path(__file__).parents[2]
LIST = ROOT / "tests" / "conformance" / "older_sdks.txt"


def installed() -> Path:
    digest = hashlib.sha256(LIST.read_bytes()).hexdigest()[:12]
    target = Path(sys.prefix) / f"older-sdks-{digest}"
    if not target.is_dir():
        with target.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not target.is_dir():
                _install(target)
    return target


def _install(target: Path) -> None:
    scratch = Path(tempfile.mkdtemp(prefix="older-sdks-", dir=target.parent))
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    try:
        subprocess.run(
            [*command, "--require-hashes", "--target", str(scratch), "-r", str(LIST)],
            check=True,
            capture_output=True,
            text=True,
            timeout=300,
        )
    except subprocess.CalledProcessError as error:
        shutil.rmtree(scratch)
        raise AssertionError(f"cannot install {LIST.name}: {error.stderr}") from error
    scratch.rename(target)


def run_again(live: Live, files: list[str], *, version_of: str, without: str) -> tuple[str, str]:
    """The SDK's version that the child sees, and pytest's last line. Fails with the child's report."""
    directory = installed()
    stack = json.dumps(
        {"url": live.url, "key": live.key, "simulator_url": live.simulator.url, "home": str(live.home)}
    )
    environment = clean_environment(
        {STACK: stack, "PYTHONPATH": os.pathsep.join((str(directory), str(ROOT), str(ROOT / "src")))}
    )
    shown = subprocess.run(
        [sys.executable, "-c", f"import importlib.metadata as m; print(m.version({version_of!r}))"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        "-W",
        "default",
    ]
    if without:
        command += ["-k", f"not ({without})"]
    done = subprocess.run(
        [*command, *[str(ROOT / "tests" / "conformance" / file) for file in files]],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    return shown.stdout.strip(), done.stdout.strip().splitlines()[-1]
