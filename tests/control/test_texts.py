"""No name has a character that cannot be seen: whatever says so in a body, a path or a query is refused."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.testclient import TestClient
from tests.support.control import opened_control
from tests.support.stores import opened_store

from aimesh.control.app import document
from aimesh.store.database import default_url
from aimesh.store.people import Role

UNSEEN = ["\x00", "\n", "\x85", "\u202e"]
FREE = {"password", "new_password", "current_password", "secret", "token"}
"""What is no name: it is hashed or sealed, never shown."""

Document = dict[str, Any]
DOCUMENT = document()
OPERATIONS = [
    (method, path, operation)
    for path, item in sorted(DOCUMENT["paths"].items())
    for method, operation in item.items()
]


def example(operation: Document) -> Any:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    schema = content.get("schema", {})
    options = [schema, *schema.get("anyOf", ())]
    schemas = DOCUMENT["components"]["schemas"]
    options += [schemas[one["$ref"].rpartition("/")[2]] for one in options if "$ref" in one]
    return next((one["example"] for one in options if "example" in one), None)


def spoiled(body: Any, unseen: str) -> Iterator[tuple[str, Any]]:
    """The body with one text or name of a field spoiled, and where."""
    pairs: list[tuple[Any, Any]] = []
    match body:
        case dict():
            pairs = list(body.items())
        case list():
            pairs = list(enumerate(body))
    for name, value in pairs:
        if name in FREE:
            continue
        if isinstance(value, str):
            changed = copy.copy(body)
            changed[name] = f"a{unseen}b"
            yield str(name), changed
        for place, inner in spoiled(value, unseen):
            changed = copy.copy(body)
            changed[name] = inner
            yield f"{name}.{place}", changed


def faults(client: TestClient, method: str, path: str, operation: Document) -> Iterator[str]:
    """What was let in."""
    body = example(operation)
    named = [one["name"] for one in operation.get("parameters", ()) if one["in"] == "path"]
    asked = [one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"]
    for unseen in UNSEEN:
        text = f"a{unseen}b"
        said: list[tuple[str, Document]] = [
            (name, {"json": spoilt}) for name, spoilt in spoiled(body, unseen)
        ]
        said += [(f"?{name}", {"json": body, "params": {name: text}}) for name in asked]
        urls = {f"/{name}": filled(path, named, {name: text}) for name in named if name != "token"}
        tries = [(what, filled(path, named, {}), rest) for what, rest in said]
        tries += [(what, url, {"json": body}) for what, url in urls.items()]
        for what, url, rest in tries:
            answer = client.request(method, url, headers={"if-match": "*"}, **rest)
            # What is not there cannot be told from what cannot be.
            if answer.status_code not in (404, 422):
                yield f"{method} {path} {what} {unseen!r}: {answer.status_code} {answer.text[:80]}"


def filled(path: str, named: list[str], texts: dict[str, str]) -> str:
    for name in named:
        path = path.replace(f"{{{name}}}", quote(texts.get(name, "a")))
    return path


def test_nothing_says_what_cannot_be_seen(tmp_path: Path) -> None:
    with opened_store(default_url(tmp_path)) as store, opened_control(store, tmp_path) as control:
        client = control.client(control.person("root", Role.PLATFORM_ADMIN))
        let_in = [fault for one in OPERATIONS for fault in faults(client, *one)]
    assert let_in == []
