"""JSON Schema of ``aimesh.yaml``, for editors. Checking is done by ``decode``; a test holds the two together.

1. Made from the types, so it cannot fall behind them; descriptions come from the docstrings of the fields.
2. Accepts what the decoder accepts: an amount is a number or a text, a credential a text or named texts, and any
   scalar may be a reference to the environment.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from aimesh.catalog.operator import OperatorFile
from aimesh.core.secret import Secret

FieldDocs = Mapping[str, Mapping[str, str]]
"""Name of a type to its fields' docstrings."""

_REFERENCE = {"type": "string", "pattern": r"\$\{"}
_AMOUNT = {"type": ["number", "string"]}


def operator_schema(docs: FieldDocs) -> dict[str, Any]:
    # JSON is the one place for Any.
    schema: dict[str, Any] = msgspec.json.schema(OperatorFile, schema_hook=_hook)
    definitions: dict[str, Any] = schema["$defs"]
    for name, definition in definitions.items():
        known = docs.get(name, {})
        for field, shape in definition.get("properties", {}).items():
            # A key that is a word of Python has a field with an underscore behind it.
            text = known.get(field) or known.get(f"{field}_", "")
            definition["properties"][field] = _described(_loosened(shape), text)
    credentials = definitions["OperatorFile"]["properties"]["credentials"]
    credentials["additionalProperties"] = {"anyOf": [{"type": "string"}, credentials["additionalProperties"]]}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "aimesh.yaml"} | schema


def _hook(kind: type) -> dict[str, Any]:
    if getattr(kind, "__origin__", kind) is Secret:
        return {"type": "string"}
    raise NotImplementedError(f"no schema for {kind}")


def _loosened(shape: dict[str, Any]) -> dict[str, Any]:
    if shape.get("format") == "decimal":
        return _AMOUNT | {key: value for key, value in shape.items() if key not in ("type", "format")}
    loose = {key: _loosened_part(value) for key, value in shape.items()}
    if loose.get("type") in ("integer", "number", "boolean"):
        outer = {key: loose.pop(key) for key in ("default", "description") if key in loose}
        return {"anyOf": [loose, _REFERENCE]} | outer
    return loose


def _loosened_part(value: Any) -> Any:
    if isinstance(value, dict):
        return _loosened(value)
    if isinstance(value, list | tuple):
        return [_loosened_part(item) for item in value]
    return value


def _described(shape: dict[str, Any], text: str) -> dict[str, Any]:
    return shape | {"description": text} if text else shape
