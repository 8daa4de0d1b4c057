"""Which candidates can do what is asked, and in what order they are tried."""

from random import Random

from aimesh.core.errors import NoCandidates, Unsupported
from aimesh.dataplane.stages import Admitted, Planned, Resolved
from aimesh.routing.breaker import Breakers
from aimesh.routing.plan import order


def resolve(admitted: Admitted) -> Resolved:
    """Raises ``NoCandidates`` when no usable endpoint of the model speaks the path's interface."""
    call = admitted.authenticated.recognised
    interface = call.interface.id
    if admitted.pinned is None:
        candidates = call.arrival.snapshot.by_model.get((admitted.model.name, interface), ())
    else:
        candidates = tuple(one for one in admitted.pinned if one.endpoint.interface == interface)
    if not candidates:
        raise NoCandidates(_why_none(admitted, interface))
    if admitted.peek.pinned_response and len(candidates) > 1:
        raise Unsupported(
            "previous_response_id needs a single endpoint, because only the upstream that made the response can "
            f"continue it; name one as the model, for example {candidates[0].endpoint.name}",
            param="previous_response_id",
        )
    return Resolved(admitted=admitted, candidates=candidates)


def plan(resolved: Resolved, *, breakers: Breakers, random: Random, now_s: float, most: int) -> Planned:
    attempts = order(resolved.candidates, breakers=breakers, random=random, now_s=now_s, most=most)
    return Planned(resolved=resolved, attempts=attempts)


def _why_none(admitted: Admitted, interface: str) -> str:
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
