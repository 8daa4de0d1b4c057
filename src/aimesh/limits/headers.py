"""Header lines that tell a caller its limits: the fixed parts are made once per account, the numbers per answer.

1. Several token quotas share each header, as lists aligned by position.
2. ``used`` is without the call itself; ``remaining`` is never negative.
"""

from collections.abc import Sequence

from aimesh.core.policy import Period, Quota

_CODES = {Period.DAILY: "PDO", Period.WEEKLY: "PWO", Period.MONTHLY: "PMO", Period.TOTAL: "PTO"}
_NAME = "x-czgw-ratelimit-api-key-token"
_REMAINING = f"\r\n{_NAME}-remaining: ".encode()


def quota_head(quotas: Sequence[Quota]) -> bytes:
    """The part that depends on the quotas only, up to the numbers used."""
    periods = ", ".join(_CODES[quota.period] for quota in quotas)
    limits = ", ".join(str(quota.limit) for quota in quotas)
    return f"{_NAME}-period: {periods}\r\n{_NAME}-limit: {limits}\r\n{_NAME}-used: ".encode()


def quota_lines(head: bytes, limits: Sequence[int], used: Sequence[int]) -> bytes:
    if len(limits) == 1:
        one = used[0]
        return b"%b%d%b%d\r\n" % (head, one, _REMAINING, max(limits[0] - one, 0))
    spent = ", ".join(map(str, used)).encode()
    left = ", ".join(str(max(limit - one, 0)) for limit, one in zip(limits, used, strict=True)).encode()
    return b"%b%b%b%b\r\n" % (head, spent, _REMAINING, left)


def rate_lines(noun: bytes, limit: int, remaining: int, reset_s: int) -> bytes:
    """``noun``: ``requests`` or ``tokens``. The time is written as OpenAI writes it: ``1s``, ``1m0s``."""
    reset = b"%dm%ds" % divmod(reset_s, 60) if reset_s >= 60 else b"%ds" % reset_s
    return b"x-ratelimit-limit-%b: %d\r\nx-ratelimit-remaining-%b: %d\r\nx-ratelimit-reset-%b: %b\r\n" % (
        noun,
        limit,
        noun,
        remaining,
        noun,
        reset,
    )
