"""Estimates of tokens; the published examples are of 16:9 and five seconds."""

import pytest

from aimesh.wire.task.pixels import estimate_tokens


@pytest.mark.parametrize(
    ("resolution", "ratio", "seconds", "tokens"),
    [
        ("480p", "16:9", 5, 50_220),
        ("720p", "16:9", 5, 108_000),
        ("720P", "9:16", 5, 108_000),
        ("1080p", "1:1", 2.5, 121_500),
        ("720p", "adaptive", 5, 108_000),
        ("4K", "21:9", 4, 777_621),
        ("", "16:9", 5, 0),
        ("900p", "16:9", 5, 0),
    ],
)
def test_tokens_of_a_film(resolution: str, ratio: str, seconds: float, tokens: int) -> None:
    assert estimate_tokens(resolution, ratio, seconds) == tokens
