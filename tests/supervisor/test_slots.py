import asyncio

import pytest

from aimesh.supervisor.slots import NoSlotError, Slots


def test_the_lowest_free_slot_is_given() -> None:
    slots = Slots(3, lambda _slot: False)
    assert [slots.take() for _ in range(3)] == [0, 1, 2]
    with pytest.raises(NoSlotError):
        slots.take()
    slots.give_back(2)
    slots.give_back(0)
    assert [slots.take(), slots.take()] == [0, 2]


def test_slots_that_others_hold_are_passed_over() -> None:
    held = {0, 1}
    slots = Slots(3, held.__contains__)
    assert slots.take() == 2
    with pytest.raises(NoSlotError):
        slots.take()
    held.clear()
    assert slots.take() == 0


def test_who_waits_is_told() -> None:
    async def main() -> int:
        slots = Slots(1, lambda _slot: False)
        slots.take()
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(slots.wait())
            await asyncio.sleep(0)
            assert not waiting.done()
            slots.give_back(0)
        return slots.take()

    assert asyncio.run(main()) == 0


def test_who_waits_no_longer_than_a_limit_is_told_that_it_was_in_vain() -> None:
    async def main() -> list[bool]:
        slots = Slots(1, lambda _slot: False)
        at_once = await slots.is_free_within(0.0)
        slots.take()
        in_vain = await slots.is_free_within(0.01)
        asyncio.get_running_loop().call_soon(slots.give_back, 0)
        return [at_once, in_vain, await slots.is_free_within(20.0)]

    assert asyncio.run(main()) == [True, False, True]
