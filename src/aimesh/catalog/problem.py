"""What is wrong with a configuration, said so that a person can mend it.

1. A problem names file, line and column (from 1), what is wrong, and, where known, what to write instead.
2. No problem repeats a secret: values are shown only when short, never when they came from the environment.
"""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from msgspec import Struct

_SHOWN = 24
"""Credentials are longer than this; most of what a person mistypes is shorter, and has a place."""


class Problem(Struct, frozen=True):
    file: str
    line: int
    column: int
    message: str
    suggestion: str = ""
    path: tuple[str | int, ...] = ()
    """Keys and positions to the value, where there is no file to look into."""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}"
        return f"{where}: {self.message}" + (f" ({self.suggestion})" if self.suggestion else "")


class ConfigError(Exception):
    """A configuration that cannot be used, with everything that is wrong with it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def described(self) -> str:
        """In one line, by the names of what is wrong; the first few."""
        shown = [
            f"{'.'.join(map(str, problem.path)) or problem.file}: {problem.message}"
            + (f" ({problem.suggestion})" if problem.suggestion else "")
            for problem in self.problems[:5]
        ]
        more = len(self.problems) - len(shown)
        return "; ".join(shown) + (f"; and {more} more" if more else "")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``did you mean 'x'?``, or nothing when no known word is near."""
    by_folded = {candidate.casefold(): candidate for candidate in known}
    near = get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    return f"did you mean '{by_folded[near[0]]}'?" if near else ""


def shown_value(text: str) -> str:
    """A value in quotes, or only its length when it could be a secret."""
    return f"'{text}'" if len(text) <= _SHOWN else f"a text of {len(text)} characters"


def shown_name(text: str) -> str:
    """A name in quotes, or its beginning when it could be a secret in the wrong place."""
    return f"'{text}'" if len(text) <= _SHOWN else f"'{text[:4]}...'"
