"""``Idempotency-Key`` on calls that make something that costs again when repeated (tasks, pictures).

1. The same key and body gives the first answer again, for 24 hours, per virtual key; another body is a 409.
2. A second call while the first still runs waits for it, and is told 409 when that takes too long.
3. A first call that certainly made nothing frees its key; one that may have made something keeps it, and its
   repetitions are told 409.
4. So are those of an answer that cannot be replayed: a stream, a compressed one, one too large to keep.
5. While the database is away such a call is refused and nothing is done: what was made under its key before cannot be
   known, and a second film costs more than a second try.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from hashlib import sha256

from aimesh.core.errors import (
    BadRequest,
    CallerFault,
    Fault,
    IdempotencyConflict,
    Unavailable,
    UpstreamRateLimited,
)
from aimesh.dataplane import headers
from aimesh.dataplane.operations import family_of
from aimesh.dataplane.stages import Arrival, Authenticated
from aimesh.store.database import StoreError
from aimesh.store.idempotency import (
    Begun,
    Claim,
    Conflict,
    IdempotencyStore,
    InProgress,
    Replayed,
    StoredAnswer,
)
from aimesh.upstream.attempt import Whole
from aimesh.wire.faults import encode_fault

HEADER = b"idempotency-key"
LONGEST_KEY = 255
WAIT_S = 60.0
LARGEST_KEPT_BYTES = 1024 * 1024


def claim_of(caller: Authenticated) -> Claim | None:
    """None: the call carries no key, or its kind is safe to repeat. Raises ``BadRequest`` for a bad key."""
    call = caller.recognised
    request = call.arrival.request
    value = request.headers.get(HEADER)
    if value is None or not call.interface.once:
        return None
    if not value or len(value) > LONGEST_KEY:
        raise BadRequest(f"Idempotency-Key has 1 to {LONGEST_KEY} characters")
    digest = sha256(b"\n".join((request.method, request.path, request.body))).digest()
    return Claim(
        key_id=caller.key.id,
        idempotency_key=value.decode("latin-1"),
        body_sha256=digest,
        request_id=call.arrival.id,
    )


async def once(
    arrival: Arrival,
    claim: Claim,
    *,
    store: IdempotencyStore,
    call: Callable[[], Awaitable[StoredAnswer | None]],
) -> None:
    """Makes the call, or answers with what the first one got."""
    try:
        begun = await store.begin(claim, wait_s=WAIT_S)
    except StoreError as error:
        raise Unavailable("Idempotency-Key cannot be looked up now; nothing was done, try again") from error
    match begun:
        case Replayed():
            answer = begun.answer
            arrival.reply.send(answer.status, answer.headers + b"x-aimesh-replayed: true\r\n", answer.body)
        case Conflict():
            raise IdempotencyConflict("Idempotency-Key was used with another request")
        case InProgress():
            raise IdempotencyConflict("The first request with this Idempotency-Key is still running")
        case Begun():
            try:
                made = await call()
            except Fault as fault:
                # The caller hears of the fault, whatever the database says; a claim runs out by itself.
                with suppress(StoreError):
                    if _may_have_made(fault):
                        words = "failed after it may have been accepted; it is not sent again"
                        await store.finish(claim, _unrepeatable(arrival, words))
                    else:
                        await store.abandon(claim)
                raise
            with suppress(StoreError):
                words = "was answered; its answer was not kept"
                await store.finish(claim, made or _unrepeatable(arrival, words))


def _may_have_made(fault: Fault) -> bool:
    """A rate limit asks not to retry because the wait is long, and a refusal because it is useless."""
    return fault.should_retry is False and not isinstance(fault, CallerFault | UpstreamRateLimited)


def _unrepeatable(arrival: Arrival, words: str) -> StoredAnswer:
    """The answer to every repetition of a call whose own answer cannot be given again."""
    request = arrival.request
    fault = IdempotencyConflict(f"The first request with this Idempotency-Key {words}")
    return StoredAnswer(
        request_id=arrival.id,
        status=fault.status,
        headers=headers.fault_answer(fault, arrival.id),
        body=encode_fault(
            family_of(request.path, request.headers),
            fault,
            request_id=arrival.id,
            path=request.path.decode("ascii", errors="replace"),
        ),
    )


def stored(arrival: Arrival, whole: Whole) -> StoredAnswer | None:
    """What a repetition will be answered with. A compressed answer is not kept, because the next caller may not
    read it, nor one too large for a database (pictures as base64)."""
    if whole.encoding or len(whole.body) > LARGEST_KEPT_BYTES:
        return None
    return StoredAnswer(
        request_id=arrival.id,
        status=whole.head.status,
        headers=headers.own_answer(arrival.id),
        body=whole.body,
    )
