"""Pictures, by the official SDKs."""

import asyncio
import base64
import json
from typing import Any

import pytest
from openai import OpenAI
from tests.simulator.test_media import png_rows
from tests.support.simulation import LiveSimulator, dechunked
from volcenginesdkarkruntime import Ark, AsyncArk
from volcenginesdkarkruntime.types.images import SequentialImageGenerationOptions

PATH = "/ark/api/v3/images/generations"


def ark(sim: LiveSimulator) -> Ark:
    return Ark(base_url=sim.url + "/ark/api/v3", api_key="k", max_retries=0)


def test_openai_url_base64_and_stream(sim: LiveSimulator) -> None:
    with OpenAI(base_url=sim.url + "/v1", api_key="k") as client:
        linked = client.images.generate(model="dall-e-3", prompt="p", size="512x512", n=2)
        packed = client.images.generate(model="gpt-image-1", prompt="p", size="auto")
        stream: Any = client.images.generate(
            model="gpt-image-1", prompt="p", size="256x256", stream=True, partial_images=2
        )
        events = list(stream)
    urls = [picture.url or "" for picture in linked.data or []]
    assert len(set(urls)) == 2
    assert all(png_rows(sim.get(url))[:2] == (512, 512) for url in urls)
    assert png_rows(base64.b64decode((packed.data or [])[0].b64_json or ""))[:2] == (1024, 1024)
    assert packed.usage is not None
    assert packed.usage.total_tokens == packed.usage.input_tokens + packed.usage.output_tokens
    assert [event.type for event in events] == ["image_generation.partial_image"] * 2 + [
        "image_generation.completed"
    ]
    assert events[-1].usage.output_tokens == 256


def test_openai_refusals(sim: LiveSimulator) -> None:
    for change in ({"prompt": None}, {"n": 0}, {"size": "huge"}, {"size": "9000x9000"}, {"model": None}):
        status, _, answer = sim.post("/v1/images/generations", {"model": "m", "prompt": "p"} | change)
        assert (status, "message" in json.loads(answer)["error"]) == (400, True)


def test_ark_url_and_base64(sim: LiveSimulator) -> None:
    client = ark(sim)
    linked: Any = client.images.generate(model="doubao-seedream-4.0", prompt="p", size="1024x1024")
    packed: Any = client.images.generate(
        model="doubao-seedream-4-5-251128", prompt="p", size="2K", response_format="b64_json"
    )
    assert linked.model == "doubao-seedream-4-0-250828"
    assert png_rows(sim.get(linked.data[0].url))[:2] == (1024, 1024)
    assert linked.data[0].size == "1024x1024"
    assert png_rows(base64.b64decode(packed.data[0].b64_json))[:2] == (2048, 2048)
    assert (packed.usage.generated_images, packed.usage.output_tokens) == (1, 2048 * 2048 // 256)


def test_ark_stream(sim: LiveSimulator) -> None:
    asked: Any = {
        "model": "doubao-seedream-4.0",
        "prompt": "p",
        "stream": True,
        "sequential_image_generation": "auto",
        "sequential_image_generation_options": SequentialImageGenerationOptions(max_images=2),
    }
    whole: Any = ark(sim).images.generate(**asked)
    kinds = [event.type for event in whole]

    async def stream() -> list[Any]:
        async with AsyncArk(base_url=sim.url + "/ark/api/v3", api_key="k") as client:
            answer: Any = await client.images.generate(**asked)
            return [event async for event in answer]

    events = asyncio.run(stream())
    assert kinds == [event.type for event in events]
    assert kinds == ["image_generation.partial_succeeded"] * 2 + ["image_generation.completed"]
    assert events[-1].usage["generated_images"] == 2
    assert [event.image_index for event in events[:2]] == [0, 1]


def test_ark_moderated_picture(sim: LiveSimulator) -> None:
    body = {
        "model": "doubao-seedream-4.0",
        "prompt": "a moderated picture",
        "sequential_image_generation": "auto",
    }
    answer = json.loads(sim.post(PATH, body)[2])
    alone = json.loads(sim.post(PATH, body | {"sequential_image_generation": "disabled"})[2])
    stream, is_ended = dechunked(sim.post(PATH, body | {"stream": True})[2])
    assert ["url" in picture for picture in answer["data"]] == [True, False]
    assert answer["usage"]["generated_images"] == 1
    assert alone["error"]["code"] == alone["data"][0]["error"]["code"]
    assert alone["usage"]["generated_images"] == 0
    assert is_ended
    assert b"event: image_generation.partial_failed" in stream


@pytest.mark.parametrize(
    ("model", "size", "status"),
    [
        ("doubao-seedream-4.0", "1024x1024", 200),
        ("doubao-seedream-4.0", "1K", 200),
        ("doubao-seedream-4-0-250828", "3K", 400),
        ("doubao-seedream-4.5", "1024x1024", 400),
        ("doubao-seedream-4-5-251128", "1024x1024", 400),
        ("doubao-seedream-5.0-lite", "1024x1024", 400),
        ("doubao-seedream-5-0-260128", "1K", 400),
        ("doubao-seedream-5-0-lite-260128", "3k", 200),
        ("doubao-seedream-5.0-lite", "2048x2048", 200),
        ("doubao-seedream-4.5", "4096x4096", 200),
        ("doubao-seedream-4.0", "8192x4096", 400),
        ("doubao-seedream-4.0", "8192x128", 400),
        ("doubao-seedream-4.0", "big", 400),
    ],
)
def test_ark_sizes(sim: LiveSimulator, model: str, size: str, status: int) -> None:
    got, _, answer = sim.post(PATH, {"model": model, "prompt": "p", "size": size})
    assert got == status
    if status == 400:
        error = json.loads(answer)["error"]
        assert (error["code"], error["type"]) == ("InvalidParameter", "")
        assert "size" in error["message"]


def test_ark_refusals(sim: LiveSimulator) -> None:
    good: dict[str, Any] = {"model": "doubao-seedream-4.0", "prompt": "p"}
    cases: list[tuple[dict[str, Any], str]] = [
        ({"n": 1}, "InvalidParameter.UnsupportedParameter"),
        ({"prompt": None}, "MissingParameter"),
        ({"response_format": "png"}, "InvalidParameter"),
        (
            {
                "sequential_image_generation": "auto",
                "sequential_image_generation_options": {"max_images": 16},
            },
            "InvalidParameter",
        ),
    ]
    for change, code in cases:
        status, _, answer = sim.post(PATH, good | change)
        assert (status, json.loads(answer)["error"]["code"]) == (400, code)
    assert sim.post(PATH, good | {"n": None})[0] == 200
