"""What is asked, and whether this key may ask it: reads the body's few fields and checks the model.

Only now is the body looked at, so a stranger's bytes are never parsed.
"""

from difflib import get_close_matches

from aimesh.core.errors import ModelNotPermitted, ModelNotResolved
from aimesh.dataplane.snapshot import callable_models
from aimesh.dataplane.stages import Admitted, Authenticated


def admit(caller: Authenticated) -> Admitted:
    """Raises ``BadRequest``, ``ModelNotResolved``, ``ModelNotPermitted``."""
    call = caller.recognised
    snapshot = call.arrival.snapshot
    peek = call.interface.peek(call.arrival.request.body)
    found = snapshot.catalog.find(peek.model)
    if found is None:
        raise ModelNotResolved(_unknown(caller, peek.model))
    model = found.model
    if caller.key.models is not None and model.name not in caller.key.models:
        raise ModelNotPermitted(
            f"Model {model.name} is not permitted for this key. virtualApiKeyAlias={caller.key.alias}"
        )
    pinned = None if found.pinned is None else snapshot.by_endpoint.get(found.pinned.name, ())
    return Admitted(authenticated=caller, peek=peek, model=model, pinned=pinned)


def _unknown(caller: Authenticated, asked: str) -> str:
    """Names only models that this key may see."""
    names = [model.name for model in callable_models(caller.recognised.arrival.snapshot, caller.key)]
    close = get_close_matches(asked, names, n=1, cutoff=0.6)
    hint = f"; did you mean {close[0]}?" if close else "; GET /gateway/v1/models lists what this key may call"
    return f"Model {asked[:100]!r} is not in the model plaza{hint}"
