import os
import socket
import stat
from pathlib import Path

import pytest

from aimesh.net.listen import bind_unix
from aimesh.supervisor.rundir import InUseError, lock, run_directory, socket_directory


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_directory_is_nobody_elses(tmp_path: Path) -> None:
    home = tmp_path / "deep" / "home"
    run = run_directory(home)
    assert run == home / "run"
    assert (_mode(run), _mode(home)) == (0o700, 0o700)
    run.chmod(0o755)
    assert _mode(run_directory(home)) == 0o700


def test_a_link_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "run").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PermissionError):
        run_directory(tmp_path)


def test_one_supervisor_a_home(tmp_path: Path) -> None:
    run = run_directory(tmp_path)
    held = lock(run)
    with pytest.raises(InUseError, match=str(tmp_path)):
        lock(run)
    os.close(held)
    os.close(lock(run))


def test_sockets_of_a_deep_home_have_short_paths(tmp_path: Path) -> None:
    short, deep = run_directory(tmp_path), run_directory(tmp_path / ("x" * 120))
    assert len(str(short)) > 80 or socket_directory(short) == short
    directory = socket_directory(deep)
    assert directory != deep
    assert directory == socket_directory(deep)
    assert _mode(directory) == 0o700
    with bind_unix(directory / "worker-123.sock") as bound, socket.socket(socket.AF_UNIX) as caller:
        bound.listen(1)
        caller.connect(str(directory / "worker-123.sock"))
    (directory / "worker-123.sock").unlink()
    directory.rmdir()
