"""The admin API of a running gateway as its first administrator sees it, over the gateway's own port.

``Admin`` made the first administrator with the link that the gateway printed. Every answer is kept in ``answers``, so
that a test can look for what should not have been there.
"""

import http.client
import json
import re
import time
from typing import Any
from urllib.parse import quote, urlencode

from msgspec import Struct
from tests.support.chaos_http import DEADLINE_S, Seen, until
from tests.support.chaos_process import GatewayProcess

API = "/api/admin/v1"
USERNAME = "first"
_LINK = re.compile(r"/setup#setup=([\w-]+)")


class Answer(Struct, frozen=True):
    request: str
    """Method and path without its query."""
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def setup_token(gateway: GatewayProcess) -> str:
    """Of the newest link it printed."""
    found = until(lambda: _LINK.findall(gateway.log), "no link for the first administrator", within_s=60)
    return str(found[-1])


class Admin:
    """One person's session, or a token."""

    def __init__(self, url: str, headers: dict[str, str] | None = None) -> None:
        self._host = url.removeprefix("http://")
        self.headers = dict(headers or {})
        self.answers: list[Answer] = []

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        query: dict[str, str] | None = None,
        version: int | None = None,
    ) -> Answer:
        """Whatever comes of it. ``path`` below the API; ``body`` as JSON, or bytes as they are."""
        headers = self.headers | ({} if version is None else {"if-match": f'"{version}"'})
        payload = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        if payload is not None:
            headers = {"content-type": "application/json"} | headers
        target = API + quote(path) + (f"?{urlencode(query)}" if query else "")
        connection = http.client.HTTPConnection(self._host, timeout=DEADLINE_S)
        try:
            connection.request(method, target, payload, headers)
            response = connection.getresponse()
            answer = Answer(
                request=f"{method} {path}",
                status=response.status,
                headers={name.lower(): value for name, value in response.getheaders()},
                body=response.read(),
            )
        finally:
            connection.close()
        self.answers.append(answer)
        return answer

    def done(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        query: dict[str, str] | None = None,
        version: int | None = None,
    ) -> Any:
        """The JSON of an answer that must be good; None where there is none."""
        answer = self.ask(method, path, body, query=query, version=version)
        assert 200 <= answer.status < 300, (method, path, answer.status, answer.body)
        return answer.json if answer.body else None

    def sign_in(self, path: str, body: object) -> Any:
        """With whatever of the API begins a session: goes on as that person."""
        answer = self.ask("POST", path, body)
        assert answer.status in (200, 201), (path, answer.status, answer.body)
        cookie = answer.headers["set-cookie"].split(";")[0]
        self.headers |= {"cookie": cookie, "x-csrf-token": answer.json["csrf_token"]}
        return answer.json

    @property
    def session(self) -> str:
        """Text of the session."""
        return self.headers["cookie"].partition("=")[2]


def first_admin(gateway: GatewayProcess, password: str = "correct horse 4711") -> Admin:
    """Of a gateway whose database is new."""
    until(
        lambda: Admin(gateway.url).ask("GET", "/setup").status == 200,
        "the control process does not answer",
        within_s=60,
    )
    admin = Admin(gateway.url)
    admin.sign_in("/setup", {"token": setup_token(gateway), "username": USERNAME, "password": password})
    return admin


def request(url: str, method: str, path: str, body: object, headers: dict[str, str]) -> Seen:
    """One call to the data plane with these headers and no others."""
    payload = None if body is None else json.dumps(body).encode()
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=DEADLINE_S)
    began_s = time.monotonic()
    try:
        given = headers if payload is None else {"content-type": "application/json"} | headers
        connection.request(method, quote(path, safe="/@:.?=&"), payload, given)
        response = connection.getresponse()
        content = response.read()
        return Seen(
            status=response.status,
            headers={name.lower(): value for name, value in response.getheaders()},
            body=content,
            is_complete=True,
            took_s=time.monotonic() - began_s,
        )
    finally:
        connection.close()
