"""What we serve: method and path to operation. The one table of public paths under ``/gateway``.

1. An operation speaks exactly one interface; its family decides the shape of its errors.
2. A path that is not here is ``GATEWAY_MISSING_ACTUAL_PATH`` (a doubled ``/gateway`` among them), a wrong method
   is 405 with ``Allow``.
3. A trailing slash is ignored: ``AioVideoSynthesis`` of the dashscope SDK sends one.
"""

from enum import StrEnum
from urllib.parse import unquote

from msgspec import Struct

from aimesh.core.errors import MethodNotAllowed, MissingPath
from aimesh.core.ids import InterfaceId
from aimesh.wire.interface import Family

PREFIX = b"/gateway"


class Action(StrEnum):
    """What the walk does with a call."""

    CALL = "call"
    """Relay one request, whole or streamed."""
    COUNT_TOKENS = "count_tokens"
    LIST_MODELS = "list_models"
    GET_MODEL = "get_model"
    CREATE_TASK = "create_task"
    GET_TASK = "get_task"
    LIST_TASKS = "list_tasks"
    CANCEL_TASK = "cancel_task"


class Operation(Struct, frozen=True):
    name: str
    """Stable, for records and metrics: ``chat``."""
    method: str
    path: str
    """Below ``/gateway``; ``{id}`` takes the rest of the path."""
    interface: InterfaceId
    family: Family
    action: Action


OPEN_AI = InterfaceId("open_ai")
ANTHROPIC = InterfaceId("anthropic")
RESPONSES = InterfaceId("responses")
EMBEDDING = InterfaceId("open_ai_embedding")
IMAGE = InterfaceId("open_ai_image")
ARK_IMAGE = InterfaceId("ark_image")
TASK = InterfaceId("task")
ARK_EMBEDDING = InterfaceId("ark_embedding")
DASHSCOPE_VIDEO = InterfaceId("dashscope_video")
DASHSCOPE_EMBEDDING = InterfaceId("dashscope_embedding")

_ARK_TASKS = "/api/v3/contents/generations/tasks"
_VIDEO = "/api/v1/services/aigc/video-generation/video-synthesis"
_VECTORS = "/api/v1/services/embeddings/multimodal-embedding/multimodal-embedding"


def _row(
    name: str, method: str, path: str, interface: InterfaceId, *, family: Family, action: Action = Action.CALL
) -> Operation:
    return Operation(name=name, method=method, path=path, interface=interface, family=family, action=action)


OPERATIONS: tuple[Operation, ...] = (
    _row("chat", "POST", "/v1/chat/completions", OPEN_AI, family=Family.OPENAI),
    _row("chat", "POST", "/api/v3/chat/completions", OPEN_AI, family=Family.ARK),
    _row("messages", "POST", "/v1/messages", ANTHROPIC, family=Family.ANTHROPIC),
    # The seed's anthropic SDK sample has /v1 in its base URL, and the SDK appends /v1/messages.
    _row("messages", "POST", "/v1/v1/messages", ANTHROPIC, family=Family.ANTHROPIC),
    _row(
        "count_tokens",
        "POST",
        "/v1/messages/count_tokens",
        ANTHROPIC,
        family=Family.ANTHROPIC,
        action=Action.COUNT_TOKENS,
    ),
    _row(
        "count_tokens",
        "POST",
        "/v1/v1/messages/count_tokens",
        ANTHROPIC,
        family=Family.ANTHROPIC,
        action=Action.COUNT_TOKENS,
    ),
    _row("responses", "POST", "/v1/responses", RESPONSES, family=Family.OPENAI),
    _row("responses", "POST", "/api/v3/responses", RESPONSES, family=Family.ARK),
    _row("embeddings", "POST", "/v1/embeddings", EMBEDDING, family=Family.OPENAI),
    _row("embeddings", "POST", "/api/v3/embeddings", EMBEDDING, family=Family.ARK),
    _row("images", "POST", "/v1/images/generations", IMAGE, family=Family.OPENAI),
    _row("ark_images", "POST", "/api/v3/images/generations", ARK_IMAGE, family=Family.ARK),
    _row("ark_embeddings", "POST", "/api/v3/embeddings/multimodal", ARK_EMBEDDING, family=Family.ARK),
    _row("dashscope_embeddings", "POST", _VECTORS, DASHSCOPE_EMBEDDING, family=Family.DASHSCOPE),
    _row("create_task", "POST", _ARK_TASKS, TASK, family=Family.ARK, action=Action.CREATE_TASK),
    _row("list_tasks", "GET", _ARK_TASKS, TASK, family=Family.ARK, action=Action.LIST_TASKS),
    _row("get_task", "GET", _ARK_TASKS + "/{id}", TASK, family=Family.ARK, action=Action.GET_TASK),
    _row("delete_task", "DELETE", _ARK_TASKS + "/{id}", TASK, family=Family.ARK, action=Action.CANCEL_TASK),
    _row(
        "create_video",
        "POST",
        _VIDEO,
        DASHSCOPE_VIDEO,
        family=Family.DASHSCOPE,
        action=Action.CREATE_TASK,
    ),
    _row(
        "list_videos",
        "GET",
        "/api/v1/tasks",
        DASHSCOPE_VIDEO,
        family=Family.DASHSCOPE,
        action=Action.LIST_TASKS,
    ),
    _row(
        "get_video",
        "GET",
        "/api/v1/tasks/{id}",
        DASHSCOPE_VIDEO,
        family=Family.DASHSCOPE,
        action=Action.GET_TASK,
    ),
    _row(
        "cancel_video",
        "POST",
        "/api/v1/tasks/{id}/cancel",
        DASHSCOPE_VIDEO,
        family=Family.DASHSCOPE,
        action=Action.CANCEL_TASK,
    ),
    _row("models", "GET", "/v1/models", OPEN_AI, family=Family.OPENAI, action=Action.LIST_MODELS),
    _row("models", "GET", "/v1/v1/models", OPEN_AI, family=Family.ANTHROPIC, action=Action.LIST_MODELS),
    _row("models", "GET", "/api/v3/models", OPEN_AI, family=Family.ARK, action=Action.LIST_MODELS),
    _row("model", "GET", "/v1/models/{id}", OPEN_AI, family=Family.OPENAI, action=Action.GET_MODEL),
    _row("model", "GET", "/v1/v1/models/{id}", OPEN_AI, family=Family.ANTHROPIC, action=Action.GET_MODEL),
    _row("model", "GET", "/api/v3/models/{id}", OPEN_AI, family=Family.ARK, action=Action.GET_MODEL),
)


