"""Background work has an owner."""

import asyncio

from tests.support.loopback import eventually, run

from aimesh.net.children import Children


def test_a_child_runs_and_is_forgotten() -> None:
    async def main() -> None:
        children = Children(lambda name, error: None)
        released = asyncio.Event()
        done: list[str] = []

        async def work() -> None:
            await released.wait()
            done.append("done")

        children.start("b", work())
        children.start("a", work())
        assert children.names == ["a", "b"]
        released.set()
        await eventually(lambda: children.names == [])
        assert done == ["done", "done"]

    run(main)


def test_a_crash_is_reported_by_name_and_a_cancellation_is_not() -> None:
    crashes: list[tuple[str, str]] = []

    async def main() -> None:
        children = Children(lambda name, error: crashes.append((name, str(error))))

        async def fail() -> None:
            raise ValueError("broken")

        children.start("journal", fail())
        await eventually(lambda: children.names == [])
        children.start("idle", asyncio.sleep(60))
        await children.stop()
        assert children.names == []

    run(main)
    assert crashes == [("journal", "broken")]


def test_stop_waits_for_the_last_words_of_every_child() -> None:
    said: list[str] = []

    async def main() -> None:
        children = Children(lambda name, error: None)

        async def work() -> None:
            try:
                await asyncio.sleep(60)
            finally:
                await asyncio.sleep(0.01)
                said.append("flushed")

        children.start("flush", work())
        await asyncio.sleep(0)
        await children.stop()

    run(main)
    assert said == ["flushed"]
