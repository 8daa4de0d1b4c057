"""The candidates of a call in the order of their attempts."""

from random import Random

from aimesh.dataplane.stages import Admitted, Planned
from aimesh.routing.breaker import Breakers
from aimesh.routing.plan import order


def plan(admitted: Admitted, *, breakers: Breakers, random: Random, now_s: float, most: int) -> Planned:
    candidates = admitted.candidates
    if len(candidates) > 1:
        candidates = order(candidates, breakers=breakers, random=random, now_s=now_s, most=most)
    caller = admitted.authenticated
    call = caller.recognised
    return Planned(
        call.arrival,
        call.match.operation,
        call.interface,
        caller.key,
        admitted.peek,
        admitted.model,
        candidates,
    )
