"""``POST /messages/count_tokens``: asked of an upstream that can count, else estimated here. Never charged.

An estimate is answered rather than a 404: agents that get a 404 fall back to dozens of paid one-token calls.
"""

from msgspec import structs

from aimesh.dataplane import headers
from aimesh.dataplane.forward import Means
from aimesh.dataplane.stages import Admitted
from aimesh.upstream.attempt import Errand, Whole, attempt
from aimesh.wire.anthropic.count_tokens import COUNTER, encode_count, estimate_tokens


async def count_tokens(admitted: Admitted, means: Means) -> None:
    call = admitted.authenticated.recognised
    arrival = call.arrival
    request = arrival.request
    for candidate in admitted.ranking.candidates:
        if not candidate.endpoint.traits.count_tokens:
            continue
        prepared = COUNTER.prepare(request.body, admitted.peek, candidate.target)
        endpoint = candidate.endpoint
        counting = structs.replace(candidate, path=(endpoint.prefix + endpoint.paths.count_tokens).encode())
        head = headers.upstream_head(request, counting, COUNTER, prepared)
        errand = Errand(COUNTER, head, prepared, means.whole)
        verdict = await attempt(means.client, candidate, errand, means.clock)
        if isinstance(verdict, Whole) and not verdict.encoding:
            arrival.reply.send(200, headers.own_answer(arrival.id), verdict.body)
            return
    body = encode_count(estimate_tokens(request.body))
    arrival.reply.send(200, headers.own_answer(arrival.id, b"x-aimesh-estimated: true\r\n"), body)
