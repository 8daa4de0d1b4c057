"""From what is found to who is told: the turns that an alert takes. Pure.

    (nothing) > firing > resolved > (forgotten)

1. A thing that is found stays on until it is not found; meanwhile it is told once.
2. Within the cooldown after it was told it is not told again, so what comes and goes tells once; what is still on when
   the cooldown ends is told then.
3. That it is over is told to whoever was told that it is on.
"""

from collections.abc import Iterable
from hashlib import sha256

from msgspec import Struct, structs

from aimesh.control.alert_findings import Finding
from aimesh.store.alerts import Notice, Rule, State


class Turn(Struct, frozen=True):
    states: tuple[State, ...]
    """Those that changed."""
    notices: tuple[Notice, ...]


def take_turn(rule: Rule, before: Iterable[State], found: Iterable[Finding], now_s: float) -> Turn:
    known = {state.subject: state for state in before}
    states: list[State] = []
    notices: list[Notice] = []
    seen = set()
    for finding in found:
        seen.add(finding.subject)
        old = known.get(finding.subject)
        new = _found(rule, old, finding, now_s)
        if not new.is_told and _may_tell(rule, new, now_s):
            new = structs.replace(new, told_at_s=now_s, is_told=True)
            notices.append(_notice(rule, new, now_s, is_on=True))
        if new != old:
            states.append(new)
    for subject, old in known.items():
        if subject not in seen and old.resolved_at_s is None:
            new = structs.replace(old, resolved_at_s=now_s, is_told=False)
            states.append(new)
            if old.is_told:
                notices.append(_notice(rule, new, now_s, is_on=False))
    return Turn(tuple(states), tuple(notices))


def _found(rule: Rule, old: State | None, finding: Finding, now_s: float) -> State:
    if old is not None and old.resolved_at_s is None:
        return structs.replace(old, value=finding.value, message=finding.message)
    return State(
        rule=rule.id,
        subject=finding.subject,
        value=finding.value,
        message=finding.message,
        since_s=now_s,
        resolved_at_s=None,
        told_at_s=None if old is None else old.told_at_s,
        is_told=False,
    )


def _may_tell(rule: Rule, state: State, now_s: float) -> bool:
    return state.told_at_s is None or now_s - state.told_at_s >= rule.terms.cooldown_s


def _notice(rule: Rule, state: State, now_s: float, *, is_on: bool) -> Notice:
    return Notice(
        id=f"{rule.id}.{int(now_s * 1000):x}.{sha256(state.subject.encode()).hexdigest()[:8]}",
        status="firing" if is_on else "resolved",
        rule=rule.terms.name,
        kind=rule.terms.kind.value,
        subject=state.subject,
        value=state.value,
        message=state.message if is_on else f"over: {state.message}",
        at_s=now_s,
        since_s=state.since_s,
    )
