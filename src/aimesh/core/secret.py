"""A value that must not be seen: ``repr``, ``str`` and formatting never show it."""

from typing import Generic, NoReturn, TypeVar

T = TypeVar("T", str, bytes)


class Secret(Generic[T]):
    """Holds a secret. ``reveal()`` is the only way to it, and is easy to search for."""

    __slots__ = ("_value",)
    _value: T

    def __init__(self, value: T) -> None:
        self._value = value

    def reveal(self) -> T:
        return self._value

    def __repr__(self) -> str:
        return "Secret(****)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and bool(self._value == other._value)

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not serialised; reveal it where it is encrypted")


def masked(value: str) -> str:
    """First four and last four characters: ``ck-1****9f3c``; shorter values show nothing."""
    return f"{value[:4]}****{value[-4:]}" if len(value) >= 16 else "****"
