"""A process that calls on a key with a quota until the quota is spent, many calls at once; started by tests.

    python -m tests.support.limits_process <ledger> <slot> <limit> <most> <exact 0|1> <count file>

It says ``ready``, begins when its stdin says a line, and says what it settled at last. What it has settled so far is
in the count file at any time, so that it may be killed.
"""

import os
import random
import sys
from pathlib import Path

from tests.support.limits import CHAT, ZONE, admit, key_policy, tokens, usage

from aimesh.core.clock import SystemClock
from aimesh.core.errors import QuotaSpent, RateLimited
from aimesh.dataplane.hold import Hold, Holder
from aimesh.store.ledger import Ledger

AT_ONCE = 16


def main() -> None:
    path, slot, limit, most, is_exact, counted = sys.argv[1:]
    count_file = os.open(counted, os.O_RDWR | os.O_CREAT)
    dice = random.Random(int(slot))
    ledger = Ledger(Path(path), slot=int(slot), on_alarm=print)
    account = Holder(ledger, ZONE, SystemClock()).compile(key_policy(tokens(int(limit))))
    assert account is not None
    running: list[tuple[Hold, int]] = []
    settled = 0

    def settle() -> None:
        nonlocal settled
        hold, estimate = running.pop(dice.randrange(len(running)))
        used = estimate if is_exact == "1" else dice.randint(0, estimate)
        hold.settle(usage(used), CHAT)
        settled += used
        os.pwrite(count_file, settled.to_bytes(8, "little"), 0)

    print("ready", flush=True)
    sys.stdin.readline()
    while True:
        estimate = int(most) if is_exact == "1" else dice.randint(5, int(most))
        try:
            running.append((admit(account, estimate), estimate))
        except QuotaSpent:
            break
        except RateLimited:
            if running:
                settle()
        if len(running) == AT_ONCE or (running and dice.random() < 0.3):
            settle()
    while running:
        settle()
    print(settled, flush=True)
    ledger.close()


if __name__ == "__main__":
    main()
