from pathlib import Path

import pytest
from tests.support.limits import CHAT, Node, admit, tokens, usage

from aimesh.core.clock import FixedClock
from aimesh.core.errors import QuotaSpent
from aimesh.core.policy import Period


def test_a_quota_counts_what_was_used_and_refuses_when_it_is_spent(tmp_path: Path) -> None:
    limits = tokens(1000, Period.DAILY)
    node = Node(tmp_path, FixedClock())
    account = node.account(limits)
    hold = admit(account, 100)
    assert (node.used(limits), node.held(limits)) == (0, 100)
    hold.settle(usage(400), CHAT)
    hold.settle(usage(400), CHAT)
    hold.release()
    assert (node.used(limits), node.held(limits)) == (400, 0)
    admit(account, 500).settle(usage(700), CHAT)
    with pytest.raises(QuotaSpent) as caught:
        admit(account, 100)
    assert caught.value.message == (
        "Virtual key daily quota exceeded: limit is 1000 tokens for virtual key 'alias-k', current usage: 1100 tokens"
    )
    assert caught.value.should_retry is False
    node.close()
