"""Roles of people and tokens, from the least to the most.

1. A role is text in the database; what it may do is ``control/access.py``'s to say.
2. ``at_most`` is how a role is capped: a token never does more than the person who made it.
"""

from enum import StrEnum


class Role(StrEnum):
    MEMBER = "MEMBER"
    """Own keys and own usage."""
    AI_GATEWAY_ADMIN = "AI_GATEWAY_ADMIN"
    """Runs a tenant: keys, BYOK, usage, members."""
    PLATFORM_ADMIN = "PLATFORM_ADMIN"
    """Runs the installation: providers, models, prices, tenants."""

    @property
    def rank(self) -> int:
        return _ORDER.index(self)

    def at_most(self, other: "Role") -> "Role":
        """The lesser of the two."""
        return min(self, other, key=lambda role: role.rank)


_ORDER = (Role.MEMBER, Role.AI_GATEWAY_ADMIN, Role.PLATFORM_ADMIN)
