"""Slows down addresses that guess: after some failures, each further attempt waits twice as long.

1. Only failures count. A success takes back those of the same account alone: who knows one password does not win
   free guesses at others. All are forgotten by themselves after ``FORGET_S``.
2. An IPv6 address counts as its /64, which is what one household or host is given.
3. At most ``MOST`` addresses are remembered; the ones that failed longest ago give way. It is memory of this
   process and a second line of defence: an account locks itself in the database.
"""

import ipaddress
from collections import OrderedDict
from threading import Lock

from msgspec import Struct

FREE_FAILURES = 10
LONGEST_WAIT_S = 60.0
FORGET_S = 900.0
MOST = 10_000


class _Failures(Struct):
    count: int
    last_s: float


class Throttle:
    """Any thread may use it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._failures: OrderedDict[str, _Failures] = OrderedDict()

    def wait_s(self, address: str, now_s: float) -> float:
        """How long this address has to wait before it may try; 0: not at all."""
        with self._lock:
            found = self._failures.get(_network(address))
            if found is None or found.count < FREE_FAILURES or now_s - found.last_s >= FORGET_S:
                return 0.0
            pause = min(LONGEST_WAIT_S, 2.0 ** min(found.count - FREE_FAILURES, 6))
            return max(0.0, found.last_s + pause - now_s)

    def failed(self, address: str, now_s: float) -> None:
        name = _network(address)
        with self._lock:
            found = self._failures.pop(name, None)
            if found is None or now_s - found.last_s >= FORGET_S:
                found = _Failures(count=0, last_s=now_s)
            self._failures[name] = _Failures(count=found.count + 1, last_s=now_s)
            if len(self._failures) > MOST:
                self._failures.popitem(last=False)

    def succeeded(self, address: str, failures: int) -> None:
        """``failures``: in a row at the account that was signed in to now."""
        name = _network(address)
        with self._lock:
            found = self._failures.get(name)
            if found is None or not failures:
                return
            if found.count <= failures:
                del self._failures[name]
            else:
                self._failures[name] = _Failures(count=found.count - failures, last_s=found.last_s)


def _network(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        mapped = parsed.ipv4_mapped
        if mapped is not None:
            return str(mapped)
        return str(ipaddress.IPv6Network((parsed, 64), strict=False))
    return address
