"""What a creating request of Ark says about its price."""

import pytest

from aimesh.core.usage import NO_USAGE, Usage
from aimesh.wire.task.request import read_request


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            '{"content":[],"resolution":"720p","ratio":"16:9","duration":5,"generate_audio":false}',
            Usage(reported=False, video_resolution="720p", video_ratio="16:9", video_seconds=5.0),
        ),
        (
            '{"content":[{"type":"text","text":"a cat --rs 720p --rt 16:9 --dur 5 --seed 11"}]}',
            Usage(
                reported=False,
                video_resolution="720p",
                video_ratio="16:9",
                video_seconds=5.0,
                video_audio=True,
            ),
        ),
        (
            '{"content":[{"type":"text","text":"a --resolution 4K --ratio 1:1 --duration x"}],"resolution":null}',
            Usage(reported=False, video_resolution="4K", video_ratio="1:1", video_audio=True),
        ),
        (
            '{"content":[{"type":"video_url","video_url":{"url":"v"},"role":"reference_video"}],"duration":-1}',
            Usage(reported=False, input_video=True, video_audio=True),
        ),
        (
            '{"content":[{"type":"text","text":"--resolution 1536pro --request_type 3 --ff 2"}]}',
            Usage(reported=False, variant="1536pro+texture", video_audio=True),
        ),
        (
            '{"content":[{"type":"text","text":"--resolution 1536 --request_type 1"}]}',
            Usage(reported=False, variant="1536", video_audio=True),
        ),
        (
            '{"content":[{"type":"text","text":"--frames 57 --dur 5"}]}',
            Usage(reported=False, video_seconds=2.375, video_audio=True),
        ),
        (
            '{"content":[{"type":"text","text":"--frames 57"}],"frames":29,"duration":5}',
            Usage(reported=False, video_seconds=1.208, video_audio=True),
        ),
        ('{"content":[{"type":"text","text":5}],"ratio":5}', Usage(reported=False, video_audio=True)),
        ("[]", NO_USAGE),
        ('{"content":"x"}', NO_USAGE),
    ],
)
def test_what_an_ark_request_says(body: str, expected: Usage) -> None:
    assert read_request(body.encode()) == expected
