"""What is asked, whether this key may ask it, and who could answer.

1. Only now is the body looked at, so a stranger's bytes are never parsed.
2. Holds nothing that must be given back.
"""

from difflib import get_close_matches

from aimesh.catalog.snapshot import Model
from aimesh.core.errors import ModelNotPermitted, ModelNotResolved, NoCandidates, Unsupported
from aimesh.dataplane.snapshot import VirtualKey, callable_models
from aimesh.dataplane.stages import Admitted, Authenticated
from aimesh.routing.candidate import Candidate
from aimesh.routing.reasons import why_none
from aimesh.routing.supply import Reach

LONGEST_NAME = 200
"""Beyond it a name is no misspelling."""


def admit(caller: Authenticated) -> Admitted:
    """Raises ``BadRequest``, ``ModelNotResolved``, ``ModelNotPermitted``, ``NoCandidates``, ``Unsupported``."""
    call = caller.recognised
    key = caller.key
    peek = call.interface.peek(call.arrival.request.body)
    supply = call.arrival.snapshot.supply
    holdings = supply.of(key.tenant)
    name = key.route_mark, peek.model, call.interface.id
    reach = holdings.reaches.get(name)
    if reach is None:
        reach = _reach(caller, peek.model)
        supply.keep(holdings, name, reach)
    elif key.models is not None:
        _check_permitted(key, reach.model)
    if peek.pinned_response and len(reach.ranking.candidates) > 1:
        raise Unsupported(_why_not_continued(reach.ranking.candidates), param="previous_response_id")
    return Admitted(caller, peek, reach.model, reach.ranking)


def _reach(caller: Authenticated, asked: str) -> Reach:
    """What a word for a model leads to; raises like ``admit``."""
    call = caller.recognised
    snapshot = call.arrival.snapshot
    key = caller.key
    interface = call.interface.id
    found = snapshot.catalog.found.get(asked)
    if found is None:
        raise ModelNotResolved(_unknown(caller, asked))
    _check_permitted(key, found.model)
    supply = snapshot.supply
    holdings = supply.of(key.tenant)
    ranking = supply.ranking(holdings, key.route, found, interface)
    if not ranking.candidates:
        raise NoCandidates(why_none(key.route, found, interface, holdings.held))
    return Reach(found.model, ranking)


def _check_permitted(key: VirtualKey, model: Model) -> None:
    if key.models is not None and model.name not in key.models:
        raise ModelNotPermitted(
            f"Model {model.name} is not permitted for this key. virtualApiKeyAlias={key.alias}"
        )


def _why_not_continued(candidates: tuple[Candidate, ...]) -> str:
    first = candidates[0].endpoint.name
    why = "only the upstream account that made the response can continue it"
    if all(candidate.endpoint.name == first for candidate in candidates):
        return (
            f"previous_response_id needs a single credential, because {why}, and this key's route has "
            f"{len(candidates)} for {first}; give it a route with one"
        )
    return f"previous_response_id needs a single endpoint, because {why}; name one as the model, for example {first}"


def _unknown(caller: Authenticated, asked: str) -> str:
    """Names only models that this key may see."""
    names = [model.name for model in callable_models(caller.recognised.arrival.snapshot, caller.key)]
    # Comparing costs time and memory by the length of the text, which is the caller's to choose.
    close = get_close_matches(asked[:LONGEST_NAME], names, n=1, cutoff=0.6)
    hint = f"; did you mean {close[0]}?" if close else "; GET /gateway/v1/models lists what this key may call"
    return f"Model {asked[:100]!r} is not in the model plaza{hint}"
