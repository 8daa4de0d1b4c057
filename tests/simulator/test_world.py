"""What the providers remember."""

from aimesh.core.clock import FixedClock
from aimesh.simulator.world import CACHE_FROM_TOKENS, Memory, Settings, Task, World


def test_memory_forgets_the_oldest() -> None:
    memory: Memory[int] = Memory(2)
    for number in range(3):
        memory.put(str(number), number)
    assert memory.get("0") is None
    assert memory.values() == [1, 2]
    assert (memory.drop("1"), memory.drop("1")) == (True, False)


def test_phases_follow_from_age() -> None:
    task = Task("t", "p", "m", 100.0, 4.0, None, {}, "r", "o")
    assert [task.phase(now) for now in (100.0, 100.9, 101.0, 103.9, 104.0)] == [
        "queued",
        "queued",
        "running",
        "running",
        "succeeded",
    ]
    task.fails = ("code", "message")
    assert task.phase(104.0) == "failed"
    task.cancelled_s = 100.5
    assert task.phase(104.0) == "cancelled"


def test_prefixes() -> None:
    world = World(FixedClock(), Settings(), 1)
    head = ("preface", 100)
    assert world.cached_tokens("p", [head, ("one", 5)]) == 0
    assert world.cached_tokens("p", [head, ("two", 5)]) == 100
    assert world.cached_tokens("p", [head, ("two", 5)]) == 104
    assert world.cached_tokens("q", [head, ("two", 5)]) == 0
    assert world.cached_tokens("p", [("other", 100), ("two", 5)]) == 0


def test_short_prompts_are_never_cached() -> None:
    world = World(FixedClock(), Settings(), 1)
    short = [("a", CACHE_FROM_TOKENS - 1)]
    assert [world.cached_tokens("p", short) for _ in range(2)] == [0, 0]
