"""The embedding interfaces against the SDK that decodes their answers."""

import base64
import json
import struct
from typing import Any

import pytest
from openai.types import CreateEmbeddingResponse

from aimesh.core.errors import BrokenStream
from aimesh.core.traits import Traits
from aimesh.wire.ark_embedding.interface import ARK_EMBEDDINGS
from aimesh.wire.embeddings import EmbeddingInterface
from aimesh.wire.interface import Target
from aimesh.wire.open_ai_embedding.interface import EMBEDDINGS

FLOATS_ONLY = Target("up", Traits(base64_embeddings=False))
ASKED = b'{"model":"m","input":"x","encoding_format":"base64"}'


def packed(interface: EmbeddingInterface, answer: dict[str, Any]) -> Any:
    prepared = interface.prepare(ASKED, interface.peek(ASKED), FLOATS_ONLY)
    assert json.loads(prepared.body)["encoding_format"] == "float"
    judged = interface.read_answer(json.dumps(answer).encode(), prepared)
    assert judged.error is None
    return json.loads(judged.body)


def test_the_sdk_reads_a_packed_vector_of_full_length() -> None:
    answer = {"object": "list", "model": "up", "usage": {"prompt_tokens": 1, "total_tokens": 1}}
    entry = {"object": "embedding", "index": 0, "embedding": [0.5, -0.25, 3.0]}
    document = packed(EMBEDDINGS, answer | {"data": [entry]})
    text = document["data"][0]["embedding"]
    assert CreateEmbeddingResponse.model_validate(answer | {"data": [entry]}).data[0].index == 0
    assert struct.unpack("<3f", base64.b64decode(text)) == (0.5, -0.25, 3.0)


def test_arks_one_vector() -> None:
    answer = {"data": {"embedding": [1.0], "object": "embedding"}, "usage": {"prompt_tokens": 3}}
    assert packed(ARK_EMBEDDINGS, answer)["data"] == {"embedding": "AACAPw==", "object": "embedding"}


@pytest.mark.parametrize("interface", [EMBEDDINGS, ARK_EMBEDDINGS])
def test_a_stream_is_never_opened_but_its_fault_has_a_shape(interface: EmbeddingInterface) -> None:
    event = interface.encode_stream_fault(BrokenStream("x"), "req-1")
    assert json.loads(event.removeprefix(b"data: "))["error"]["code"] == "UPSTREAM_BROKEN_STREAM"
