"""Roles and their order."""

from itertools import product

from aimesh.store.people import Role


def test_roles_are_ordered() -> None:
    assert sorted(Role, key=lambda role: role.rank) == [
        Role.MEMBER,
        Role.AI_GATEWAY_ADMIN,
        Role.PLATFORM_ADMIN,
    ]


def test_the_lesser_of_two() -> None:
    for one, other in product(Role, Role):
        assert one.at_most(other) is other.at_most(one)
        assert one.at_most(other).rank == min(one.rank, other.rank)
