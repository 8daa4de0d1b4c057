"""What tests of the admin API read from its answers."""

from typing import Any, Protocol

# JSON of an answer.
Json = dict[str, Any]


class Answer(Protocol):
    """Of whichever client Starlette's test client is made of."""

    @property
    def status_code(self) -> int: ...

    # JSON is the one place for Any.
    def json(self) -> Any: ...


def code(answer: Answer) -> tuple[int, str]:
    """Status and code of an error."""
    return answer.status_code, answer.json()["error"]["code"]


def match(item: Json) -> dict[str, str]:
    """The header that an edit of what was read needs."""
    return {"if-match": f'"{item["version"]}"'}
