"""What a simulated model says. Deterministic: the same request gets the same words.

1. Every text begins with ``[simulated]``.
2. Reasoning, text and tool calls are pieces; the protocols only dress them.
3. Output tokens are the number of pieces; each piece of at most ten characters counts as one token.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct

from aimesh.simulator.answers import Json, Shape, encode_json

_PIECES = re.compile(r"\s*\S{1,10}|\s+")
_ECHO_LIMIT = 600


def count_tokens(text: str) -> int:
    """A plausible size: four bytes a token, at least one for any text."""
    return (len(text.encode("utf-8", "surrogatepass")) + 3) >> 2


class ToolSpec(Struct, frozen=True):
    name: str
    schema: Json
    is_custom: bool = False


class Wish(Struct, frozen=True):
    """A request for text, in no protocol's words."""

    prompt: str
    """The last thing the user said."""
    tools: Sequence[ToolSpec] = ()
    tool_choice: str = "auto"
    """``auto``, ``none``, ``required`` or ``=name``."""
    is_parallel: bool = True
    answers_tool: bool = False
    """The conversation ends with the result of a tool."""
    is_thinking: bool = False
    limit: int | None = None
    limit_counts_reasoning: bool = False
    stops: Sequence[str] = ()
    schema: Json | None = None
    """The text must be JSON of this schema."""


class ToolCall(Struct, frozen=True):
    id: str
    name: str
    arguments: Json
    is_custom: bool = False

    @property
    def text(self) -> str:
        return encode_json(self.arguments).decode()


class Composition(Struct, frozen=True):
    reasoning: Sequence[str]
    pieces: Sequence[str]
    calls: Sequence[ToolCall]
    finish: str
    """``stop``, ``length``, ``tool_calls`` or ``stop_sequence``."""
    stop_sequence: str | None = None

    @property
    def reasoning_tokens(self) -> int:
        return len(self.reasoning)

    @property
    def output_tokens(self) -> int:
        calls = sum(4 + count_tokens(call.text) for call in self.calls)
        return max(1, len(self.reasoning) + len(self.pieces) + calls)

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    @property
    def thought(self) -> str:
        return "".join(self.reasoning)


class _Padded(Sequence[str]):
    """``count`` pieces of ``size`` bytes each, made when asked for: a long stream costs no memory."""

    def __init__(self, count: int, size: int) -> None:
        self._count = count
        self._size = size

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self._piece(i) for i in range(*index.indices(self._count))]
        if not 0 <= index < self._count:
            raise IndexError(index)
        return self._piece(index)

    def __iter__(self) -> Iterator[str]:
        return map(self._piece, range(self._count))

    def _piece(self, index: int) -> str:
        word = "[simulated] " if index == 0 else f"word{index} "
        return word if not self._size else word[: self._size].ljust(self._size, "x")


def compose(wish: Wish, shape: Shape) -> Composition:
    """The whole answer to one wish."""
    reasoning: list[str] = []
    if wish.is_thinking:
        reasoning = _PIECES.findall(f"[simulated] The user wrote {len(wish.prompt)} characters; I echo them.")
    calls = _calls(wish)
    if shape.chunks or shape.chunk_bytes:
        return Composition(reasoning, _Padded(shape.chunks or 16, shape.chunk_bytes), calls, "stop")
    if calls:
        return Composition(reasoning, (), calls, "tool_calls")
    text, stop_sequence = _stopped(_text(wish), wish.stops)
    pieces: list[str] = _PIECES.findall(text)
    finish = "stop" if stop_sequence is None else "stop_sequence"
    if wish.limit is not None:
        room = wish.limit
        if wish.limit_counts_reasoning:
            reasoning = reasoning[:room]
            room -= len(reasoning)
        if len(pieces) > room:
            return Composition(reasoning, pieces[: max(0, room)], (), "length")
    return Composition(reasoning, pieces, (), finish, stop_sequence)


def _text(wish: Wish) -> str:
    if wish.schema is not None:
        return encode_json(example(wish.schema)).decode()
    said = wish.prompt[:_ECHO_LIMIT]
    if wish.answers_tool:
        return f"[simulated] The tool answered: {said}"
    return f"[simulated] No model ran; this is the aimesh provider simulator. You said: {said}"


def _stopped(text: str, stops: Sequence[str]) -> tuple[str, str | None]:
    hits = [(at, stop) for stop in stops if stop and (at := text.find(stop)) >= 0]
    if not hits:
        return text, None
    at, stop = min(hits)
    return text[:at], stop


def _calls(wish: Wish) -> list[ToolCall]:
    """Calls tools when told to, or when the prompt says ``use tool`` (one) or ``use tools`` (several)."""
    if not wish.tools or wish.tool_choice == "none":
        return []
    prompt = wish.prompt.lower()
    if wish.tool_choice.startswith("="):
        chosen = [tool for tool in wish.tools if tool.name == wish.tool_choice[1:]]
    elif "use tools" in prompt and wish.is_parallel and not wish.answers_tool:
        chosen = list(wish.tools[:3]) if len(wish.tools) > 1 else [wish.tools[0]] * 2
    elif wish.tool_choice == "required" or ("use tool" in prompt and not wish.answers_tool):
        chosen = [wish.tools[0]]
    else:
        return []
    seed = hashlib.sha256(wish.prompt.encode("utf-8", "surrogatepass")).hexdigest()
    return [
        ToolCall(f"call_{seed[:18]}{n}", tool.name, _arguments(tool), tool.is_custom)
        for n, tool in enumerate(chosen)
    ]


def _arguments(tool: ToolSpec) -> Json:
    made = example(tool.schema)
    return made if isinstance(made, dict) else {}


def example(schema: Json, root: Json | None = None, depth: int = 0) -> object:
    """A value that fits a JSON schema, the plainest one."""
    root = schema if root is None else root
    if depth > 8:
        return None
    if "const" in schema:
        return schema["const"]
    if isinstance(options := schema.get("enum"), list) and options:
        return options[0]
    if isinstance(reference := schema.get("$ref"), str):
        return example(_resolved(reference, root), root, depth + 1)
    for word in ("anyOf", "oneOf", "allOf"):
        if isinstance(options := schema.get(word), list) and options and isinstance(options[0], dict):
            return example(options[0], root, depth + 1)
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = kind[0] if kind else None
    match kind:
        case "string":
            return "simulated"
        case "integer":
            return _least(schema, 1)
        case "number":
            return _least(schema, 1.5)
        case "boolean":
            return True
        case "null":
            return None
        case "array":
            items = schema.get("items")
            return [example(items, root, depth + 1)] if isinstance(items, dict) else []
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        return {}
    return {
        name: example(inner, root, depth + 1) for name, inner in properties.items() if isinstance(inner, dict)
    }


def _least(schema: Json, otherwise: float) -> float:
    least = schema.get("minimum")
    return least if isinstance(least, int | float) else otherwise


def _resolved(reference: str, root: Json) -> Json:
    found: object = root
    for step in reference.removeprefix("#/").split("/"):
        found = found.get(step) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}
