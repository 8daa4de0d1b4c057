"""What is on is told once, what is over to whoever was told, and what comes and goes only once in a cooldown."""

from msgspec import structs

from aimesh.control.alert_findings import Finding
from aimesh.control.alert_turns import take_turn
from aimesh.core.alert_kind import RuleKind
from aimesh.store.alerts import Rule, RuleTerms, State

RULE = Rule("arl_1", RuleTerms("errors", RuleKind.ERROR_RATE, ("ach_1",), cooldown_s=100.0), 0.0, 0.0, 1)
BAD = Finding("m", 50.0, "m is bad")


class Play:
    def __init__(self, rule: Rule = RULE) -> None:
        self.rule = rule
        self.states: dict[str, State] = {}

    def turn(self, now_s: float, *found: Finding) -> list[str]:
        turn = take_turn(self.rule, self.states.values(), found, now_s)
        self.states |= {one.subject: one for one in turn.states}
        return [f"{one.status} {one.subject}" for one in turn.notices]


def test_what_stays_on_is_told_once_and_its_end_too() -> None:
    play = Play()
    assert play.turn(0.0) == []
    assert play.turn(30.0, BAD) == ["firing m"]
    assert play.turn(60.0, structs.replace(BAD, value=60.0)) == []
    assert (play.states["m"].value, play.states["m"].since_s) == (60.0, 30.0)
    assert play.turn(1000.0, BAD) == []
    assert play.turn(1030.0) == ["resolved m"]
    assert play.states["m"].resolved_at_s == 1030.0
    assert play.turn(1060.0) == []


def test_what_comes_and_goes_is_told_once_in_a_cooldown() -> None:
    play = Play()
    assert play.turn(0.0, BAD) == ["firing m"]
    assert play.turn(10.0) == ["resolved m"]
    assert play.turn(20.0, BAD) == []
    # Nobody knows that it was on again.
    assert play.turn(30.0) == []
    assert play.turn(90.0, BAD) == []
    # Still on when the cooldown ends.
    assert play.turn(100.0, BAD) == ["firing m"]
    assert play.turn(110.0) == ["resolved m"]


def test_subjects_are_apart() -> None:
    play = Play()
    other = Finding("n", 70.0, "n is bad")
    assert play.turn(0.0, BAD, other) == ["firing m", "firing n"]
    assert play.turn(10.0, other) == ["resolved m"]
    assert play.turn(20.0) == ["resolved n"]


def test_a_turn_that_changes_nothing_writes_nothing() -> None:
    play = Play()
    play.turn(0.0, BAD)
    turn = take_turn(RULE, play.states.values(), [BAD], 50.0)
    assert (turn.states, turn.notices) == ((), ())


def test_notices_have_ids_of_their_own() -> None:
    first = take_turn(RULE, [], [BAD, Finding("n", 1.0, "n")], 5.0)
    second = take_turn(RULE, first.states, [], 6.0)
    ids = [one.id for one in (*first.notices, *second.notices)]
    assert len(set(ids)) == 4
