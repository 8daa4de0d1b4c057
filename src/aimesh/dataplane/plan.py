"""The candidates of a call in the order of their attempts."""

from aimesh.dataplane.stages import Admitted, Planned
from aimesh.routing.plan import Planner


def plan(admitted: Admitted, planner: Planner) -> Planned:
    caller = admitted.authenticated
    call = caller.recognised
    arrival = call.arrival
    attempts = admitted.ranking.candidates
    if len(attempts) > 1:
        attempts = planner.plan(
            admitted.ranking,
            key=caller.key.id,
            body=arrival.request.body,
            stream=admitted.peek.stream,
            now_s=arrival.started_s,
        )
    return Planned(
        arrival,
        call.match.operation,
        call.interface,
        caller.key,
        admitted.peek,
        admitted.model,
        attempts,
    )
