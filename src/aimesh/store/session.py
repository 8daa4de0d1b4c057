"""What a transaction is to those who ask: statements, values, rows, and what can go wrong.

1. A statement is text in the subset that SQLite and PostgreSQL share, its values are ``:name``. The same text
   means the same on both.
2. Errors hold no value and no password: they may be logged and shown to an operator.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

T = TypeVar("T")

Value = str | bytes | int | float | bool | None
Values = Mapping[str, Value]
NO_VALUES: Values = {}


class StoreError(Exception):
    """The database could not do it; the message is safe to show to an operator."""


class DuplicateError(StoreError):
    """A value that must be unique exists already."""


class UnavailableError(StoreError):
    """The database cannot be reached now; the same may succeed later."""


class UnfitError(StoreError):
    """A value that the database cannot hold: the same will fail again."""


class Row(Protocol):
    """By name or by place. SQLite gives truth as 0 and 1."""

    # Only the statement knows the column's type.
    def __getitem__(self, key: int | str, /) -> Any: ...


class Session(Protocol):
    """One transaction; lives only inside the function that ``read`` or ``write`` was given."""

    def all(self, sql: str, values: Values = NO_VALUES) -> Sequence[Row]: ...

    def one(self, sql: str, values: Values = NO_VALUES) -> Row | None: ...

    def free(self, sql: str, values: Values = NO_VALUES) -> Sequence[Row]:
        """Those of the rows that no other transaction is at; they are this one's until it ends. For ``write``."""
        ...

    def change(self, sql: str, values: Values = NO_VALUES) -> int:
        """Gives the number of rows that it touched."""
        ...


class Transactions(Protocol):
    """Who runs them."""

    async def read(self, work: Callable[[Session], T]) -> T:
        """``work`` sees one state of the database throughout."""
        ...

    async def write(self, work: Callable[[Session], T]) -> T:
        """All or nothing; an exception of ``work`` undoes it, cancelling the waiter does not."""
        ...


class Driver(Protocol):
    """One connection; used by one thread at a time."""

    def transact(self, work: Callable[[Session], T], *, writes: bool) -> T: ...

    def check_available(self) -> None:
        """Raises ``UnavailableError`` where asking is known to be in vain. Never waits; any thread may ask."""
        ...

    def close(self) -> None: ...


def in_list(name: str, items: Sequence[Value]) -> tuple[str, dict[str, Value]]:
    """``column IN`` a list: the placeholders in brackets, and their values."""
    values: dict[str, Value] = {f"{name}_{index}": item for index, item in enumerate(items)}
    return f"({', '.join(f':{place}' for place in values)})", values
