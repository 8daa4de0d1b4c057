"""The schema for editors says the same as the decoder: what it accepts compiles, what it refuses does not."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from aimesh.catalog.jsonschema import operator_schema
from aimesh.catalog.load import DATA
from aimesh.settings import compile_settings

ROOT = Path(__file__).resolve().parents[2]
SCHEMA: dict[str, Any] = msgspec.json.decode((DATA / "schema.json").read_bytes())


def _errors(value: Any, shape: dict[str, Any], place: str = "$") -> list[str]:
    """The part of JSON Schema that ``schema.json`` uses."""
    if "$ref" in shape:
        return _errors(value, SCHEMA["$defs"][shape["$ref"].rpartition("/")[2]], place)
    if "anyOf" in shape:
        tries = [_errors(value, each, place) for each in shape["anyOf"]]
        return [] if [] in tries else min(tries, key=len)
    if "enum" in shape:
        return [] if value in shape["enum"] else [f"{place}: not one of {shape['enum']}"]
    unknown = set(shape) - {
        "$schema", "$defs", "title", "description", "default", "type", "properties", "required",
        "additionalProperties", "items", "pattern", "minLength", "minimum", "maximum", "exclusiveMinimum",
        "propertyNames",
    }  # fmt: skip
    assert not unknown, unknown
    allowed = shape.get("type", [])
    kinds: dict[str, type | tuple[type, ...]] = {
        "object": dict, "array": list, "string": str, "integer": int, "number": (int, float), "boolean": bool,
        "null": type(None),
    }  # fmt: skip
    names = [allowed] if isinstance(allowed, str) else allowed
    if names and not any(
        isinstance(value, kinds[name]) and not (isinstance(value, bool) and name != "boolean")
        for name in names
    ):
        return [f"{place}: not {allowed}"]
    if isinstance(value, dict):
        return _object_errors(value, shape, place)
    if isinstance(value, list):
        return [
            e for n, item in enumerate(value) for e in _errors(item, shape.get("items", {}), f"{place}[{n}]")
        ]
    if isinstance(value, str):
        fits = re.search(shape.get("pattern", ""), value) and len(value) >= shape.get("minLength", 0)
        return [] if fits else [f"{place}: does not fit"]
    if isinstance(value, int | float):
        least = shape.get("minimum", float("-inf")) <= value and value > shape.get(
            "exclusiveMinimum", float("-inf")
        )
        return [] if least and value <= shape.get("maximum", float("inf")) else [f"{place}: out of range"]
    return []


def _object_errors(value: dict[str, Any], shape: dict[str, Any], place: str) -> list[str]:
    found = [f"{place}: misses {name}" for name in shape.get("required", []) if name not in value]
    properties, rest = shape.get("properties", {}), shape.get("additionalProperties", {})
    for name, item in value.items():
        if name in properties:
            found += _errors(item, properties[name], f"{place}.{name}")
        elif rest is False:
            found.append(f"{place}: unknown {name}")
        elif isinstance(rest, dict):
            found += _errors(item, rest, f"{place}.{name}")
    return found


def _loaded(text: str) -> Any:
    return yaml.safe_load(text)


def test_the_example_is_valid_and_compiles() -> None:
    path = ROOT / "aimesh.example.yaml"
    text = path.read_text(encoding="utf-8")
    assert _errors(_loaded(text), SCHEMA) == []
    settings = compile_settings(path, {"DASHSCOPE_API_KEY": "k", "ARK_API_KEY_2": "k2"})
    assert [each.name for each in settings.credentials[next(iter(settings.credentials))]] == ["default"]


@pytest.mark.parametrize(
    "text",
    [
        "listen: ['127.0.0.1:0']",
        "credentials: {deepseek_cn: key, volcengine_bj: {a: x, b: y}}",
        "routing: {attempts: '${N:-2}'}",
        "models: [{name: m, kind: chat, endpoints: [{provider: volcengine_bj, interfaces: [open_ai], as: x, "
        "price: {currency: CNY, tiers: [{input: 1.5, output: '2'}]}}]}]",
    ],
)
def test_what_the_schema_accepts_compiles(text: str, tmp_path: Path) -> None:
    assert _errors(_loaded(text), SCHEMA) == []
    file = tmp_path / "aimesh.yaml"
    file.write_text(text)
    compile_settings(file, {})


@pytest.mark.parametrize(
    "text",
    [
        "listn: []",
        "routing: {attempts: 0}",
        "routing: {attempts: many}",
        "timeouts: {connect_s: 0}",
        "keys: {reveal: always}",
        "virtual_keys: [{alias: a}]",
        "providers: {Upper: {}}",
        "models: [{name: m, kind: chatt}]",
        "models: [{name: m, endpoints: [{provider: p, interfaces: [open_ay]}]}]",
    ],
)
def test_what_the_schema_refuses_does_not_compile(text: str, tmp_path: Path) -> None:
    file = tmp_path / "aimesh.yaml"
    file.write_text(text)
    with pytest.raises(Exception, match=r"aimesh\.yaml:1:"):
        compile_settings(file, {})
    if "Upper" not in text:
        assert _errors(_loaded(text), SCHEMA) != []


def test_the_shipped_schema_is_the_one_made_here() -> None:
    def bare(part: Any) -> Any:
        if isinstance(part, dict):
            return {key: bare(value) for key, value in part.items() if key != "description"}
        return [bare(item) for item in part] if isinstance(part, list | tuple) else part

    made = msgspec.json.decode(msgspec.json.encode(operator_schema({})))
    assert bare(made) == bare(SCHEMA)


def test_every_key_of_the_file_is_described() -> None:
    missing = [
        f"{name}.{field}"
        for name, shape in SCHEMA["$defs"].items()
        for field, about in shape.get("properties", {}).items()
        if not about.get("description")
    ]
    assert missing == []
