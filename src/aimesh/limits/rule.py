"""Whether a call fits under a ceiling.

1. A ceiling that is reached refuses every call, whatever the call would use.
2. A call fits if what was used, what is held and its own estimate stay within the limit.
3. A call also fits while no other is held, so that the rest of a quota, or a quota smaller than the largest
   answer of a model, can be used up; one call may overshoot, never two at once.
"""

from enum import IntEnum


class Verdict(IntEnum):
    FITS = 0
    BUSY = 1
    """Only calls in progress stand in the way."""
    SPENT = 2


# The members themselves: an enum's attribute costs a look-up each time.
FITS, BUSY, SPENT = Verdict.FITS, Verdict.BUSY, Verdict.SPENT


def judge(limit: int, used: int, held: int, amount: int) -> Verdict:
    """``held`` has the call's own ``amount`` in it already."""
    if used >= limit:
        return SPENT
    if used + held <= limit or held <= amount or not amount:
        return FITS
    return BUSY
