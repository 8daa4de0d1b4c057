"""Which of several equals comes first: by dice, or for the sake of a provider's prompt cache.

1. Both give a whole order, in which an item is first as often as its weight says, and the rest likewise in turn.
2. With affinity the order is a function of the key, the beginning of the body and the items' names (weighted
   rendezvous hashing): the same in every worker and after every start, and an item that comes or goes moves only the
   prompts that were its own.
3. Short bodies have no prefix worth a cache and are always diced.
"""

from collections.abc import Sequence
from math import log
from random import Random
from typing import TypeVar
from zlib import crc32

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


def dice(items: Sequence[T], weights: Sequence[int], random: Random) -> Sequence[T]:
    throw = random.random
    if weights.count(weights[0]) == len(weights):
        if len(items) == 2:
            return items if throw() < 0.5 else items[::-1]
        return sorted(items, key=lambda _: throw())
    # Exponential clocks: the one that rings first is i with probability weight(i) / sum.
    rings = [-log(1.0 - throw()) / weight for weight in weights]
    return _by(rings, items)


def prefer(items: Sequence[T], weights: Sequence[int], seeds: Sequence[int], prompt: int) -> Sequence[T]:
    """``prompt``: see ``prompt_hash``; ``seeds``: odd numbers of 64 bits."""
    if weights.count(weights[0]) == len(weights):
        return _by([_score(prompt, seed) for seed in seeds], items)
    # The same clocks, set by the hash.
    rings = [
        -log((_score(prompt, seed) + 1) * _SPAN) / weight for seed, weight in zip(seeds, weights, strict=True)
    ]
    return _by(rings, items)


def _score(prompt: int, seed: int) -> int:
    """64 bits. The two rounds undo what sums and products have in common between seeds."""
    score = prompt * seed & _MASK
    return (score ^ score >> 32) * _MIX & _MASK


def _by(keys: Sequence[float], items: Sequence[T]) -> Sequence[T]:
    if len(items) == 2:
        return items if keys[0] <= keys[1] else items[::-1]
    return [items[index] for index in sorted(range(len(items)), key=keys.__getitem__)]
