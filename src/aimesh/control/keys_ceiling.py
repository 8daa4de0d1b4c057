"""What a MEMBER may not loosen: the limits that an administrator or the tenant's defaults set on a key.

1. A MEMBER may tighten the limits of the own keys. Only an administrator loosens or removes one again, whoever set it.
2. A key that a MEMBER makes or copies has at least the tenant's defaults: what is not said is filled in from them, what
   is said looser is refused.
3. Administrators are bound by neither. ``keys_changes`` asks here wherever limits come onto a key.
"""

from collections.abc import Iterator

from aimesh.control.errors import Detail, Forbidden
from aimesh.core.policy import Limits, Quota

_RATES = ("rpm", "tpm", "concurrency")


def refuse_looser(wanted: Limits, ceiling: Limits) -> None:
    """Raises ``Forbidden`` unless every limit of the ceiling is there, and none is higher."""
    if details := list(_looser(wanted, ceiling)):
        raise Forbidden(
            "LIMITS_TOO_LOOSE",
            "a MEMBER may tighten the limits of a key; loosening or removing one takes an administrator",
            details=details,
        )


def filled(wanted: Limits, ceiling: Limits) -> Limits:
    """With those limits of the ceiling that are not named."""
    named = _by_name(wanted)
    missing = (quota for name, quota in _by_name(ceiling).items() if name not in named)
    return Limits((*wanted.quotas, *missing), *(_first(wanted, ceiling, name) for name in _RATES))


def tightest(one: Limits, other: Limits) -> Limits:
    """Every limit of either; of two of a kind the lower."""
    quotas = _by_name(one)
    for name, quota in _by_name(other).items():
        if name not in quotas or quota.limit < quotas[name].limit:
            quotas[name] = quota
    return Limits(tuple(quotas.values()), *(_lower(one, other, name) for name in _RATES))


def _looser(wanted: Limits, ceiling: Limits) -> Iterator[Detail]:
    quotas = _by_name(wanted)
    for (unit, period), quota in _by_name(ceiling).items():
        given = quotas.get((unit, period))
        if given is None or given.limit > quota.limit:
            yield Detail(path="quotas", message=f"the {period} quota of {unit} is looser than what is set")
    for name in _RATES:
        most, rate = _rate(ceiling, name), _rate(wanted, name)
        if most is not None and (rate is None or rate > most):
            yield Detail(path=name, message=f"it is at most {most} here")


def _by_name(limits: Limits) -> dict[tuple[str, str], Quota]:
    return {(quota.unit.value, quota.period.value): quota for quota in limits.quotas}


def _rate(limits: Limits, name: str) -> int | None:
    value: int | None = getattr(limits, name)
    return value


def _first(one: Limits, other: Limits, name: str) -> int | None:
    rate = _rate(one, name)
    return _rate(other, name) if rate is None else rate


def _lower(one: Limits, other: Limits, name: str) -> int | None:
    return min((rate for rate in (_rate(one, name), _rate(other, name)) if rate is not None), default=None)