class Match(Struct, frozen=True, gc=False):
    operation: Operation
    item: str = ""
    """What stood for ``{id}``, percent-decoded once."""


_FIXED: dict[bytes, dict[bytes, Match]] = {}
_OPEN: list[tuple[bytes, bytes, dict[bytes, Operation]]] = []
for _operation in OPERATIONS:
    _full = PREFIX + _operation.path.encode()
    _method = _operation.method.encode()
    if "{id}" not in _operation.path:
        _FIXED.setdefault(_full, {})[_method] = Match(operation=_operation)
        continue
    _before, _, _after = _full.partition(b"{id}")
    for _known_before, _known_after, _methods in _OPEN:
        if (_known_before, _known_after) == (_before, _after):
            _methods[_method] = _operation
            break
    else:
        _OPEN.append((_before, _after, {_method: _operation}))
# The longer pattern first: .../tasks/{id}/cancel before .../tasks/{id}.
_OPEN.sort(key=lambda row: len(row[0]) + len(row[1]), reverse=True)


def match(method: bytes, path: bytes) -> Match:
    """The operation of a request. Raises ``MissingPath`` or ``MethodNotAllowed``."""
    methods = _FIXED.get(path)
    if methods is not None and (found := methods.get(method)) is not None:
        return found
    return _match_slowly(method, path.rstrip(b"/") if path.endswith(b"/") else path)


def _match_slowly(method: bytes, path: bytes) -> Match:
    fixed = _FIXED.get(path)
    if fixed is not None:
        if (found := fixed.get(method)) is not None:
            return found
        raise _wrong_method(method, fixed)
    for before, after, methods in _OPEN:
        if not path.startswith(before) or not path.endswith(after):
            continue
        item = path[len(before) : len(path) - len(after)]
        # Only a model's name may hold a slash; older SDKs send it undecoded.
        if not item or (b"/" in item and not before.endswith(b"/models/")):
            continue
        if (operation := methods.get(method)) is not None:
            return Match(operation=operation, item=unquote(item.decode("latin-1"), errors="replace"))
        raise _wrong_method(method, methods)
    shown = path[:200].decode("ascii", errors="replace")
    raise MissingPath(f"no interface is served at {shown}; see the address list in the model plaza")


def _wrong_method(method: bytes, methods: dict[bytes, Match] | dict[bytes, Operation]) -> MethodNotAllowed:
    allowed = tuple(sorted(name.decode() for name in methods))
    return MethodNotAllowed(
        f"{method.decode('latin-1')} is not allowed here; use {' or '.join(allowed)}", allowed=allowed
    )


def family_of(path: bytes, headers: dict[bytes, bytes]) -> Family:
    """Whose error shape fits a request, also one whose path is unknown."""
    if path.startswith((b"/gateway/api/v3/", b"/api/v3/")):
        return Family.ARK
    if path.startswith((b"/gateway/api/v1/", b"/api/v1/")):
        return Family.DASHSCOPE
    if b"anthropic-version" in headers or b"/messages" in path or path.startswith(b"/gateway/v1/v1/"):
        return Family.ANTHROPIC
    return Family.OPENAI
