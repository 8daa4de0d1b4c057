"""No secret is anywhere in the clear: a gateway with all its processes is driven through whatever handles secrets, and
then everything it wrote, said and shows is searched.

1. The search is proved first: planted secrets are found in each kind of place, and markers that travel beside the
   secrets (names of credentials, aliases, people) are found where the secrets must not be.
2. A secret may stand where its owner put it (``aimesh.yaml``) and in the one answer that hands it out.
"""

import base64
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from tests.support.chaos_admin import API, USERNAME, Admin, Answer, first_admin, request, setup_token
from tests.support.chaos_calls import CHAT, CHAT_STREAM, IMAGE_WHOLE, MESSAGES, TASK, VIDEO_TASK, Style
from tests.support.chaos_config import (
    ALPHA_SECRET,
    BETA_SECRET,
    KEY,
    SECOND_KEY,
    TEXT,
    Config,
    chaos_config,
    patient,
)
from tests.support.chaos_http import Seen, until
from tests.support.chaos_process import GatewayProcess, children_of
from tests.support.chaos_simulator import SimulatorProcess
from tests.support.chaos_upstream import RawUpstream, http_answer, raw_upstream, read_request
from tests.support.chaos_worker import InnerGateway, LoopThread
from tests.support.hunt import Hunt
from tests.support.oidc import CLIENT, CLIENT_SECRET, Provider, ec_key, running_provider
from tests.support.postgres import PASSWORD as DATABASE_PASSWORD
from tests.support.shell import Shell
from tests.support.stores import server_of

from aimesh.control.app import make_app
from aimesh.control.parts import Parts
from aimesh.core.clock import FixedClock, SystemClock
from aimesh.core.secret import Secret
from aimesh.settings import compile_settings
from aimesh.store.database import default_url
from aimesh.store.engine import open_store
from aimesh.store.vault import open_vault

pytestmark = pytest.mark.chaos

PLATFORM = "sk-platform/7d+20f1c3ab99e54d"
OWN, OWN_LATER, UNSAVED = "sk-own-77aa01bc/3f", "sk-own-later-51c0ffee", "sk-unsaved-90ddba11"
FIRST_PASSWORD, PASSWORD, NEW_PASSWORD = "first horse 4711!", "second horse 0815?", "third horse 2342#"
FOREIGN_KEY = "foreign-service-key-5b1e9f00d4"
MARKS = {"name": "own-credential-of-the-test", "alias": "alias-of-the-test", "user": "someone-of-the-test"}


def parrot(script: list[str]) -> Any:
    """An upstream that repeats the credential it was sent, in the way that ``script[0]`` says."""

    def serve(_number: int, connection: socket.socket) -> None:
        while asked := read_request(connection):
            connection.sendall(repeated(script[0], asked))

    return serve


def repeated(way: str, asked: bytes) -> bytes:
    lines = asked.partition(b"\r\n\r\n")[0].split(b"\r\n")
    sent = [line for line in lines if line.lower().startswith((b"authorization:", b"x-api-key:"))]
    words = b"; ".join(sent).decode()
    error = {"message": f"not with {words}", "type": words, "code": words, "param": words}
    body = json.dumps({"error": error, "code": words, "message": words, "type": "error"}).encode()
    if way.isdecimal():
        answer = http_answer(body, status=f"{way} Oh")
        head, _, rest = answer.partition(b"\r\n")
        return head + b"\r\nx-repeated: " + words.encode() + b"\r\nretry-after: 1\r\n" + rest
    match way:
        case "slashes":
            return http_answer(body.replace(b"/", b"\\/"), status="503 Oh")
        case "page":
            return http_answer(f"<p>{words}</p>".encode(), status="502 Oh", kind="text/html")
        case "good status":
            return http_answer(body)
        case "stream":
            return http_answer(b"data: " + body + b"\n\n", kind="text/event-stream")
        case "late in a stream":
            delta = {"choices": [{"index": 0, "delta": {"role": "assistant", "content": "hi"}}]}
            first = b"data: " + json.dumps({"id": "x", "object": "chat.completion.chunk"} | delta).encode()
            return http_answer(first + b"\n\ndata: " + body + b"\n\n", kind="text/event-stream")
    raise AssertionError(way)


