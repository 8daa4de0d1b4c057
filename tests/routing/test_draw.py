"""Draws among equals: every order is possible, each item comes first as often as its weight says, and affinity is
steady. All with fixed seeds, so that a test that passes once passes always."""

import subprocess
import sys
from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimesh.core.ids import KeyId
from aimesh.routing.draw import AFFINITY_BYTES, dice, equals, prefer, prompt_hash, seed_of

KEY = KeyId("key-1")
ROUNDS = 6000

WEIGHTS = [(1, 1), (1, 3), (1, 1, 1), (1, 2, 3), (5, 1, 1, 1), (1, 1, 1, 1, 1), (1, 100)]


def _items(weights: tuple[int, ...]) -> tuple[str, ...]:
    return tuple(f"item-{index}" for index in range(len(weights)))


def _assert_shares(firsts: Counter[str], weights: tuple[int, ...]) -> None:
    total = sum(weights)
    for item, weight in zip(_items(weights), weights, strict=True):
        share = weight / total
        # Four standard deviations.
        margin = 4 * (share * (1 - share) / ROUNDS) ** 0.5
        assert abs(firsts[item] / ROUNDS - share) < margin, (item, firsts)


@pytest.mark.parametrize("weights", WEIGHTS)
def test_dice_give_each_its_share(weights: tuple[int, ...]) -> None:
    random = Random(1)
    among = equals(_items(weights), seeds=(), weights=weights)
    orders = [tuple(dice(among, random)) for _ in range(ROUNDS)]
    assert {tuple(sorted(order)) for order in orders} == {_items(weights)}
    _assert_shares(Counter(order[0] for order in orders), weights)


@pytest.mark.parametrize("weights", WEIGHTS)
def test_prompts_are_shared_like_dice(weights: tuple[int, ...]) -> None:
    items = _items(weights)
    among = equals(items, seeds=[seed_of(item) for item in items], weights=weights)
    orders = [tuple(prefer(among, prompt_hash(KEY, f"prompt {number}".encode()))) for number in range(ROUNDS)]
    assert {tuple(sorted(order)) for order in orders} == {items}
    _assert_shares(Counter(order[0] for order in orders), weights)


def test_the_second_is_drawn_like_the_first() -> None:
    """What the first cannot serve spreads over all the others."""
    items = _items((1, 1, 1, 1))
    among = equals(items, seeds=[seed_of(item) for item in items], weights=(1, 1, 1, 1))
    by_hash = [prefer(among, prompt_hash(KEY, str(number).encode())) for number in range(ROUNDS)]
    random = Random(2)
    by_dice = [dice(among, random) for _ in range(ROUNDS)]
    for orders in (by_hash, by_dice):
        seconds = Counter(order[1] for order in orders if order[0] == "item-0")
        assert set(seconds) == set(items[1:])
        assert max(seconds.values()) < 1.25 * min(seconds.values()), seconds


def test_dice_are_determined_by_their_seed() -> None:
    among = equals(_items((1, 2, 3)), seeds=(), weights=(1, 2, 3))
    first, second = Random(7), Random(7)
    assert [dice(among, first) for _ in range(50)] == [dice(among, second) for _ in range(50)]


@given(st.binary(max_size=100), st.integers(2, 6), st.data())
def test_one_that_leaves_moves_only_its_own_prompts(prefix: bytes, size: int, data: st.DataObject) -> None:
    items = _items((1,) * size)
    gone = data.draw(st.sampled_from(items))
    weights = data.draw(st.lists(st.integers(1, 9), min_size=size, max_size=size))
    seeds = [seed_of(item) for item in items]
    prompt = prompt_hash(KEY, prefix)
    before = list(prefer(equals(items, seeds=seeds, weights=weights), prompt))
    left = [(i, s, w) for i, s, w in zip(items, seeds, weights, strict=True) if i != gone]
    among = equals([i for i, _, _ in left], seeds=[s for _, s, _ in left], weights=[w for _, _, w in left])
    before.remove(gone)
    if len(set(weights)) == 1 or len({w for _, _, w in left}) > 1:
        assert list(prefer(among, prompt)) == before


def test_a_prompt_is_known_by_its_key_and_its_beginning() -> None:
    body = b"x" * AFFINITY_BYTES
    assert prompt_hash(KEY, body + b"one turn") == prompt_hash(KEY, body + b"and another")
    assert prompt_hash(KEY, body) != prompt_hash(KEY, b"y" + body[1:])
    assert prompt_hash(KEY, body) != prompt_hash(KeyId("key-2"), body)


def test_a_prompt_goes_the_same_way_in_every_process() -> None:
    here = prompt_hash(KEY, b"z" * 5000), seed_of("a@m@open_ai", "a/default")
    program = (
        "from aimesh.routing.draw import prompt_hash, seed_of;"
        "print((prompt_hash('key-1', b'z' * 5000), seed_of('a@m@open_ai', 'a/default')))"
    )
    for hash_seed in ("1", "2"):
        said = subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": hash_seed, "PYTHONPATH": "src"},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        assert said.stdout.strip() == str(here)
