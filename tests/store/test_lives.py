"""Who is alive is told by locks: of this process's own openings here, of other processes in the chaos tests."""

from pathlib import Path

import pytest

from aimesh.store.lives import Lives


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "run" / "tasks"


def test_a_life_is_seen_until_it_ends(directory: Path) -> None:
    one, two, three = Lives(directory), Lives(directory), Lives(directory)
    assert one.others() == {two.name, three.name}
    two.close()
    two.close()
    assert one.others() == {three.name}
    three.close()
    assert one.others() == set()
    one.close()
    assert sorted(path.name for path in directory.iterdir()) == ["chair"]


def test_the_files_of_the_dead_are_removed(directory: Path) -> None:
    one = Lives(directory)
    (directory / "0123456789abcdef.life").touch()
    assert one.others() == set()
    assert not (directory / "0123456789abcdef.life").exists()
    one.close()


def test_the_chair_is_one_s_until_the_end(directory: Path) -> None:
    one, two = Lives(directory), Lives(directory)
    assert one.takes_chair()
    assert not two.takes_chair()
    assert one.takes_chair()
    one.close()
    assert two.takes_chair()
    two.close()