WAYS = (
    "400", "401", "403", "404", "409", "422", "429", "500", "503",
    "slashes", "page", "good status", "stream", "late in a stream",
)  # fmt: skip


class Stage:
    """A gateway, and whatever was said to and by it."""

    def __init__(self, gateway: GatewayProcess, *, parrot: list[str], provider: Provider) -> None:
        self.gateway = gateway
        self.parrot = parrot
        self.provider = provider
        self.hunt = Hunt()
        self.shown: dict[int, set[str]] = {}
        """Number of an answer to the names of what it hands out."""
        self.seen: list[Seen] = []
        self.admin = Admin(gateway.url)
        self.pids: set[int] = set()

    def learn(self, name: str, secret: str) -> str:
        """From the last answer, which alone may have it."""
        self.hunt.add(name, secret)
        self.shown.setdefault(len(self.admin.answers) - 1, set()).add(name)
        return secret

    def call(self, style: Style, key: str, model: str = "", path: str = "") -> Seen:
        body = style.body | ({"model": model} if model else {})
        headers = {"authorization": f"Bearer {key}", "x-api-key": key}
        self.seen.append(request(self.gateway.url, "POST", path or style.path, body, headers))
        return self.seen[-1]

    def note_processes(self) -> None:
        self.pids |= {self.gateway.pid, *children_of(self.gateway.pid)}

    def in_answers(self) -> list[str]:
        found = []
        for number, answer in enumerate(self.admin.answers):
            found += self.hunt.in_bytes(whole(answer), answer.request, but=self.shown.get(number, ()))
        for one in self.seen:
            place = f"an answer with {one.status} (call {one.request_id})"
            found += self.hunt.in_bytes(repr(one.headers).encode() + one.body, place)
        return found


def whole(answer: Answer) -> bytes:
    return repr(answer.headers).encode() + answer.body


def test_the_search_finds_what_is_planted(tmp_path: Path) -> None:
    secret = "sk-planted/0f1e+2d3c4b5a=69"
    hunt = Hunt()
    hunt.add("planted", secret)
    assert hunt.in_files(tmp_path) == []
    places = {
        "log": f"error: refused with {secret}\n".encode(),
        "deep/er/segment.bin": b"\x00\x01" + secret.encode() + b"\xff",
        "json": json.dumps({"a": secret}).encode(),
        "php-json": json.dumps({"a": secret}).replace("/", "\\/").encode(),
        "url": b"GET /x?key=sk-planted%2F0f1e%2B2d3c4b5a%3D69",
        "hex": secret.encode().hex().encode(),
        **{f"base64-{n}": base64.b64encode(b"u" * n + secret.encode() + b":x") for n in range(3)},
        "base64url": base64.urlsafe_b64encode(b"user:" + secret.encode()),
    }
    for name, content in places.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    assert sorted(hunt.in_files(tmp_path)) == sorted(f"planted in {name}" for name in places)
    assert hunt.in_files(tmp_path, but={"log": {"planted"}})[0] != "planted in log"
    assert hunt.in_bytes(b"sk-planted/0f1e+2d3c4b5a=6", "almost") == []
    wait = "import sys; print('ready', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", wait, secret],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"PLANTED": secret},
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert hunt.in_commands([child.pid]) == [f"planted in /proc/{child.pid}/cmdline"]
        assert hunt.in_environments([child.pid]) == [f"planted in environ of {child.pid}"]
        child.communicate()


