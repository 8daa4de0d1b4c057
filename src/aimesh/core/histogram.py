"""Counts of durations over fixed logarithmic buckets: small to keep, merged by adding, and good for percentiles.

1. A bucket ends a tenth above where it begins. Its geometric middle, which stands for all of it, is at most 4.9 % off.
2. The first bucket ends at a millisecond, the last has no end (from about an hour on).
3. Buckets never change: counts of years ago are added to those of today.
"""

import math
from collections.abc import Iterable, Mapping

import msgspec

RATIO = 1.1
LAST = 160
"""The highest bucket; begins above ``RATIO ** (LAST - 1)`` milliseconds."""

Counts = dict[int, int]
"""Bucket to how many fell into it; empty buckets are left out."""

_PER_BUCKET = math.log(RATIO)
_DECODER = msgspec.json.Decoder(Counts)


def bucket_of(ms: float) -> int:
    if ms <= 1.0:
        return 0
    return min(LAST, math.ceil(math.log(ms) / _PER_BUCKET))


def middle_ms(bucket: int) -> float:
    """What stands for the bucket."""
    return float(RATIO ** (bucket - 0.5))


def merged(several: Iterable[Mapping[int, int]]) -> Counts:
    counts: Counts = {}
    for each in several:
        for bucket, count in each.items():
            counts[bucket] = counts.get(bucket, 0) + count
    return counts


def quantile_ms(counts: Mapping[int, int], share: float) -> float | None:
    """The duration that ``share`` (0 to 1) of all do not exceed; None: nothing was counted."""
    total = sum(counts.values())
    if total == 0:
        return None
    rank = max(1, math.ceil(share * total))
    for bucket in sorted(counts):
        rank -= counts[bucket]
        if rank <= 0:
            return middle_ms(bucket)
    raise AssertionError("the ranks end with the total")


def encode_counts(counts: Mapping[int, int]) -> str:
    """JSON, sorted by bucket."""
    return "{" + ",".join(f'"{bucket}":{counts[bucket]}' for bucket in sorted(counts)) + "}"


def decode_counts(text: str) -> Counts:
    """Raises ``msgspec.DecodeError`` where the text is no such JSON."""
    return _DECODER.decode(text)
