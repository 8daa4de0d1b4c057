"""``aimesh serve`` up to the point where it serves; what comes then is in ``tests/chaos``."""

import subprocess
import sys
from pathlib import Path

from tests.support.live import clean_environment


def serve(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "aimesh.cli.main", "serve", *arguments],
        check=False,
        env=clean_environment({"AIMESH_HOME": str(home)}),
        capture_output=True,
        text=True,
        timeout=30,
    )


def test_a_bad_configuration_is_told_line_by_line_and_nothing_starts(tmp_path: Path) -> None:
    file = tmp_path / "aimesh.yaml"
    file.write_text("listen: ['127.0.0.1:0']\ntimeoutz: {}\nworkers: -1\n")
    home = tmp_path / "home"
    ended = serve(home, "--config", str(file))
    assert ended.returncode == 1
    assert f"{file}:2:1" in ended.stderr
    assert f"{file}:3:" in ended.stderr
    assert "2 problems; nothing was started" in ended.stderr
    assert ended.stdout == ""
    assert not home.exists()


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    ended = serve(tmp_path, "--config", str(tmp_path / "gone.yaml"))
    assert ended.returncode == 1
    assert "gone.yaml" in ended.stderr
    assert "1 problem; nothing was started" in ended.stderr


def test_a_wrong_number_of_workers_is_a_wrong_command_line(tmp_path: Path) -> None:
    assert serve(tmp_path, "--workers", "257").returncode == 2


def test_a_home_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ended = serve(tmp_path / "file" / "home")
    assert ended.returncode == 1
    assert "cannot start" in ended.stderr
    assert "Traceback" not in ended.stderr