def stage_config(simulator: SimulatorProcess, upstream: RawUpstream, provider: Provider) -> Config:
    origins = {
        "alpha": f"{simulator.url}/alpha",
        "beta": f"{simulator.url}/beta",
        "parrot": f"{upstream.url}/parrot",
    }
    config = patient(chaos_config(simulator.url, providers=origins)) | {"workers": 2}
    config["credentials"] = {"alpha": ALPHA_SECRET, "beta": BETA_SECRET}
    config["log"] = {"format": "json", "level": "debug", "access": True}
    config["keys"] = {"reveal": "audited"}
    oidc = {"issuer": provider.issuer, "client_id": CLIENT, "client_secret": CLIENT_SECRET}
    config["admin"] = {"oidc": oidc}
    return config


@pytest.fixture(params=["sqlite", "postgresql"])
def stage(
    request: pytest.FixtureRequest, tmp_path: Path, simulator: SimulatorProcess
) -> Iterator[tuple[Stage, str]]:
    """With the URL of its database, or nothing for SQLite."""
    script = ["503"]
    clock = FixedClock(SystemClock().wall_s())
    with raw_upstream(parrot(script)) as upstream, running_provider(clock, ec_key("one")) as provider:
        config = stage_config(simulator, upstream, provider)
        if request.param == "postgresql":
            with server_of(request.config).database() as url:
                yield from _staged(tmp_path, config | {"database": url}, script, provider, url)
        else:
            yield from _staged(tmp_path, config, script, provider, "")


def _staged(
    home: Path, config: Config, script: list[str], provider: Provider, url: str
) -> Iterator[tuple[Stage, str]]:
    gateway = GatewayProcess(home, config)
    gateway.start()
    try:
        yield Stage(gateway, parrot=script, provider=provider), url
    finally:
        gateway.end()


def test_no_secret_is_in_the_clear(stage: tuple[Stage, str]) -> None:
    play, url = stage
    gateway, hunt = play.gateway, play.hunt
    for name, secret in IN_THE_FILE.items():
        hunt.add(name, secret)
    for name, secret in TYPED.items():
        hunt.add(name, secret)
    hunt.add("database password", DATABASE_PASSWORD)
    people(play)
    keys = credentials_and_keys(play)
    calls(play, keys)
    hunt.add("master key", (gateway.home / "master.key").read_text(encoding="ascii").split()[0])
    bad_requests(play, keys)
    sign_on(play)
    play.note_processes()
    command_lines = hunt.in_commands(play.pids) + hunt.in_environments(play.pids)
    crashes(play)
    gateway.signal(signal.SIGHUP)
    until(lambda: "reload refused" in gateway.log, "the broken file is not refused")
    found = hunt.in_files(gateway.home, but=places(hunt)) + play.in_answers() + command_lines
    if url:
        found += hunt.in_postgres(url)
    gateway.end()
    # What the end writes too.
    found += hunt.in_files(gateway.home, but=places(hunt))
    assert not found, "\n".join(sorted(set(found)))
    marks_are_where_secrets_are_not(play, url)


IN_THE_FILE = {
    "credential alpha": ALPHA_SECRET,
    "credential beta": BETA_SECRET,
    "file key": KEY,
    "second file key": SECOND_KEY,
    "client secret": CLIENT_SECRET,
}
TYPED = {
    "platform credential": PLATFORM,
    "own credential": OWN,
    "own credential, later": OWN_LATER,
    "unsaved credential": UNSAVED,
    "first password": FIRST_PASSWORD,
    "password": PASSWORD,
    "new password": NEW_PASSWORD,
    "foreign key": FOREIGN_KEY,
}


def places(hunt: Hunt) -> dict[str, set[str]]:
    """Files with secrets on purpose."""
    return {
        "aimesh.yaml": {*IN_THE_FILE, "database password", "broken file"} & set(hunt.names),
        "master.key": {"master key"},
        # The link is for whoever reads the first lines; it has been used.
        "stderr.log": {"setup link"},
    }


