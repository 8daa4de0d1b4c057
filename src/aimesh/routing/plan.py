"""The plan of a call: which candidates are tried, in what order.

1. Candidates come ranked by price (the snapshot sorts them once); equal prices are shuffled per call.
2. A candidate whose circuit is open goes to the end, not away: when nothing else works, trying it beats refusing.
3. A pinned endpoint is the whole plan.
"""

from collections.abc import Sequence
from random import Random

from aimesh.routing.breaker import Breakers
from aimesh.routing.candidate import Candidate


def order(
    candidates: Sequence[Candidate], *, breakers: Breakers, random: Random, now_s: float, most: int
) -> tuple[Candidate, ...]:
    """At most ``most`` candidates in the order of their attempts."""
    if len(candidates) == 1:
        return (candidates[0],)
    ready: list[Candidate] = []
    cooling: list[Candidate] = []
    for candidate in candidates:
        (ready if breakers.of(candidate.circuit).allows(now_s) else cooling).append(candidate)
    _shuffle_equals(ready, random)
    return tuple((ready + cooling)[:most])


def _shuffle_equals(ranked: list[Candidate], random: Random) -> None:
    """Spreads load over endpoints of the same price; an unknown price ranks last and is its own group."""
    start = 0
    for index in range(1, len(ranked) + 1):
        if index < len(ranked) and ranked[index].endpoint.blended_rank == ranked[start].endpoint.blended_rank:
            continue
        if index - start > 1:
            group = ranked[start:index]
            random.shuffle(group)
            ranked[start:index] = group
        start = index
