"""Embeddings of the four shapes, by the official SDKs."""

import asyncio
import json
import math
from http import HTTPStatus
from typing import Any

import dashscope
import pytest
from openai import AsyncOpenAI, BadRequestError, OpenAI
from tests.support.simulation import LiveSimulator
from volcenginesdkarkruntime import Ark

from aimesh.simulator.embeddings import vector

MULTIMODAL = "/p/api/v1/services/embeddings/multimodal-embedding/multimodal-embedding"


def test_vectors_are_deterministic_units() -> None:
    assert vector(b"x", 64) == vector(b"x", 64) != vector(b"y", 64)
    for size in (1, 64, 2560):
        assert math.isclose(sum(number * number for number in vector(b"x", size)), 1, rel_tol=1e-4)


@pytest.mark.parametrize("prefix", ["/v1", "/p/compatible-mode/v1", "/p/api/v3"])
def test_openai_sdk(sim: LiveSimulator, prefix: str) -> None:
    size = 2048
    with OpenAI(base_url=sim.url + prefix, api_key="k") as client:
        # Without a format the SDK asks for base64.
        packed = client.embeddings.create(model="text-embedding-v4", input=["a", "b"], dimensions=size)
        plain = client.embeddings.create(
            model="text-embedding-v4", input="a", dimensions=size, encoding_format="float"
        )
    assert [item.index for item in packed.data] == [0, 1]
    assert packed.data[0].embedding == pytest.approx(plain.data[0].embedding, abs=0)
    assert len(plain.data[0].embedding) == size
    assert packed.usage.total_tokens == 2


def test_openai_sdk_async(sim: LiveSimulator) -> None:
    async def embed() -> int:
        async with AsyncOpenAI(base_url=sim.url + "/v1", api_key="k") as client:
            answer = await client.embeddings.create(model="text-embedding-3-large", input="a")
            return len(answer.data[0].embedding)

    assert asyncio.run(embed()) == 3072


def test_base64_only_where_it_exists(sim: LiveSimulator) -> None:
    body = {"model": "text-embedding-v4", "input": "a", "encoding_format": "base64", "dimensions": 1024}
    shapes = {}
    for prefix in ("/v1", "/p/compatible-mode/v1", "/api/v3"):
        answer = json.loads(sim.post(f"{prefix}/embeddings", body)[2])
        shapes[prefix] = type(answer["data"][0]["embedding"])
    assert shapes == {"/v1": str, "/p/compatible-mode/v1": list, "/api/v3": str}


def test_token_arrays_are_openai_only(sim: LiveSimulator) -> None:
    for tokens in ([1, 2, 3], [[1, 2], [3]]):
        assert sim.post("/v1/embeddings", {"model": "m", "input": tokens})[0] == 200
        assert sim.post("/compatible-mode/v1/embeddings", {"model": "m", "input": tokens})[0] == 400


def test_text_refusals(sim: LiveSimulator) -> None:
    with OpenAI(base_url=sim.url + "/compatible-mode/v1", api_key="k") as client:
        with pytest.raises(BadRequestError, match="batch size"):
            client.embeddings.create(model="text-embedding-v4", input=["x"] * 11)
        with pytest.raises(BadRequestError, match="dimensions"):
            client.embeddings.create(model="text-embedding-v4", input="x", dimensions=1000)
    wrong: tuple[dict[str, Any], ...] = (
        {},
        {"input": []},
        {"input": [""]},
        {"input": "x", "encoding_format": "hex"},
    )
    for body in wrong:
        assert sim.post("/v1/embeddings", {"model": "m"} | body)[0] == 400
    parts = [{"type": "text", "text": "x"}]
    error = json.loads(sim.post("/api/v3/embeddings", {"model": "m", "input": parts})[2])["error"]
    assert (error["code"], error["param"], error["type"]) == ("InvalidParameter", "input[0]", "BadRequest")


