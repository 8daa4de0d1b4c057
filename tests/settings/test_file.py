from pathlib import Path

import pytest

from aimesh.catalog.problem import ConfigError
from aimesh.settings import compile_source, read_source


def test_several_processes_begin_from_the_words_that_were_read_once(tmp_path: Path) -> None:
    file = tmp_path / "aimesh.yaml"
    file.write_text("workers: 3\njournal: {directory: kept}\n")
    environ = {"AIMESH_HOME": str(tmp_path / "home")}
    source = read_source(file, environ)
    file.write_text("workers: [")
    settings = compile_source(source, environ)
    assert settings.workers == 3
    assert settings.file == file
    assert settings.journal_directory == tmp_path / "kept", "relative to the file, wherever it was read"


def test_without_a_file_there_are_the_defaults(tmp_path: Path) -> None:
    environ = {"AIMESH_HOME": str(tmp_path)}
    source = read_source(None, environ)
    assert source.file is None
    assert compile_source(source, environ).file is None


def test_the_words_of_a_file_are_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "aimesh.yaml"
    file.write_text("credentials: {deepseek_cn: a-secret-of-mine}")
    assert "a-secret-of-mine" not in repr(read_source(file, {}))


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_a_problem(content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "aimesh.yaml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError):
        read_source(file, {})
