"""The table of sizes, in both spellings."""

import pytest

from aimesh.wire.dashscope_video.sizes import shape_of


@pytest.mark.parametrize(
    ("size", "shape"),
    [
        ("1280*720", ("720P", "16:9")),
        ("720x1280", ("720P", "9:16")),
        ("960X960", ("720P", "1:1")),
        ("1088*832", ("720P", "4:3")),
        ("832*1088", ("720P", "3:4")),
        ("1920*1080", ("1080P", "16:9")),
        ("1080*1920", ("1080P", "9:16")),
        ("1440*1440", ("1080P", "1:1")),
        ("1632*1248", ("1080P", "4:3")),
        ("1248*1632", ("1080P", "3:4")),
    ],
)
def test_a_known_size(size: str, shape: tuple[str, str]) -> None:
    assert shape_of(size) == shape


def test_an_unknown_size() -> None:
    assert shape_of("832*480") is None
