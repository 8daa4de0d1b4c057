"""How many tokens a Seedance film has whose upstream did not say: an estimate, by its size and length.

The sizes are those of the 2.0 family (Ark's documentation 82379/1520757); the ones of older models differ by a few in a
hundred. Seconds of an input film, which are billed too, are not known here.
"""

from typing import NamedTuple

_FRAMES_PER_SECOND = 24


class Size(NamedTuple):
    width: int
    height: int


_LANDSCAPE = {
    "480p": {"16:9": Size(864, 496), "4:3": Size(752, 560), "1:1": Size(640, 640), "21:9": Size(992, 432)},
    "720p": {"16:9": Size(1280, 720), "4:3": Size(1112, 834), "1:1": Size(960, 960), "21:9": Size(1470, 630)},
    "1080p": {
        "16:9": Size(1920, 1080),
        "4:3": Size(1664, 1248),
        "1:1": Size(1440, 1440),
        "21:9": Size(2206, 946),
    },
    "4k": {
        "16:9": Size(3840, 2160),
        "4:3": Size(3326, 2494),
        "1:1": Size(2880, 2880),
        "21:9": Size(4398, 1886),
    },
}


def estimate_tokens(resolution: str, ratio: str, seconds: float) -> int:
    """0 where the size is unknown. A ratio that the upstream chose counts as 16:9."""
    sizes = _LANDSCAPE.get(resolution.lower())
    if sizes is None:
        return 0
    across, _, along = ratio.partition(":")
    # A portrait is its landscape turned round.
    size = sizes.get(ratio) or sizes.get(f"{along}:{across}") or sizes["16:9"]
    return int(size.width * size.height * _FRAMES_PER_SECOND * seconds / 1024)