def test_ark_sdk(sim: LiveSimulator) -> None:
    client = Ark(base_url=sim.url + "/ark/api/v3", api_key="k")
    items: Any = [
        {"type": "text", "text": "sky"},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
    ]
    one: Any = client.multimodal_embeddings.create(
        model="doubao-embedding-vision", input=items, dimensions=1024
    )
    texts: Any = client.embeddings.create(model="doubao-embedding-vision", input=["a", "b"])
    assert len(one.data.embedding) == 1024
    # The SDK leaves this object a dict.
    details = one.usage["prompt_tokens_details"]
    assert one.usage["total_tokens"] == details["image_tokens"] + details["text_tokens"]
    assert details == {"image_tokens": 497, "text_tokens": 1}
    assert one.model == "doubao-embedding-vision-251215"
    assert [item.index for item in texts.data] == [0, 1]


def test_ark_multimodal_refusals(sim: LiveSimulator) -> None:
    for given in (None, [], ["x"], [{"type": "image_url", "image_url": {}}], [{"type": "text"}]):
        status, _, answer = sim.post("/api/v3/embeddings/multimodal", {"model": "m", "input": given})
        assert status == 400, given
        assert json.loads(answer)["error"]["code"] in {"InvalidParameter", "MissingParameter"}


def test_dashscope_sdk(sim: LiveSimulator) -> None:
    base = sim.url + "/bailian/api/v1"
    contents: Any = [{"text": "white sneaker"}, {"image": "https://example.com/a.png"}]
    many: Any = dashscope.MultiModalEmbedding.call(
        model="qwen3-vl-embedding", input=contents, api_key="k", base_address=base
    )
    fused: Any = dashscope.MultiModalEmbedding.call(
        model="qwen3-vl-embedding",
        input=contents,
        api_key="k",
        base_address=base,
        enable_fusion=True,
        dimension=256,
    )
    newer: Any = dashscope.MultiModalEmbedding.call(
        model="tongyi-embedding-vision-plus", input=contents, api_key="k", base_address=base
    )
    texts: Any = dashscope.TextEmbedding.call(
        model="text-embedding-v4", input=["a", "b"], api_key="k", base_address=base
    )
    assert many.status_code == fused.status_code == texts.status_code == HTTPStatus.OK
    assert [(e["index"], e["type"], len(e["embedding"])) for e in many.output["embeddings"]] == [
        (0, "text", 2560),
        (1, "image", 2560),
    ]
    assert many.usage["image_tokens"] == 896
    assert many.usage["input_tokens"] > 0
    assert newer.usage["input_tokens"] == many.usage["input_tokens"] + 896
    assert newer.usage["input_tokens_details"]["image_tokens"] == 896
    assert len(fused.output["embeddings"][0]["embedding"]) == 256
    assert [e["text_index"] for e in texts.output["embeddings"]] == [0, 1]
    assert texts.usage["total_tokens"] == 2


def test_dashscope_refusals(sim: LiveSimulator) -> None:
    seed: Any = [{"type": "text", "text": "x"}]
    cases: list[tuple[Any, int, str]] = [
        ({"input": seed}, 400, "InvalidParameter"),
        ({"input": {"contents": []}}, 400, "InvalidParameter"),
        ({"input": {"contents": [{"type": "text"}]}}, 400, "InvalidParameter"),
        ({"input": {"contents": [{"text": "x"}] * 21}}, 400, "InvalidParameter"),
        ({"input": {"contents": [{"text": "x"}]}, "parameters": {"dimension": 7}}, 400, "InvalidParameter"),
        ({"model": None}, 400, "BadRequest.EmptyModel"),
        ({"model": "no-such-model"}, 404, "ModelNotFound"),
    ]
    for change, status, code in cases:
        got, _, answer = sim.post(MULTIMODAL, {"model": "qwen3-vl-embedding"} | change)
        error = json.loads(answer)
        assert (got, error["code"]) == (status, code)
        assert set(error) == {"code", "message", "request_id"}
    got, _, answer = sim.post(
        MULTIMODAL, {"model": "m", "input": {"contents": [{"text": "x"}]}}, x_dashscope_async="enable"
    )
    assert (got, json.loads(answer)["code"]) == (403, "AccessDenied")
    text_path = "/api/v1/services/embeddings/text-embedding/text-embedding"
    for texts in ([], ["x"] * 11, "x"):
        assert sim.post(text_path, {"model": "text-embedding-v4", "input": {"texts": texts}})[0] == 400
