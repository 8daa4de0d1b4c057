"""What a creating request of DashScope says about its price; golden cases hold how it is adapted."""

import pytest

from aimesh.core.usage import NO_USAGE, Usage
from aimesh.wire.dashscope_video.request import read_request


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            '{"input":{"prompt":"x"},"parameters":{"resolution":"720P","ratio":"16:9","duration":5}}',
            Usage(reported=False, video_resolution="720P", video_ratio="16:9", video_seconds=5.0),
        ),
        (
            '{"input":{"media":[{"type":"video","url":"u"},7]},"parameters":{"size":"1920*1080"}}',
            Usage(reported=False, video_resolution="1080P", video_ratio="16:9", input_video=True),
        ),
        (
            '{"input":{"prompt":"x","audio_url":"u","reference_video_urls":["v"]},"parameters":{}}',
            Usage(reported=False, video_audio=True, input_video=True),
        ),
        (
            '{"input":{"media":[{"type":"first_clip"},{"type":"driving_audio"}]}}',
            Usage(reported=False, video_audio=True, input_video=True),
        ),
        ('{"input":{"audio_url":"u"},"parameters":{"audio":false}}', Usage(reported=False)),
        ('{"input":"x","parameters":[]}', Usage(reported=False)),
        ('{"input":{"media":5},"parameters":{"size":"9*9","resolution":5,"ratio":5}}', Usage(reported=False)),
        ("5", NO_USAGE),
    ],
)
def test_what_a_dashscope_request_says(body: str, expected: Usage) -> None:
    assert read_request(body.encode()) == expected
