"""The older ``size`` of the wan models, as the ``resolution`` and ``ratio`` that newer models want."""

from typing import NamedTuple


class Shape(NamedTuple):
    resolution: str
    ratio: str


_SHAPES = {
    "1280*720": Shape("720P", "16:9"),
    "720*1280": Shape("720P", "9:16"),
    "960*960": Shape("720P", "1:1"),
    "1088*832": Shape("720P", "4:3"),
    "832*1088": Shape("720P", "3:4"),
    "1920*1080": Shape("1080P", "16:9"),
    "1080*1920": Shape("1080P", "9:16"),
    "1440*1440": Shape("1080P", "1:1"),
    "1632*1248": Shape("1080P", "4:3"),
    "1248*1632": Shape("1080P", "3:4"),
}


def shape_of(size: str) -> Shape | None:
    """``1280*720``; the spelling ``1280x720`` is taken too."""
    return _SHAPES.get(size.lower().replace("x", "*"))
