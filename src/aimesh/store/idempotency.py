"""Remembers answers by ``Idempotency-Key``, so that a request that is sent again is not done again.

1. A pair (virtual key, idempotency key) belongs to the first body that came with it; another body is a
   conflict.
2. Of calls that come at the same time one is told to go on; the others wait, or are told that it is in
   progress.
3. ``finish`` and ``abandon`` count only for the call that began: a late one whose claim ran out changes
   nothing.
4. An answer is kept for ``keep_s`` from the beginning of its call. A claim without an answer (the process was
   killed) runs out after ``claim_s``, which is longer than any call may take.
"""

import asyncio

from msgspec import Struct

from aimesh.core.clock import Clock
from aimesh.core.ids import KeyId, RequestId
from aimesh.store.database import Database, Row, Session, Value

_FIRST_LOOK_S = 0.02
_LONGEST_LOOK_S = 0.5


class StoredAnswer(Struct, frozen=True):
    request_id: RequestId
    """Of the call that made it."""
    status: int
    headers: bytes
    """Encoded header lines, as they went out."""
    body: bytes


class Begun(Struct, frozen=True):
    """Nobody did this before: go on, then ``finish`` or ``abandon``."""


class Replayed(Struct, frozen=True):
    answer: StoredAnswer


class Conflict(Struct, frozen=True):
    """The key came before with another body."""


class InProgress(Struct, frozen=True):
    """The first call has not ended."""


class IdempotencyPolicy(Struct, frozen=True):
    keep_s: float = 24 * 3600.0
    claim_s: float = 1200.0


class Claim(Struct, frozen=True):
    """A call that carries an idempotency key."""

    key_id: KeyId
    idempotency_key: str
    body_sha256: bytes
    """Of method, path and body: the same body on another path is another request."""
    request_id: RequestId


_FIND = """
SELECT body_sha256, request_id, status, headers, body FROM idempotency
WHERE key_id = :key_id AND idempotency_key = :idempotency_key AND expires_at_s > :now_s"""

_BEGIN = """
INSERT INTO idempotency (
    key_id, idempotency_key, body_sha256, request_id, status, headers, body, created_at_s, expires_at_s
) VALUES (
    :key_id, :idempotency_key, :body_sha256, :request_id, NULL, NULL, NULL, :now_s, :expires_at_s
) ON CONFLICT (key_id, idempotency_key) DO UPDATE SET
    body_sha256 = excluded.body_sha256, request_id = excluded.request_id, status = NULL, headers = NULL,
    body = NULL, created_at_s = excluded.created_at_s, expires_at_s = excluded.expires_at_s
WHERE idempotency.expires_at_s <= :now_s"""
"""Touches no row when another call, whose transaction ended meanwhile, was first."""

_FINISH = """
UPDATE idempotency SET
    status = :status, headers = :headers, body = :body, expires_at_s = created_at_s + :keep_s
WHERE key_id = :key_id AND idempotency_key = :idempotency_key AND request_id = :request_id AND status IS
NULL"""

_ABANDON = """
DELETE FROM idempotency
WHERE key_id = :key_id AND idempotency_key = :idempotency_key AND request_id = :request_id AND status IS
NULL"""


class IdempotencyStore:
    def __init__(self, database: Database, clock: Clock, policy: IdempotencyPolicy | None = None) -> None:
        self._database = database
        self._clock = clock
        self._policy = policy or IdempotencyPolicy()

    async def begin(self, claim: Claim, *, wait_s: float = 0.0) -> Begun | Replayed | Conflict | InProgress:
        """Waits up to ``wait_s`` for a first call that has not ended."""
        end_s = self._clock.monotonic_s() + wait_s
        look_s = _FIRST_LOOK_S
        while True:
            found = await self._begin_now(claim)
            left_s = end_s - self._clock.monotonic_s()
            if not isinstance(found, InProgress) or left_s <= 0:
                return found
            await asyncio.sleep(min(look_s, left_s))
            look_s = min(look_s * 2, _LONGEST_LOOK_S)

    async def _begin_now(self, claim: Claim) -> Begun | Replayed | Conflict | InProgress:
        now_s = self._clock.wall_s()
        values: dict[str, Value] = {
            "key_id": claim.key_id,
            "idempotency_key": claim.idempotency_key,
            "body_sha256": claim.body_sha256,
            "request_id": claim.request_id,
            "now_s": now_s,
            "expires_at_s": now_s + self._policy.claim_s,
        }

        def work(session: Session) -> Begun | Replayed | Conflict | InProgress:
            row = session.one(_FIND, values)
            if row is None and session.change(_BEGIN, values):
                return Begun()
            row = row or session.one(_FIND, values)
            # None: the one that was first has given up already.
            return _judged(row, claim) if row is not None else InProgress()

        return await self._database.write(work)

    async def finish(self, claim: Claim, answer: StoredAnswer) -> bool:
        """False: the claim had run out and belongs to another call."""
        values = {
            **_names(claim),
            "status": answer.status,
            "headers": answer.headers,
            "body": answer.body,
            "keep_s": self._policy.keep_s,
        }
        return await self._database.write(lambda session: session.change(_FINISH, values) > 0)

    async def abandon(self, claim: Claim) -> bool:
        """The call certainly did nothing: the next one with this key may try."""
        values = _names(claim)
        return await self._database.write(lambda session: session.change(_ABANDON, values) > 0)

    async def purge(self) -> int:
        """Removes what ran out; gives how many."""
        sql = "DELETE FROM idempotency WHERE expires_at_s <= :now_s"
        now_s = self._clock.wall_s()
        return await self._database.write(lambda session: session.change(sql, {"now_s": now_s}))


def _names(claim: Claim) -> dict[str, Value]:
    return {
        "key_id": claim.key_id,
        "idempotency_key": claim.idempotency_key,
        "request_id": claim.request_id,
    }


def _judged(row: Row, claim: Claim) -> Replayed | Conflict | InProgress:
    if row["body_sha256"] != claim.body_sha256:
        return Conflict()
    if row["status"] is None:
        return InProgress()
    return Replayed(
        StoredAnswer(
            request_id=row["request_id"], status=row["status"], headers=row["headers"], body=row["body"]
        )
    )
