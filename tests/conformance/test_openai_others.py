"""The openai SDK for Python: models, embeddings, pictures."""

import base64
import math
from typing import Any

import openai
import pytest
from tests.support.live import Live, SimulatorControl
from tests.support.live_clients import drive, openai_async, openai_client
from tests.support.live_media import check_picture, download

pytestmark = pytest.mark.conformance

VECTORS = "qwen/text-embedding-v4"


def check_vector(vector: Any, size: int) -> None:
    assert len(vector) == size
    assert all(isinstance(number, float) for number in vector)
    assert math.isclose(math.sqrt(sum(number * number for number in vector)), 1.0, rel_tol=1e-3)


@pytest.mark.parametrize("door", ["/v1", "/api/v3"])
def test_models_list_and_retrieve(live: Live, door: str) -> None:
    with openai_client(live, door) as client:
        listed = list(client.models.list())
        one = client.models.retrieve("qwen/qwen3.7-max")
    names = [model.id for model in listed]
    assert len(names) == len(set(names))
    assert {"qwen/qwen3.7-max", "doubao-seed-2.0-pro", "anthropic/claude-opus-4.6", "Hyper3d-Gen2"} <= set(
        names
    )
    assert all(model.created > 0 and model.owned_by for model in listed)
    assert one == next(model for model in listed if model.id == one.id)


def test_models_async(live: Live) -> None:
    async def main() -> tuple[list[str], str]:
        async with openai_async(live) as client:
            names = [model.id async for model in client.models.list()]
            return names, (await client.models.retrieve("doubao-seed-2.0-pro")).id

    names, name = drive(main())
    assert name in names


def test_an_unknown_model_is_not_found(live: Live) -> None:
    with openai_client(live) as client, pytest.raises(openai.NotFoundError) as caught:
        client.models.retrieve("nobody/nothing")
    assert caught.value.status_code == 404
    assert caught.value.code == "GATEWAY_MODEL_NOT_RESOLVED"


def test_a_slash_in_a_models_name_may_come_undecoded(live: Live) -> None:
    with openai_client(live) as client:
        plain: Any = client.get("/models/qwen/qwen3.7-max", cast_to=object)
        escaped: Any = client.get("/models/qwen%2Fqwen3.7-max", cast_to=object)
    assert plain == escaped
    assert plain["id"] == "qwen/qwen3.7-max"


@pytest.mark.parametrize("door", ["/v1", "/api/v3"])
def test_embeddings_as_the_sdk_asks_for_them(live: Live, simulator: SimulatorControl, door: str) -> None:
    """It asks for base64 unasked; the upstream knows floats only; the numbers must be the same."""
    with openai_client(live, door) as client:
        packed = client.embeddings.create(model=VECTORS, input=["one", "two"])
        floats = client.embeddings.create(model=VECTORS, input=["one", "two"], encoding_format="float")
    assert [entry.index for entry in packed.data] == [0, 1]
    for one, other in zip(packed.data, floats.data, strict=True):
        check_vector(one.embedding, 1024)
        assert one.embedding == pytest.approx(other.embedding, abs=1e-7)
    assert packed.usage.prompt_tokens > 0
    assert packed.usage.total_tokens == floats.usage.total_tokens
    formats = [seen.json.get("encoding_format") for seen in simulator.seen("/embeddings")]
    assert formats == ["float", "float"]


def test_base64_is_given_where_base64_is_asked(live: Live) -> None:
    with openai_client(live) as client:
        answer: Any = client.post(
            "/embeddings",
            body={"model": VECTORS, "input": "one", "encoding_format": "base64", "dimensions": 64},
            cast_to=object,
        )
    assert len(base64.b64decode(answer["data"][0]["embedding"])) == 64 * 4


def test_embeddings_async_with_dimensions(live: Live) -> None:
    async def main() -> Any:
        async with openai_async(live) as client:
            return await client.embeddings.create(model=VECTORS, input="one", dimensions=256)

    check_vector(drive(main()).data[0].embedding, 256)


def test_embeddings_are_recorded(live: Live) -> None:
    with openai_client(live) as client:
        answer = client.embeddings.with_raw_response.create(model=VECTORS, input="some words to count")
    record = live.record(answer.request_id)
    assert record.interface == "open_ai_embedding"
    assert record.usage.input_tokens == answer.parse().usage.prompt_tokens


def test_seedream_through_the_openai_sdk(live: Live, simulator: SimulatorControl) -> None:
    """``/api/v3/images/generations`` is Ark's; the SDK's ``images.generate`` reads its answer."""
    with openai_client(live, "/api/v3") as client:
        answer = client.images.generate(
            model="doubao-seedream-4.0", prompt="a house", size="1024x1024", n=1, response_format="url"
        )
        packed = client.images.generate(
            model="doubao-seedream-4.0", prompt="a house", size="1024x1024", response_format="b64_json"
        )
    assert answer.data
    assert packed.data
    assert check_picture(download(answer.data[0].url or "")) == (1024, 1024)
    assert check_picture(base64.b64decode(packed.data[0].b64_json or "")) == (1024, 1024)
    assert "n" not in simulator.seen("/images/generations")[0].json