def people(play: Stage) -> None:
    play.admin = admin = first_admin(play.gateway, FIRST_PASSWORD)
    play.shown[len(admin.answers) - 1] = {"first session"}
    play.hunt.add("setup link", setup_token(play.gateway))
    play.hunt.add("first session", admin.session)
    body = {"username": MARKS["user"], "role": "AI_GATEWAY_ADMIN"}
    member = admin.done("POST", "/members", body)
    link = admin.done("POST", f"/members/{member['id']}/password-link")["url"]
    token = play.learn("password link", link.partition("#link=")[2])
    person = Admin(play.gateway.url)
    person.answers = admin.answers
    person.sign_in(f"/password-links/{token}", {"password": PASSWORD})
    play.learn("session of the link", person.session)
    change = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    person.done("PUT", "/session/password", change)
    for password, status in ((PASSWORD, 401), (NEW_PASSWORD, 200)):
        answer = admin.ask("POST", "/session", {"username": MARKS["user"], "password": password})
        assert answer.status == status
    play.learn("session", answer.headers["set-cookie"].split(";")[0].partition("=")[2])
    made = admin.done("POST", "/tokens", {"name": "token of the test"})
    text = play.learn("token", made["text"])
    tokened = Admin(play.gateway.url, {"authorization": f"Bearer {text}"})
    tokened.answers = admin.answers
    for path in ("/tokens", "/members", "/session", f"/tokens/{made['id']}", "/audit"):
        tokened.done("GET", path)


def credentials_and_keys(play: Stage) -> dict[str, str]:
    admin = play.admin
    for provider, name, secret in (("parrot", "platform-one", PLATFORM),):
        admin.done("POST", "/credentials", {"provider": provider, "name": name, "secret": secret})
    own = admin.done("POST", "/byok", {"provider": "parrot", "name": MARKS["name"], "secret": OWN})
    # Each test is answered by the parrot, with the secret in its words.
    for way in ("401", "slashes", "page", "good status"):
        play.parrot[0] = way
        assert not admin.done("POST", f"/byok/{own['id']}/test", {"model": TEXT})["ok"]
        unsaved = {"provider": "parrot", "secret": UNSAVED, "model": TEXT}
        assert not admin.done("POST", "/byok/test", unsaved)["ok"]
    later = admin.done("PATCH", f"/byok/{own['id']}", {"secret": OWN_LATER}, version=_version(play, own))
    assert later["masked"] != own["masked"]
    made = admin.done("POST", "/keys", {"alias": MARKS["alias"]})
    keys = {"made": play.learn("made key", made["text"])}
    admin.done("POST", f"/keys/{made['id']}/reveal")
    play.shown[len(admin.answers) - 1] = {"made key"}
    rotated = admin.done("POST", f"/keys/{made['id']}/rotate", {"grace_s": 600})
    keys["rotated"] = play.learn("rotated key", rotated["text"])
    copied = admin.done("POST", f"/keys/{made['id']}/copy", {"alias": "copy of the test"})
    keys["copied"] = play.learn("copied key", copied["text"])
    upserted = admin.done("PUT", "/keys/by-alias/upserted", {"route": {"mode": "byok"}})
    keys["byok"] = play.learn("upserted key", upserted["text"])
    # The list can be asked for a whole text.
    assert admin.done("GET", "/keys", query={"key": keys["rotated"]})["total"] == 1
    for path in ("/keys", "/credentials", "/byok", "/byok/providers", "/audit", "/providers", "/models"):
        admin.done("GET", path, query={"limit": "100"})
    return keys


def _version(play: Stage, item: dict[str, Any]) -> int:
    return int(play.admin.done("GET", f"/byok/{item['id']}")["version"])


