"""``aimesh demo`` with its console, and people who use it.

One stack per test process: its tests make people, keys and names of their own.
"""

import contextlib
import itertools
import os
import re
import time
from collections.abc import Iterator
from typing import Any

import httpx
from tests.support.live import Live, running_demo, wait_for

from aimesh.control.parts import CONSOLE

API = "/api/admin/v1"
PASSWORD = "a password of tests"
_LINK = re.compile(r"/setup#setup=(\S+)")


class Person:
    """Somebody with an account, and a client of the admin API that is signed in as them."""

    def __init__(self, stack: "Stack", username: str, user_id: str) -> None:
        self.username = username
        self.id = user_id
        self.api = stack.closing.enter_context(httpx.Client(base_url=stack.live.url + API, timeout=30))
        session = self.api.post("/session", json={"username": username, "password": PASSWORD})
        assert session.status_code in (200, 201), session.text
        self.api.headers["x-csrf-token"] = session.json()["csrf_token"]

    def get(self, path: str, **query: Any) -> Any:
        return _body(self.api.get(path, params=query))

    def post(self, path: str, body: object = None) -> Any:
        return _body(self.api.post(path, json=body))


def _body(answer: httpx.Response) -> Any:
    assert answer.is_success, (
        answer.request.method,
        answer.request.url.path,
        answer.status_code,
        answer.text,
    )
    return answer.json() if answer.content else None


class Stack:
    def __init__(self, live: Live, closing: contextlib.ExitStack) -> None:
        self.live = live
        self.url = live.url
        self.closing = closing
        self._numbers = itertools.count(1)
        self.admin = self._first_administrator()

    def link(self) -> str:
        """Token of the one-time link that the start printed."""
        found = wait_for(lambda: _LINK.search(self.live.said()))
        return found[1]

    def _first_administrator(self) -> Person:
        body = {"token": self.link(), "username": "root", "password": PASSWORD}
        made = wait_for(lambda: self._setup(body))
        return Person(self, "root", made["user"]["id"])

    def _setup(self, body: object) -> Any:
        answer = httpx.post(self.live.url + API + "/setup", json=body, timeout=30)
        return None if answer.status_code == 503 else _body(answer)

    def name(self, word: str) -> str:
        """A name that nobody has yet."""
        return f"{word}-{os.getpid()}-{next(self._numbers)}"

    def person(self, role: str = "MEMBER") -> Person:
        username = self.name(role.rsplit("_", maxsplit=1)[-1].lower())
        member = self.admin.post("/members", {"username": username, "role": role})
        link = self.admin.post(f"/members/{member['id']}/password-link")
        token = link["url"].partition("#link=")[2]
        self.admin.post(f"/password-links/{token}", {"password": PASSWORD})
        # The link's use signed the client in as the new person.
        self.admin = Person(self, "root", self.admin.id)
        return Person(self, username, member["id"])

    def key(self, person: Person, **terms: Any) -> tuple[str, str]:
        """Id and text of a new key, which every worker knows by now."""
        made = person.post("/keys", {"alias": self.name("key"), **terms})
        wait_for(lambda: self.call("/v1/models", made["text"], None).status_code == 200)
        return made["id"], made["text"]

    def call(self, path: str, key: str, body: object) -> httpx.Response:
        """A call of the gateway itself."""
        headers = {"authorization": f"Bearer {key}"}
        url = f"{self.url}/gateway{path}"
        if body is None:
            return httpx.get(url, headers=headers, timeout=30)
        return httpx.post(url, headers=headers, json=body, timeout=60)

    def counted(self, person: Person, request_id: str) -> Any:
        """The record of a call, once it is in the database."""

        def found() -> Any:
            calls = person.get("/usage/calls", request_id=request_id)["data"]
            time.sleep(0.2)
            return calls[0] if calls else None

        return wait_for(found, 30)


@contextlib.contextmanager
def running_stack() -> Iterator[Stack]:
    assert (CONSOLE / "index.html").is_file(), "the console is not built: make console"
    with running_demo() as live, contextlib.ExitStack() as closing:
        yield Stack(live, closing)
