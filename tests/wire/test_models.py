"""The list of models, as both SDK families read it."""

import json

from anthropic.types import ModelInfo
from openai.types import Model

from aimesh.wire.models import ListedModel, encode_model, encode_models

QWEN = ListedModel(
    id="qwen/qwen3.7-max",
    title="Qwen3.7 Max",
    owner="Alibaba",
    created_at_s=1_764_000_000,
    description="d",
    max_input_tokens=991_000,
    max_output_tokens=65_536,
)
BARE = ListedModel(id="m", title="", owner="v", created_at_s=0)


def test_one_entry_serves_both_sdks() -> None:
    entry = json.loads(encode_model(QWEN))
    assert entry == {
        "id": "qwen/qwen3.7-max",
        "object": "model",
        "created": 1_764_000_000,
        "owned_by": "Alibaba",
        "type": "model",
        "display_name": "Qwen3.7 Max",
        "created_at": "2025-11-24T16:00:00Z",
        "lifecycle": "active",
        "description": "d",
        "max_input_tokens": 991_000,
        "max_tokens": 65_536,
    }
    assert Model.model_validate(entry).owned_by == "Alibaba"
    assert ModelInfo.model_validate(entry).display_name == "Qwen3.7 Max"


def test_what_is_unknown_is_left_out() -> None:
    entry = json.loads(encode_model(BARE))
    assert entry["display_name"] == "m"
    assert "max_tokens" not in entry
    assert "max_input_tokens" not in entry


def test_a_list_is_whole_and_says_so() -> None:
    listed = json.loads(encode_models([QWEN, BARE]))
    assert [entry["id"] for entry in listed["data"]] == ["qwen/qwen3.7-max", "m"]
    assert {key: listed[key] for key in listed if key != "data"} == {
        "object": "list",
        "has_more": False,
        "first_id": "qwen/qwen3.7-max",
        "last_id": "m",
    }


def test_an_empty_list() -> None:
    listed = json.loads(encode_models([]))
    assert (listed["data"], listed["first_id"], listed["last_id"]) == ([], None, None)