def calls(play: Stage, keys: dict[str, str]) -> None:
    """That go well, that are refused, and that fail with the credential in the upstream's words."""

    def are_everywhere() -> bool:
        # Each call has a connection of its own, so either worker may answer.
        return all(
            play.call(CHAT, keys[name]).status == 200 for name in ("rotated", "copied") for _ in range(12)
        )

    until(are_everywhere, "the keys are not there")
    for style in (CHAT, CHAT_STREAM, MESSAGES, TASK, VIDEO_TASK, IMAGE_WHOLE):
        for key in (KEY, keys["made"], keys["rotated"]):
            assert play.call(style, key).status == 200
    play.call(CHAT, FOREIGN_KEY)
    play.call(CHAT, keys["made"], path=f"{CHAT.path}?api_key={keys['made']}&key={FOREIGN_KEY}")
    until(lambda: play.call(CHAT, keys["byok"]).status != 400, "the credential is not there")
    for way in WAYS:
        play.parrot[0] = way
        for style in (CHAT, CHAT_STREAM, MESSAGES, IMAGE_WHOLE, TASK):
            # BYOK first, then the platform's own.
            model = f"parrot@{style.body['model']}@{INTERFACE[style.name]}"
            for key in (keys["byok"], keys["copied"]):
                seen = play.call(style, key, model=model)
                assert seen.status != 401, "a caller reads this as a fault of its own key"


INTERFACE = {
    CHAT.name: "open_ai",
    CHAT_STREAM.name: "open_ai",
    MESSAGES.name: "anthropic",
    IMAGE_WHOLE.name: "ark_image",
    TASK.name: "task",
}


def bad_requests(play: Stage, keys: dict[str, str]) -> None:
    """A secret stands in the wrong place of a request; it is not said back."""
    ask = play.admin.ask
    secret = keys["made"]
    wrong: list[tuple[str, str, object]] = [
        ("POST", "/keys", f'{{"alias": "x", "key": "{secret}"'.encode()),
        ("POST", "/keys", {"alias": ["x", secret]}),
        ("POST", "/keys", {"alias": "x", "models": [secret]}),
        ("POST", "/keys", {"alias": "x", "networks": [secret]}),
        ("POST", "/keys", {"alias": "x", "expires_at": secret}),
        ("POST", "/keys", {"alias": "x", "limits": {"rpm": secret}}),
        ("POST", "/keys", {"alias": "x", "route": {"mode": secret}}),
        ("POST", "/keys", {"alias": "x", "route": {"mode": "byok", "credentials": [secret]}}),
        ("POST", "/keys", {"alias": "x", "route": {"mode": "provider", "providers": [secret]}}),
        ("POST", "/byok", {"provider": secret, "name": "x", "secret": OWN}),
        ("POST", "/byok", {"provider": "nobody", "name": "x", "secret": OWN}),
        ("POST", "/byok", {"provider": "parrot", "name": "x", "secret": f"{OWN} with a space"}),
        ("POST", "/byok", {"provider": "parrot", "name": MARKS["name"], "secret": OWN}),
        ("POST", "/byok", {"provider": "parrot", "secret": {"value": OWN}}),
        ("POST", "/byok/test", {"provider": "parrot", "secret": [UNSAVED]}),
        ("POST", "/credentials", {"name": "x", "secrets": PLATFORM, "secret": PLATFORM}),
        ("POST", "/session", {"username": USERNAME, "password": [FIRST_PASSWORD]}),
        ("POST", "/session", {"username": USERNAME, "password": f"{FIRST_PASSWORD} "}),
        ("PUT", "/session/password", {"current_password": NEW_PASSWORD, "new_password": "short"}),
        ("POST", "/members", {"username": PASSWORD, "role": "MEMBER"}),
        ("POST", "/tokens", {"name": "x", "role": secret}),
        ("GET", f"/keys/{secret}", None),
        ("DELETE", f"/byok/{OWN}", None),
        ("POST", f"/password-links/{PASSWORD}", {"password": "p"}),
    ]
    for method, path, body in wrong:
        assert 400 <= ask(method, path, body).status < 500, (method, path)
        # The path of the request is the test's own.
    for query in ({"tenant": secret}, {"cursor": secret}, {"limit": secret}, {"operator": secret}):
        ask("GET", "/keys", query=query)
    forged = Admin(play.gateway.url, {"authorization": f"Bearer {secret}"})
    forged.answers = play.admin.answers
    assert forged.ask("GET", "/keys").status == 401


