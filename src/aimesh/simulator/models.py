"""Model names the simulated Ark knows, and which names nobody knows.

1. Every name is served unless it says that it does not exist; a real provider's list would age.
"""

from aimesh.simulator import failures
from aimesh.simulator.answers import Answer, Call, Json, Refusal, whole
from aimesh.simulator.world import World

# volcengine.com/docs/82379: the model list; public name to dated Model ID.
_DATED = {
    "doubao-seed-2.0-pro": "doubao-seed-2-0-pro-260215",
    "doubao-seed-2.0-lite": "doubao-seed-2-0-lite-260428",
    "doubao-seed-2.0-mini": "doubao-seed-2-0-mini-260428",
    "doubao-seed-2.0-code": "doubao-seed-2-0-code-preview-260215",
    "doubao-seedream-5.0-lite": "doubao-seedream-5-0-260128",
    "doubao-seedream-4.5": "doubao-seedream-4-5-251128",
    "doubao-seedream-4.0": "doubao-seedream-4-0-250828",
    "doubao-seedance-2.0": "doubao-seedance-2-0-260128",
    "doubao-seedance-2.0-fast": "doubao-seedance-2-0-fast-260128",
    "doubao-seedance-1.5-pro": "doubao-seedance-1-5-pro-251215",
    "doubao-seedance-1.0-pro": "doubao-seedance-1-0-pro-250528",
    "doubao-seedance-1.0-pro-fast": "doubao-seedance-1-0-pro-fast-251015",
    "doubao-embedding-vision": "doubao-embedding-vision-251215",
    "doubao-seed3d-2.0": "doubao-seed3d-2-0-260328",
    "Hyper3d-Gen2": "hyper3d-gen2-260112",
    "Hitem3d-2.0": "hitem3d-2-0-251223",
}
_LISTED = (
    "qwen3.7-max",
    "deepseek-v4-pro",
    "text-embedding-v4",
    "claude-opus-4-6",
    "gpt-image-1",
    *_DATED.values(),
)
NOBODY = "no-such-model"
"""A model whose name holds this word is unknown to every simulated provider."""


def dated(model: str) -> str:
    """Ark answers with the dated id."""
    return _DATED.get(model, model)


def answer(call: Call, _world: World) -> Answer:
    """``GET /models`` and ``/models/{id}``: one document that both SDK families read."""
    if call.rest:
        if NOBODY in call.rest:
            raise failures.model_not_found(call.dialect, call.rest)
        return whole(_entry(call.rest))
    entries = [_entry(name) for name in _LISTED]
    return whole(
        {
            "object": "list",
            "data": entries,
            "has_more": False,
            "first_id": _LISTED[0],
            "last_id": _LISTED[-1],
        }
    )


def _entry(name: str) -> Json:
    return {
        "id": name,
        "object": "model",
        "created": 1767225600,
        "owned_by": "simulated",
        "type": "model",
        "display_name": f"{name} (simulated)",
        "created_at": "2026-01-01T00:00:00Z",
    }


def require_model(call: Call) -> str:
    """The model of the call, or the refusal that its absence deserves."""
    model = call.body.get("model")
    if not isinstance(model, str) or not model:
        raise failures.missing_model(call.dialect)
    if NOBODY in model:
        raise failures.model_not_found(call.dialect, model)
    return model


def unsupported(message: str) -> Refusal:
    return Refusal(400, "InvalidParameter.UnsupportedParameter", message)
