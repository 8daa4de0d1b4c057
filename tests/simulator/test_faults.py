"""Which calls a fault meets."""

from aimesh.simulator.faults import Fault, FaultBook, Kind, Match, Met

CALL = Met("p", "/p/v1/chat/completions", "m", "key-1")


def book(*faults: Fault) -> FaultBook:
    made = FaultBook()
    for fault in faults:
        made.add(fault)
    return made


def test_nothing_set_gives_no_plan() -> None:
    assert book().take(CALL) is None


def test_match_by_each_member() -> None:
    for match, meets in (
        (Match(), True),
        (Match(provider="p"), True),
        (Match(provider="q"), False),
        (Match(path_suffix="/chat/completions"), True),
        (Match(path_suffix="/messages"), False),
        (Match(model="m"), True),
        (Match(model="n"), False),
        (Match(credential="key-1"), True),
        (Match(credential="key-2"), False),
        (Match(provider="p", model="n"), False),
    ):
        assert (book(Fault(Kind.GZIP, match)).take(CALL) is not None) is meets


def test_times_count_down() -> None:
    made = book(Fault(Kind.GZIP, times=2))
    assert [made.take(CALL) is not None for _ in range(3)] == [True, True, False]
    assert made.faults == []


def test_breaking_faults_act_one_after_the_other() -> None:
    made = book(
        Fault(Kind.STATUS, times=1, status=503),
        Fault(Kind.STATUS, times=1, status=429),
        Fault(Kind.LATENCY_MS, n=5),
    )
    plans = [made.take(CALL) for _ in range(3)]
    assert [plan and plan.breaking and plan.breaking.status for plan in plans] == [503, 429, None]
    assert [plan and plan.delay_s for plan in plans] == [0.005] * 3


def test_modifiers_add_up() -> None:
    plan = book(
        Fault(Kind.CHUNKS, n=9),
        Fault(Kind.CHUNK_BYTES, n=4),
        Fault(Kind.LATENCY_MS, n=500),
        Fault(Kind.SLOW_START, n=1),
        Fault(Kind.SLOW_CHUNKS_MS, n=20),
        Fault(Kind.DRIP),
        Fault(Kind.NO_DONE),
        Fault(Kind.TASK_SECONDS, n=0),
    ).take(CALL)
    assert plan is not None
    assert (plan.shape.chunks, plan.shape.chunk_bytes, plan.shape.no_done, plan.shape.no_usage) == (
        9,
        4,
        True,
        False,
    )
    assert (plan.delay_s, plan.chunk_delay_s, plan.drip_bytes, plan.gzip) == (1.5, 0.02, 7, False)
    assert plan.shape.task_s == 0
    assert plan.breaking is None


def test_clear() -> None:
    made = book(Fault(Kind.GZIP))
    made.clear()
    assert made.take(CALL) is None