def sign_on(play: Stage) -> None:
    """Through the identity provider, once well and once while it fails."""
    with httpx.Client(base_url=play.gateway.url, trust_env=False) as browser:
        for number in range(2):
            begun = browser.get(f"{API}/session/oidc")
            assert begun.status_code == 302
            back = browser.get(begun.headers["location"]).headers["location"]
            code = dict(one.split("=") for one in urlsplit(back).query.split("&"))["code"]
            play.hunt.add(f"code {number}", code)
            if number:
                play.provider.statuses["/token"] = 500
            done = browser.get(back)
            assert done.status_code == (502 if number else 302), done.text
            play.seen.append(
                Seen(
                    status=done.status_code,
                    headers={"x-request-id": "", "location": done.headers.get("location", "")},
                    body=done.content,
                    is_complete=True,
                    took_s=0.0,
                )
            )
        play.hunt.add("session of single sign-on", browser.cookies["aimesh_session"])


def crashes(play: Stage) -> None:
    """Processes die in the middle, and the file becomes unusable with secrets in the wrong places."""
    gateway = play.gateway
    for kind in ("worker", "control"):
        (victim, *_) = gateway.children(kind)
        os.kill(victim, signal.SIGKILL)
        until(lambda victim=victim: f"(process {victim}) ended by SIGKILL" in gateway.log, "nobody is told")  # type: ignore[misc]  # a default binds it
    broken = "sk-broken-file-" + secrets.token_hex(12)
    play.hunt.add("broken file", broken)
    config = gateway.config | {
        "credentials": {"alpha": [broken], "nobody": broken, "beta": {"secret": broken}},
        "virtual_keys": [
            {"alias": "x", "key": f"{broken} {broken}"},
            {"alias": broken[:3], "key": broken, "modles": [broken]},
        ],
        "master_key": broken,
        "database": f"mysql://root:{broken}@127.0.0.1/x",
        "admin": {"oidc": {"client_secret": [broken]}},
    }
    gateway.file.write_text(json.dumps(config, indent=1), encoding="utf-8")


def marks_are_where_secrets_are_not(play: Stage, url: str) -> None:
    """The same search, for what travels beside the secrets and may be seen."""
    marks = Hunt()
    for name, mark in MARKS.items():
        marks.add(name, mark)
    found = marks.in_files(play.gateway.home)
    stored = marks.in_postgres(url) if url else [one for one in found if "aimesh.db" in one]
    for name in MARKS:
        assert any(one.startswith(f"{name} in ") for one in stored), name
    for place, name in (("published/", "alias"), ("published/", "name"), ("journal/", "alias")):
        assert any(place in one and one.startswith(f"{name} in ") for one in found), (place, name)
    assert "alias in stderr.log" in found, "access lines have the alias of the key"
    for name in MARKS:
        assert any(marks.in_bytes(whole(one), name) for one in play.admin.answers), name
    assert any(marks.in_bytes(one.body, "error") for one in play.seen), "histories name the credential"
    assert len(play.pids) >= 4


BROKEN: dict[str, Config] = {
    "a database that is away": {"database": f"postgresql://aimesh:{DATABASE_PASSWORD}@127.0.0.1:1/aimesh"},
    "a database of another kind": {"database": f"mysql://aimesh:{DATABASE_PASSWORD}@127.0.0.1:1/aimesh"},
    "a database without a host": {"database": f"aimesh:{DATABASE_PASSWORD}"},
    "a credential in the wrong place": {"credentials": [ALPHA_SECRET]},
    "a credential of nobody": {"credentials": {"nobody": BETA_SECRET}},
    # Names are shown; one as long as a real key only by its beginning.
    "a key as the provider": {"credentials": {SECOND_KEY: "x"}},
    "a key with a space": {"virtual_keys": [{"alias": "x", "key": f"{KEY} {KEY}"}]},
    "a key twice": {"virtual_keys": [{"alias": "x", "key": KEY}, {"alias": "y", "key": KEY}]},
    "a key among the fields": {"virtual_keys": [{"alias": "x", "key": KEY, "label": SECOND_KEY}]},
    "a client secret that is a list": {"admin": {"oidc": {"client_secret": [CLIENT_SECRET]}}},
}


