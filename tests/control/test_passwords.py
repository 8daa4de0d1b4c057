"""What is accepted as a password, and how it is kept."""

import threading
from typing import Literal

import argon2
import pytest
from tests.support.control import CHEAP_HASHER

from aimesh.control.errors import Invalid, Unavailable
from aimesh.control.passwords import Passwords, check_password
from aimesh.core.secret import Secret


def test_a_password_is_known_again() -> None:
    passwords = Passwords(CHEAP_HASHER)
    kept = passwords.hash(Secret("correct horse"))
    assert kept.reveal().startswith("$argon2id$")
    assert passwords.is_right(Secret("correct horse"), kept)
    assert not passwords.is_right(Secret("correct horsf"), kept)
    assert passwords.hash(Secret("correct horse")) != kept


def test_keyboards_that_compose_differently_give_the_same_password() -> None:
    passwords = Passwords(CHEAP_HASHER)
    kept = passwords.hash(Secret("cafe\u0301 au lait"))
    assert passwords.is_right(Secret("caf\u00e9 au lait"), kept)


@pytest.mark.parametrize(
    "kept", [None, Secret(""), Secret("x"), Secret("$argon2id$v=19$m=8,t=1,p=1$broken$broken")]
)
def test_nobodys_password_is_never_right(kept: Secret[str] | None) -> None:
    assert Passwords(CHEAP_HASHER).is_right(Secret(""), kept) is False


def test_checking_nobody_does_the_work_of_checking_somebody() -> None:
    checked: list[str] = []

    class Watched(argon2.PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002 - the library's name
            checked.append(str(hash))
            return super().verify(hash, password)

    passwords = Passwords(Watched(time_cost=1, memory_cost=8, parallelism=1))
    kept = passwords.hash(Secret("somebody's password"))
    passwords.is_right(Secret("x"), kept)
    passwords.is_right(Secret("x"), None)
    head = [one.rpartition("$")[0].rpartition("$")[0] for one in checked]
    assert len(checked) == 2
    assert head[0] == head[1]


def test_the_usual_hash_is_strong() -> None:
    kept = Passwords().hash(Secret("correct horse"))
    assert "m=65536,t=3,p=4" in kept.reveal()


def test_a_hash_of_weaker_days_is_known() -> None:
    weak = Passwords(CHEAP_HASHER).hash(Secret("correct horse"))
    strong = Passwords(argon2.PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    assert strong.is_stale(weak)
    assert not strong.is_stale(strong.hash(Secret("correct horse")))


def test_few_hashes_are_made_at_once() -> None:
    running, most = 0, 0
    lock = threading.Lock()

    class Counted(argon2.PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002 - the library's name
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
            try:
                return super().verify(hash, password)
            finally:
                with lock:
                    running -= 1

    passwords = Passwords(Counted(time_cost=2, memory_cost=1024, parallelism=1))
    kept = passwords.hash(Secret("correct horse"))
    threads = [threading.Thread(target=passwords.is_right, args=(Secret("x"), kept)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 <= most <= 2


@pytest.mark.parametrize(
    "password", ["0123456789", "correct horse", "密码密码一二三四五六七", "\u00e9" * 3 + "abcdefg"]
)
def test_passwords_that_do(password: str) -> None:
    check_password(Secret(password), "lin")


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("012345678", "at least 10"),
        ("x" * 257, "at most 256"),
        ("Lin.Ming.2026", "differs from the username"),
        ("lin.ming.2026 ", "differs from the username"),
        ("aaaaaaaaaab", "four different"),
    ],
)
def test_passwords_that_do_not(password: str, words: str) -> None:
    with pytest.raises(Invalid) as caught:
        check_password(Secret(password), "lin.ming.2026")
    assert words in caught.value.message
    assert password not in caught.value.message


def test_few_wait_for_a_turn_and_the_others_are_told_at_once() -> None:
    go = threading.Event()

    class Slow(argon2.PasswordHasher):
        def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
            assert go.wait(10)
            return super().hash(password, salt=salt)

    passwords = Passwords(Slow(time_cost=1, memory_cost=8, parallelism=1))
    refused, done = threading.Semaphore(0), threading.Semaphore(0)

    def make() -> None:
        try:
            passwords.hash(Secret("correct horse"))
        except Unavailable:
            refused.release()
        else:
            done.release()

    threads = [threading.Thread(target=make) for _ in range(40)]
    for thread in threads:
        thread.start()
    for _ in range(30):
        assert refused.acquire(timeout=5)
    go.set()
    for thread in threads:
        thread.join(10)
    assert [done.acquire(blocking=False) for _ in range(11)] == [True] * 10 + [False]
    assert not refused.acquire(blocking=False)
    # And all turns are free again.
    assert passwords.hash(Secret("correct horse")).reveal()
