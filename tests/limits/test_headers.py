from aimesh.core.policy import Period, Quota, Unit
from aimesh.limits.headers import quota_head, quota_lines, rate_lines


def _quota(period: Period, limit: int) -> Quota:
    return Quota(unit=Unit.TOKENS, period=period, limit=limit)


def test_one_quota_is_written_as_the_reference_writes_it() -> None:
    head = quota_head([_quota(Period.DAILY, 10_000_000)])
    assert quota_lines(head, (10_000_000,), (238,)) == (
        b"x-czgw-ratelimit-api-key-token-period: PDO\r\n"
        b"x-czgw-ratelimit-api-key-token-limit: 10000000\r\n"
        b"x-czgw-ratelimit-api-key-token-used: 238\r\n"
        b"x-czgw-ratelimit-api-key-token-remaining: 9999762\r\n"
    )


def test_several_quotas_are_lists_aligned_by_position() -> None:
    quotas = [_quota(Period.TOTAL, 50), _quota(Period.DAILY, 10), _quota(Period.WEEKLY, 20)]
    quotas.append(_quota(Period.MONTHLY, 30))
    assert quota_lines(quota_head(quotas), (50, 10, 20, 30), (12, 11, 12, 0)) == (
        b"x-czgw-ratelimit-api-key-token-period: PTO, PDO, PWO, PMO\r\n"
        b"x-czgw-ratelimit-api-key-token-limit: 50, 10, 20, 30\r\n"
        b"x-czgw-ratelimit-api-key-token-used: 12, 11, 12, 0\r\n"
        b"x-czgw-ratelimit-api-key-token-remaining: 38, 0, 8, 30\r\n"
    )


def test_remaining_is_never_negative() -> None:
    assert b"-remaining: 0\r\n" in quota_lines(quota_head([_quota(Period.TOTAL, 50)]), (50,), (51,))


def test_rates_are_written_as_openai_writes_them() -> None:
    assert rate_lines(b"requests", 60, 59, 1) == (
        b"x-ratelimit-limit-requests: 60\r\n"
        b"x-ratelimit-remaining-requests: 59\r\n"
        b"x-ratelimit-reset-requests: 1s\r\n"
    )
    assert rate_lines(b"tokens", 9, 0, 60).endswith(b"x-ratelimit-reset-tokens: 1m0s\r\n")
    assert rate_lines(b"tokens", 9, 0, 119).endswith(b": 1m59s\r\n")
    assert rate_lines(b"tokens", 9, 9, 0).endswith(b": 0s\r\n")
