"""What is asked, whether this key may ask it, and who could answer.

1. Only now is the body looked at, so a stranger's bytes are never parsed.
2. Holds nothing that must be given back.
"""

from difflib import get_close_matches

from aimesh.core.errors import ModelNotPermitted, ModelNotResolved, NoCandidates, Unsupported
from aimesh.core.ids import InterfaceId
from aimesh.dataplane.snapshot import callable_models
from aimesh.dataplane.stages import Admitted, Authenticated
from aimesh.routing.candidate import Candidate

LONGEST_NAME = 200
"""Beyond it a name is no misspelling."""


def admit(caller: Authenticated) -> Admitted:
    """Raises ``BadRequest``, ``ModelNotResolved``, ``ModelNotPermitted``, ``NoCandidates``, ``Unsupported``."""
    call = caller.recognised
    snapshot = call.arrival.snapshot
    interface = call.interface
    peek = interface.peek(call.arrival.request.body)
    found = snapshot.catalog.found.get(peek.model)
    if found is None:
        raise ModelNotResolved(_unknown(caller, peek.model))
    model = found.model
    permitted = caller.key.models
    if permitted is not None and model.name not in permitted:
        raise ModelNotPermitted(
            f"Model {model.name} is not permitted for this key. virtualApiKeyAlias={caller.key.alias}"
        )
    candidates: tuple[Candidate, ...]
    if found.pinned is None:
        candidates = snapshot.by_model.get((model.name, interface.id), ())
    elif found.pinned.interface == interface.id:
        candidates = snapshot.by_endpoint.get(found.pinned.name, ())
    else:
        candidates = ()
    admitted = Admitted(caller, peek, model, candidates)
    if not candidates:
        raise NoCandidates(_why_none(admitted, interface.id))
    if peek.pinned_response and len(candidates) > 1:
        raise Unsupported(
            "previous_response_id needs a single endpoint, because only the upstream that made the response can "
            f"continue it; name one as the model, for example {candidates[0].endpoint.name}",
            param="previous_response_id",
        )
    return admitted


def _unknown(caller: Authenticated, asked: str) -> str:
    """Names only models that this key may see."""
    names = [model.name for model in callable_models(caller.recognised.arrival.snapshot, caller.key)]
    # Comparing costs time and memory by the length of the text, which is the caller's to choose.
    close = get_close_matches(asked[:LONGEST_NAME], names, n=1, cutoff=0.6)
    hint = f"; did you mean {close[0]}?" if close else "; GET /gateway/v1/models lists what this key may call"
    return f"Model {asked[:100]!r} is not in the model plaza{hint}"


def _why_none(admitted: Admitted, interface: InterfaceId) -> str:
    model = admitted.model
    spoken = sorted({endpoint.interface for endpoint in model.endpoints})
    if interface not in spoken:
        return (
            f"Model {model.name} has no endpoint of interface {interface}; it speaks {', '.join(spoken)}. "
            "The model's page shows the address to use"
        )
    providers = sorted({e.provider for e in model.endpoints if e.interface == interface})
    return (
        f"No endpoint of {model.name} has a usable credential; an administrator can add one for "
        f"{', '.join(providers)}"
    )