@pytest.mark.parametrize("what", BROKEN)
def test_commands_that_fail_say_no_secret(what: str, tmp_path: Path, simulator: SimulatorProcess) -> None:
    hunt = Hunt()
    for name, secret in (IN_THE_FILE | {"database password": DATABASE_PASSWORD}).items():
        hunt.add(name, secret)
    file = tmp_path / "aimesh.yaml"
    file.write_text(json.dumps(chaos_config(simulator.url) | BROKEN[what], indent=1), encoding="utf-8")
    shell = Shell(tmp_path)
    ended = []
    for words in (("check-config", str(file)), ("key", "list"), ("models",), ("serve", "--workers", "x")):
        result = shell.run(*words)
        ended.append(result.exit_code)
        said = result.output + result.stderr + repr(result.exception)
        assert hunt.in_bytes(said.encode(), " ".join(words)) == []
    assert any(ended)


def members_of(thing: object) -> list[str]:
    names = [name for kind in type(thing).__mro__ for name in getattr(kind, "__slots__", ())]
    return [*names, *getattr(thing, "__struct_fields__", ()), *getattr(thing, "__dict__", {})]


def test_what_the_processes_hold_shows_no_secret(
    loop_thread: LoopThread, tmp_path: Path, simulator: SimulatorProcess
) -> None:
    """``repr`` and ``str`` of settings, keys, candidates and whatever holds them, down to the last member."""
    config = chaos_config(simulator.url)
    config["admin"] = {
        "oidc": {"issuer": "https://id.example", "client_id": "x", "client_secret": CLIENT_SECRET}
    }
    config["upstream"] = {"proxy": "", "no_proxy": []}
    master = base64.b64encode(b"m" * 32).decode()
    home = tmp_path / "home"
    home.mkdir()
    gateway = InnerGateway(loop_thread, config, home)
    hunt = Hunt()
    try:
        for name, secret in IN_THE_FILE.items():
            hunt.add(name, secret)
        hunt.add("master key", master)
        hunt.add("database password", DATABASE_PASSWORD)
        config["database"] = f"postgresql://aimesh:{DATABASE_PASSWORD}@127.0.0.1/x"
        (tmp_path / "aimesh.yaml").write_text(json.dumps(config), encoding="utf-8")
        environment = {"AIMESH_HOME": str(home), "AIMESH_MASTER_KEY": master}
        settings = compile_settings(tmp_path / "aimesh.yaml", environment)
        assert settings.database is not None
        assert settings.master_key is not None
        store = open_store(default_url(home))
        parts = Parts(
            store=store, settings=settings, clock=SystemClock(), vault=open_vault(home, settings.master_key)
        )
        snapshot = gateway.ask(lambda: gateway.worker.edge.snapshot)
        supply = snapshot.supply
        candidates = [
            supply.candidate(endpoint, credential.id, key.tenant)
            for endpoint in snapshot.catalog.endpoints
            for held in settings.credentials.values()
            for credential in held
            for key in settings.virtual_keys
        ]
        assert any(candidates)
        things: list[object] = [
            settings, *settings.virtual_keys, settings.sources, snapshot, supply, *candidates, parts,
            make_app(parts), gateway.worker, gateway.worker.edge, gateway.worker.client, gateway.worker.keeper,
        ]  # fmt: skip
        for thing in things:
            for show in (repr, str, lambda one: f"{one:}"):
                assert hunt.in_bytes(show(thing).encode(), type(thing).__name__) == []
            for member in members_of(thing):
                shown = repr(getattr(thing, member, None)).encode()
                assert hunt.in_bytes(shown, f"{type(thing).__name__}.{member}") == []
        assert hunt.in_bytes(repr(Secret(KEY).reveal()).encode(), "reveal") == ["file key in reveal"]
        store.close()
    finally:
        gateway.stop()
