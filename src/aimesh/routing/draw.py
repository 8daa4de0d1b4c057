"""Which of several equals comes first: by dice, or for the sake of a provider's prompt cache.

1. Both give a whole order, in which an item is first as often as its weight says, and the rest likewise in turn.
2. With affinity the order is a function of the key, the beginning of the body and the items' names (weighted
   rendezvous hashing): the same in every worker and after every start, and an item that comes or goes moves only the
   prompts that were its own.
3. Short bodies have no prefix worth a cache and are always diced.
"""

from collections.abc import Sequence
from hashlib import blake2b
from math import log
from random import Random
from typing import Generic, TypeVar
from zlib import crc32

from msgspec import Struct

from aimesh.core.ids import KeyId

AFFINITY_BYTES = 2048
"""Providers cache prompts from about a thousand tokens on; what differs between turns comes later."""

T = TypeVar("T")

_MASK = (1 << 64) - 1
_MIX = 0xBF58476D1CE4E5B9
_SPAN = 1.0 / (1 << 64)


def prompt_hash(key: KeyId, body: bytes) -> int:
    """Of a key and the first ``AFFINITY_BYTES`` of a body. Never 0, which multiplies to nothing."""
    return crc32(body[:AFFINITY_BYTES], crc32(key.encode())) + 1


def seed_of(*names: str) -> int:
    """An odd number of 64 bits, the same in every worker and after every start."""
    return int.from_bytes(blake2b("\0".join(names).encode(), digest_size=8).digest(), "big") | 1


class Equals(Struct, Generic[T], frozen=True):
    """Items of equal rank, with what a draw needs to know of each."""

    items: tuple[T, ...]
    seeds: tuple[int, ...]
    """See ``seed_of``."""
    weights: tuple[int, ...] = ()
    """Empty: all alike."""


def equals(items: Sequence[T], *, seeds: Sequence[int], weights: Sequence[int]) -> Equals[T]:
    is_even = len(set(weights)) < 2
    return Equals(tuple(items), tuple(seeds), () if is_even else tuple(weights))


def dice(among: Equals[T], random: Random) -> Sequence[T]:
    items = among.items
    throw = random.random
    if among.weights:
        # Exponential clocks: i rings first with probability weight(i) / sum.
        return _by([-log(1.0 - throw()) / weight for weight in among.weights], items)
    if len(items) == 2:
        return items if throw() < 0.5 else items[::-1]
    order = list(items)
    for last in range(len(order) - 1, 0, -1):
        # ``Random.shuffle`` takes three times as long for the same.
        other = int(throw() * (last + 1))
        order[last], order[other] = order[other], order[last]
    return order


def prefer(among: Equals[T], prompt: int) -> Sequence[T]:
    """``prompt``: see ``prompt_hash``."""
    # Two rounds undo what products with one factor in common have in common; the low bits of a product are poor.
    scores = [((mixed := prompt * seed & _MASK) ^ mixed >> 32) * _MIX & _MASK for seed in among.seeds]
    if among.weights:
        # The same clocks, set by the hash.
        weighted = zip(scores, among.weights, strict=True)
        return _by([-log((score + 1) * _SPAN) / weight for score, weight in weighted], among.items)
    return _by(scores, among.items)


def _by(keys: Sequence[float], items: tuple[T, ...]) -> Sequence[T]:
    if len(items) == 2:
        return items if keys[0] <= keys[1] else items[::-1]
    return [items[index] for index in sorted(range(len(items)), key=keys.__getitem__)]
