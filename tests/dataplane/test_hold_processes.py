"""Several real processes on one quota: 64 calls at once in four of them, kills, a stopped one."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.limits import Node, admit, tokens

from aimesh.core.clock import SystemClock
from aimesh.core.errors import QuotaSpent
from aimesh.core.policy import Unit
from aimesh.store.ledger import key_scope, release_slot, row_name
from aimesh.store.ledger_file import LedgerFile

ROOT = Path(__file__).parents[2]
PROCESSES = 4
END_S = 60.0


class Caller:
    def __init__(self, node: Node, slot: int, *, limit: int, most: int, exact: bool) -> None:
        self.slot = slot
        self.count_file = node.path.parent / f"count-{slot}"
        numbers = [str(one) for one in (slot, limit, most, int(exact))]
        self.child = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.support.limits_process",
                str(node.path),
                *numbers,
                str(self.count_file),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    def wait_until_ready(self) -> None:
        assert self.child.stdout is not None
        assert self.child.stdout.readline() == "ready\n"

    def begin(self) -> None:
        assert self.child.stdin is not None
        self.child.stdin.write("go\n")
        self.child.stdin.flush()

    @property
    def counted(self) -> int:
        """What it had settled at some moment before now."""
        return int.from_bytes(self.count_file.read_bytes(), "little") if self.count_file.exists() else 0

    def wait_for(self, settled: int) -> None:
        until = time.monotonic() + END_S
        while self.counted < settled:
            assert time.monotonic() < until, "it took too long"
            time.sleep(0.001)

    def result(self) -> int:
        out, _ = self.child.communicate(timeout=END_S)
        assert self.child.returncode == 0
        return int(out)


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path, SystemClock(), PROCESSES + 1)


@contextlib.contextmanager
def callers(node: Node, *, limit: int, most: int, exact: bool = False) -> Iterator[list[Caller]]:
    started: list[Caller] = []
    try:
        for slot in range(PROCESSES):
            started.append(Caller(node, slot, limit=limit, most=most, exact=exact))  # noqa: PERF401 - see finally
        for caller in started:
            caller.wait_until_ready()
        for caller in started:
            caller.begin()
        yield started
    finally:
        for caller in started:
            caller.child.kill()
            caller.child.communicate()


def test_equal_calls_use_up_a_quota_to_the_last_token_and_not_one_more(node: Node) -> None:
    limit = 2_000_000
    with callers(node, limit=limit, most=100, exact=True) as started:
        results = [caller.result() for caller in started]
    assert sum(results) == node.used(tokens(limit)) == limit
    assert node.held(tokens(limit)) == 0
    assert all(results)


def test_unequal_calls_overshoot_by_one_call_at_most(node: Node) -> None:
    limit = 1_000_000
    with callers(node, limit=limit, most=3000) as started:
        results = [caller.result() for caller in started]
    used = node.used(tokens(limit))
    assert limit <= used == sum(results) <= limit + 3000
    assert node.held(tokens(limit)) == 0


def test_a_quota_smaller_than_a_call_serves_one_at_a_time(node: Node) -> None:
    with callers(node, limit=500, most=5000) as started:
        results = [caller.result() for caller in started]
    assert 500 <= node.used(tokens(500)) == sum(results) <= 5499


def test_killed_processes_lose_nothing_that_was_used_and_keep_nothing_that_was_held(node: Node) -> None:
    limit = 4_000_000
    dice = random.Random()
    with callers(node, limit=limit, most=100, exact=True) as started:
        dead = started[:2]
        for caller in dead:
            caller.wait_for(dice.randint(1000, 50_000))
            caller.child.kill()
            caller.child.wait()
        for caller in dead:
            release_slot(node.path, caller.slot)
        results = [caller.result() for caller in started[2:]]
    # Killed between settling and telling: one call each, at most.
    counted = sum(caller.counted for caller in dead) + sum(results)
    used = node.used(tokens(limit))
    assert counted <= used <= counted + 200
    assert used == limit
    assert node.held(tokens(limit)) == 0


def test_a_stopped_process_stops_nobody(node: Node) -> None:
    limit = 50_000_000
    with callers(node, limit=limit, most=100, exact=True) as started:
        stopped = started[0]
        stopped.wait_for(1000)
        stopped.child.send_signal(signal.SIGSTOP)
        before = [caller.counted for caller in started]
        for caller, count in zip(started[1:], before[1:], strict=True):
            caller.wait_for(count + 10_000)
    assert node.used(tokens(limit)) <= limit


def test_a_process_stopped_with_the_locks_in_its_hand_stops_nobody(node: Node) -> None:
    """Near the end of a quota everybody takes turns; here somebody does not give the turn back."""
    limits = tokens(1000)
    account = node.account(limits)
    admit(account, 990)
    with contextlib.suppress(QuotaSpent):
        admit(account, 5)
    file = LedgerFile(node.path)
    place = file.find(row_name(key_scope("k"), Unit.TOKENS))
    assert place is not None
    file.close()
    code = (
        "import fcntl, os, sys\n"
        "descriptor = os.open(sys.argv[1], os.O_RDWR)\n"
        "fcntl.lockf(descriptor, fcntl.LOCK_EX, 8, int(sys.argv[2]))\n"
        "print('locked', flush=True)\n"
        "sys.stdin.read()\n"
    )
    arguments = [sys.executable, "-c", code, str(node.path), str(place.offset)]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"locked\n"
        os.kill(child.pid, signal.SIGSTOP)
        began_s = time.monotonic()
        admit(account, 5)
        assert time.monotonic() - began_s < 2.0
        child.kill()
    assert node.held(limits) == 1000
    node.close()
