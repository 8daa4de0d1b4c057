"""Why a command did not work.

1. ``Misused``: the command line is wrong; exit code 2. ``Refused``: it was understood and did not work; exit code 1.
2. Messages are for people and say what to type instead; codes are for programs. Neither holds a secret.
"""

from collections.abc import Sequence

USAGE_ERROR = "USAGE_ERROR"
GATEWAY_ERROR = "GATEWAY_ERROR"
"""For failures that nobody gave a code of their own."""


class CommandFault(Exception):
    """The end of a command."""

    exit_code = 1

    def __init__(self, code: str, message: str, details: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = tuple(details)
        """Further lines: what is wrong where."""


class Misused(CommandFault):
    exit_code = 2

    def __init__(self, message: str) -> None:
        super().__init__(USAGE_ERROR, message)


class Refused(CommandFault):
    def __init__(
        self, message: str, *, code: str = GATEWAY_ERROR, status: int = 0, details: Sequence[str] = ()
    ) -> None:
        super().__init__(code, message, details)
        self.status = status
        """HTTP status of the admin API; 0: it was not asked."""
