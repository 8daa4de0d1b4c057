import json
from pathlib import Path

import pytest
from tests.support.shell import Shell

YAML = """
kind: chat
title: Llama 70B
vendor: us
context: 128000
endpoints:
  - provider: our_cluster
    interfaces: [open_ai]
    as: llama-70b
    price: {currency: CNY, tiers: [{input: 1.10, output: 2.20}]}
"""
CLUSTER = "name: Our cluster\nbase_url: http://10.0.0.5:8000/v1\nspeaks: {open_ai: {}}\nauth: none\n"


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def test_models_are_found_by_what_they_are(shell: Shell) -> None:
    def found(*words: str) -> list[str]:
        return [row["name"] for row in shell.data("model", "list", "--no-limit", *words)]

    assert {"doubao-seedance-2.0", "doubao-seedance-2.0-fast"} <= set(found("--search", "seedance-2.0"))
    assert set(found("--kind", "video")) < set(found())
    assert "qwen/qwen3.7-max" in found("--search", "QWEN3.7-max")
    assert found("--search", "no-such-model") == []
    assert shell.run("model", "list", "--kind", "poetry").exit_code == 1
    header, *rows = shell.done("model", "list", "--limit", "2").splitlines()
    assert header.split("\t") == ["model", "name", "kind", "callable", "endpoints"]
    assert len(rows) == 2


def test_a_model_is_shown_whole(shell: Shell) -> None:
    model = shell.data("model", "get", "qwen/qwen3.7-max")
    assert model["kind"] == "chat"
    assert {one["interface"] for one in model["endpoints"]} >= {"open_ai"}
    assert any("curl" in one["code"] for one in model["examples"])
    header, *rows = shell.done("model", "get", "qwen/qwen3.7-max").splitlines()
    assert header.split("\t") == ["endpoint", "status", "upstream", "price"]
    assert any("input" in row.split("\t")[3] for row in rows)
    assert shell.refused("model", "get", "qwen/no-such-model")["code"] == "MODEL_NOT_FOUND"


def test_a_model_and_its_provider_are_added_and_taken_back(shell: Shell, tmp_path: Path) -> None:
    provider, model = tmp_path / "cluster.yaml", tmp_path / "llama.yaml"
    provider.write_text(CLUSTER, encoding="utf-8")
    model.write_text(YAML, encoding="utf-8")
    shell.done("provider", "set", "our_cluster", "-f", str(provider))
    made = shell.data("model", "set", "our/llama-70b", "-f", str(model))
    assert made["source"] == "database"
    (endpoint,) = made["endpoints"]
    assert endpoint["name"] == "our_cluster@our/llama-70b@open_ai"
    assert endpoint["price"]["tiers"] == [{"input": "1.10", "output": "2.20"}]
    again = shell.data("model", "set", "our/llama-70b", "-f", "-", text=YAML.replace("Llama 70B", "Llama"))
    assert again["title"] == "Llama"
    assert shell.data("model", "list", "--search", "our/llama")[0]["callable"] is True
    assert shell.run("model", "reset", "our/llama-70b", text="n\n").exit_code == 1
    assert shell.data("model", "reset", "our/llama-70b", "-y") == {"name": "our/llama-70b", "reset": True}
    assert shell.refused("model", "get", "our/llama-70b")["code"] == "MODEL_NOT_FOUND"


def test_a_file_that_is_wrong_says_where(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text("kind: chat\nendpoint: []\n", encoding="utf-8")
    error = shell.refused("model", "set", "our/x", "-f", str(file))
    assert error["code"] == "INVALID_FILE"
    assert "wrong.yaml:2:1" in error["details"][0]
    assert "endpoints" in error["details"][0]
    # What only the whole catalogue can tell is told by the API.
    error = shell.refused("model", "set", "our/llama-70b", "-f", "-", text=YAML)
    assert "our_cluster" in json.dumps(error)
