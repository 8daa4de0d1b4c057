"""The plan of a call: which candidates are tried, in what order.

1. A ranking says the order but for its equals; those are drawn per call, by dice or by affinity, each as often as its
   provider's weight says. So are the built-in credentials of one endpoint.
2. Ranked by measurements, the endpoints of a tier that were never measured, or long ago, come first, in order of
   price, so that they get measured. Of the others, sorted from the best, the best and those within ``EQUAL`` of it are
   equals, then the best of the rest and those within ``EQUAL`` of that one, and so on. That holds for ``RANKED_S``.
3. What an endpoint is worth is what was measured with the credential that would be tried there first.
4. A candidate whose circuit is open goes to the end, not away: when nothing else works, trying it beats refusing.
5. A call that meets no open circuit and no equals costs a few comparisons.
"""

from collections.abc import Callable, Sequence
from random import Random

from aimesh.core.ids import KeyId
from aimesh.core.policy import RankBy
from aimesh.routing.breaker import Breakers
from aimesh.routing.candidate import Candidate
from aimesh.routing.draw import AFFINITY_BYTES, dice, prefer, prompt_hash
from aimesh.routing.measure import Measures
from aimesh.routing.rank import Group, Ranking, Stop, Tier, group_of

EQUAL = 1.1
"""Values that differ by less than this factor are equal."""

RANKED_S = 0.1
"""Measurements move slowly; sorting by them costs more than all the rest of planning."""

Worth = Callable[[Stop], float | None]
"""Lower is better; None: not known."""


class Planner:
    """One per worker."""

    __slots__ = ("_breakers", "_measures", "_most", "_random")

    def __init__(self, breakers: Breakers, measures: Measures, *, random: Random, most: int) -> None:
        """``most``: attempts of a call whose ranking is capped."""
        self._breakers = breakers
        self._measures = measures
        self._random = random
        self._most = most

    def plan(
        self, ranking: Ranking, *, key: KeyId, body: bytes, stream: bool, now_s: float
    ) -> tuple[Candidate, ...]:
        """The candidates in the order of their attempts. ``now_s``: monotonic."""
        found = ranking.candidates
        if ranking.tiers:
            found = self._drawn(ranking, key=key, body=body, stream=stream, now_s=now_s)
        if self._breakers.troubled:
            found = self._cooling_last(found, now_s)
        if ranking.is_capped and len(found) > self._most:
            return found[: self._most]
        return found

    def _cooling_last(self, candidates: tuple[Candidate, ...], now_s: float) -> tuple[Candidate, ...]:
        troubled = self._breakers.troubled
        ready: list[Candidate] = []
        cooling: list[Candidate] = []
        for candidate in candidates:
            breaker = troubled.get(candidate.circuit)
            (ready if breaker is None or breaker.allows(now_s) else cooling).append(candidate)
        return tuple(ready + cooling) if cooling else candidates

    def _drawn(
        self, ranking: Ranking, *, key: KeyId, body: bytes, stream: bool, now_s: float
    ) -> tuple[Candidate, ...]:
        has_prefix = ranking.affinity and len(body) >= AFFINITY_BYTES
        prompt = prompt_hash(key, body) if has_prefix else 0
        found: list[Candidate] = []
        tiers = ranking.tiers
        remembered = ranking.streamed if stream else ranking.whole
        if remembered is not None:
            if now_s >= remembered.until_s:
                worth = self._worth(ranking.rank_by, stream=stream, now_s=now_s)
                remembered.tiers = tuple(_measured(tier, worth) for tier in tiers)
                remembered.until_s = now_s + RANKED_S
            tiers = remembered.tiers
        for tier in tiers:
            for group in tier:
                stops: Sequence[Stop] = group.items
                if len(stops) > 1:
                    stops = prefer(group, prompt) if prompt else dice(group, self._random)
                for stop in stops:
                    if stop.shared is None:
                        found += stop.whole
                    else:
                        found += stop.own
                        found += prefer(stop.shared, prompt) if prompt else dice(stop.shared, self._random)
        return tuple(found)

    def _worth(self, rank_by: RankBy, *, stream: bool, now_s: float) -> Worth:
        measures, troubled = self._measures, self._breakers.troubled

        def one(candidate: Candidate) -> float | None:
            if rank_by is RankBy.LATENCY:
                return measures.ttfb_s(candidate.circuit, stream=stream, now_s=now_s)
            pace = measures.tokens_per_s(candidate.circuit, stream=stream, now_s=now_s)
            return 1.0 / pace if pace else None

        def worth(stop: Stop) -> float | None:
            for candidate in stop.own:
                breaker = troubled.get(candidate.circuit)
                if breaker is None or breaker.allows(now_s):
                    return one(candidate)
            known = [value for each in stop.built_in if (value := one(each)) is not None]
            return min(known, default=None)

        return worth


def _measured(tier: Tier, worth: Worth) -> Tier:
    """The groups of a tier by measurement instead of price."""
    groups: list[Group] = []
    known: list[tuple[float, Stop]] = []
    for group in tier:
        new: list[Stop] = []
        for stop in group.items:
            value = worth(stop)
            if value is None:
                new.append(stop)
            else:
                known.append((value, stop))
        if new:
            groups.append(group_of(new))
    known.sort(key=lambda pair: pair[0])
    best = 0.0
    equals: list[Stop] = []
    for value, stop in known:
        if equals and value > best * EQUAL:
            groups.append(group_of(equals))
            equals = []
        if not equals:
            best = value
        equals.append(stop)
    if equals:
        groups.append(group_of(equals))
    return tuple(groups)
