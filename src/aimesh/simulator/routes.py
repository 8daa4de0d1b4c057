"""Which path is served by what.

1. ``/{anything}/<upstream path>`` and ``/<upstream path>`` are both served: the path is matched by its end,
   and what stands before is the provider's name, of which only the first segment counts.
2. The longest end wins, so ``/api/v3/chat/completions`` is Ark's and ``/v4/chat/completions`` OpenAI's.
3. A trailing slash means nothing (the dashscope SDK's asyncio calls add one).
"""

import re
from collections.abc import Callable
from urllib.parse import unquote

from msgspec import Struct

from aimesh.simulator import (
    ark_tasks,
    chat,
    dashscope_tasks,
    embeddings,
    generation,
    images,
    messages,
    models,
    responses,
)
from aimesh.simulator.answers import Answer, Call, Dialect
from aimesh.simulator.world import World

_VERSION = re.compile(r"v\d+")

Respond = Callable[[Call, World], Answer]

_O, _C, _A, _D, _V = Dialect.OPENAI, Dialect.COMPATIBLE, Dialect.ANTHROPIC, Dialect.DASHSCOPE, Dialect.ARK
_AIGC = "/api/v1/services/aigc"
_MULTIMODAL = "/api/v1/services/embeddings/multimodal-embedding/multimodal-embedding"
_ARK_TASKS = "/api/v3/contents/generations/tasks"

_TABLE: tuple[tuple[str, str, Dialect, Respond], ...] = (
    ("POST", "/chat/completions", _O, chat.answer),
    ("POST", "/responses", _O, responses.create),
    ("GET", "/responses/{id}", _O, responses.retrieve),
    ("DELETE", "/responses/{id}", _O, responses.delete),
    ("GET", "/responses/{id}/input_items", _O, responses.list_input),
    ("POST", "/embeddings", _O, embeddings.answer_text),
    ("POST", "/images/generations", _O, images.answer_openai),
    ("GET", "/models", _O, models.answer),
    ("GET", "/models/{id}", _O, models.answer),
    ("POST", "/messages", _A, messages.answer),
    ("POST", "/messages/count_tokens", _A, messages.answer_count),
    ("POST", "/compatible-mode/v1/chat/completions", _C, chat.answer),
    ("POST", "/compatible-mode/v1/responses", _C, responses.create),
    ("GET", "/compatible-mode/v1/responses/{id}", _C, responses.retrieve),
    ("DELETE", "/compatible-mode/v1/responses/{id}", _C, responses.delete),
    ("GET", "/compatible-mode/v1/responses/{id}/input_items", _C, responses.list_input),
    ("POST", "/compatible-mode/v1/embeddings", _C, embeddings.answer_text),
    ("GET", "/compatible-mode/v1/models", _C, models.answer),
    ("GET", "/compatible-mode/v1/models/{id}", _C, models.answer),
    ("POST", f"{_AIGC}/video-generation/video-synthesis", _D, dashscope_tasks.create),
    ("POST", f"{_AIGC}/image2video/video-synthesis", _D, dashscope_tasks.create),
    ("POST", f"{_AIGC}/text-generation/generation", _D, generation.answer),
    ("POST", f"{_AIGC}/multimodal-generation/generation", _D, generation.answer),
    ("GET", "/api/v1/tasks", _D, dashscope_tasks.listing),
    ("GET", "/api/v1/tasks/{id}", _D, dashscope_tasks.fetch),
    ("POST", "/api/v1/tasks/{id}/cancel", _D, dashscope_tasks.cancel),
    ("POST", _MULTIMODAL, _D, embeddings.answer_dashscope_multimodal),
    (
        "POST",
        "/api/v1/services/embeddings/text-embedding/text-embedding",
        _D,
        embeddings.answer_dashscope_text,
    ),
    ("POST", "/api/v3/chat/completions", _V, chat.answer),
    ("POST", "/api/v3/responses", _V, responses.create),
    ("GET", "/api/v3/responses/{id}", _V, responses.retrieve),
    ("DELETE", "/api/v3/responses/{id}", _V, responses.delete),
    ("GET", "/api/v3/responses/{id}/input_items", _V, responses.list_input),
    ("POST", "/api/v3/embeddings", _V, embeddings.answer_text),
    ("POST", "/api/v3/embeddings/multimodal", _V, embeddings.answer_ark_multimodal),
    ("POST", "/api/v3/images/generations", _V, images.answer_ark),
    ("GET", "/api/v3/models", _V, models.answer),
    ("GET", "/api/v3/models/{id}", _V, models.answer),
    ("POST", _ARK_TASKS, _V, ark_tasks.create),
    ("GET", _ARK_TASKS, _V, ark_tasks.listing),
    ("GET", f"{_ARK_TASKS}/{{id}}", _V, ark_tasks.fetch),
    ("DELETE", f"{_ARK_TASKS}/{{id}}", _V, ark_tasks.delete),
)


class Found(Struct, frozen=True):
    """Where a path leads."""

    provider: str
    suffix: str
    dialect: Dialect
    methods: dict[str, Respond]
    rest: str = ""


def _compiled() -> dict[str, tuple[Dialect, dict[str, Respond]]]:
    paths: dict[str, tuple[Dialect, dict[str, Respond]]] = {}
    for method, path, dialect, respond in _TABLE:
        paths.setdefault(path, (dialect, {}))[1][method] = respond
    return paths


_PATHS = _compiled()


class Router:
    """Finds the route of a path; remembers the paths without an id in them."""

    def __init__(self) -> None:
        self._known: dict[bytes, Found] = {}

    def find(self, path: bytes) -> Found | None:
        if (known := self._known.get(path)) is not None:
            return known
        found = _search(path.decode("ascii", "replace").rstrip("/"))
        if found is not None and not found.rest and len(self._known) < 4096:
            self._known[path] = found
        return found

    def dialect_of(self, path: bytes) -> Dialect:
        """Whose 404 an unknown path deserves."""
        for mark, dialect in (
            (b"/api/v3/", _V),
            (b"/api/v1/", _D),
            (b"/compatible-mode/", _C),
            (b"/anthropic/", _A),
        ):
            if mark in path:
                return dialect
        return _O


def _search(path: str) -> Found | None:
    segments = path.split("/")[1:]
    for start in range(len(segments)):
        provider = segments[0] if start and not _VERSION.fullmatch(segments[0]) else ""
        end = "/" + "/".join(segments[start:])
        if (hit := _PATHS.get(end)) is not None:
            return Found(provider, end, *hit)
        for template in _templates(segments[start:]):
            if (hit := _PATHS.get(template[0])) is not None:
                return Found(provider, template[0], *hit, rest=unquote(template[1]))
    return None


def _templates(segments: list[str]) -> list[tuple[str, str]]:
    """Readings of the path with an id in it: ``.../{id}/cancel``, ``.../{id}``, ``.../models/{a/b}``."""
    readings = []
    if len(segments) >= 3:
        readings.append(("/" + "/".join([*segments[:-2], "{id}", segments[-1]]), segments[-2]))
    if len(segments) >= 2:
        readings.append(("/" + "/".join([*segments[:-1], "{id}"]), segments[-1]))
    if "models" in segments[:-1]:
        at = segments.index("models")
        readings.append(("/" + "/".join([*segments[: at + 1], "{id}"]), "/".join(segments[at + 1 :])))
    return readings
