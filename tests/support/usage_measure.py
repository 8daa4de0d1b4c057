"""How long the pages of usage take: ``python -m tests.support.usage_measure <url>``, on what ``usage_scale`` filled.

Asks the admin API over HTTP as a member, as a tenant's administrator and as who runs the installation, with other
values each time, and prints the 95th percentile of each question.
"""

import argparse
import http.client
import json
import random
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

import uvicorn
from msgspec import Struct
from sqlalchemy import select
from tests.support.control import API, settings_of
from tests.support.stores import opened_store
from tests.support.usage_world import BIG_TENANT, LABELS

from aimesh.control.alert_findings import look
from aimesh.control.app import make_app
from aimesh.control.ids import new_id
from aimesh.control.parts import Parts
from aimesh.core.alert_kind import RuleKind
from aimesh.core.clock import SystemClock
from aimesh.core.ids import TenantId, UserId
from aimesh.core.secret import Secret
from aimesh.store.alerts import RuleTerms
from aimesh.store.engine import Store
from aimesh.store.people import Role
from aimesh.store.sessions import digest
from aimesh.store.tables import USAGE_RECORDS
from aimesh.store.tokens import Token, add_token, make_token_text
from aimesh.store.usage_periods import make_next
from aimesh.store.users import NewUser, UserTerms, add_user, find_user
from aimesh.store.vault import Vault

# JSON of an answer.
Json = dict[str, object]
Query = dict[str, object]
Ask = Callable[[random.Random], Query]

SUMS_BAR_S, CALLS_BAR_S = 0.2, 0.3
_ENOUGH_S = 30.0
"""Of one question, should it be far over its bar."""
MEMBER = UserId("usr-00000")


class Question(Struct, frozen=True):
    name: str
    role: Role
    path: str
    query: Ask

    @property
    def bar_s(self) -> float:
        return CALLS_BAR_S if self.path == "/usage/calls" else SUMS_BAR_S


class Answered(Struct, frozen=True):
    name: str
    took_s: list[float]
    """In order of length."""
    bar_s: float
    cpu_s: float
    """Of the processor in this process, on average: a busy machine hardly changes it. SQLite works in this process."""

    def at_s(self, share: float) -> float:
        return self.took_s[min(len(self.took_s) - 1, int(len(self.took_s) * share))]


class Sample(Struct, frozen=True):
    """What to ask for: of calls that there are."""

    models: list[str]
    providers: list[str]
    endpoints: list[str]
    keys: list[str]
    users: list[str]
    upstream: list[str]
    tasks: list[str]
    requests: list[str]


def sample(store: Store) -> Sample:
    table = USAGE_RECORDS.c
    columns = (
        table.model, table.provider, table.endpoint, table.key_id, table.user_id, table.upstream_request_id,
        table.task_id, table.id,
    )  # fmt: skip
    with store.read() as db:
        rows = db.execute(
            select(*columns).where(table.tenant == BIG_TENANT).order_by(table.at_s.desc()).limit(20_000)
        ).all()
    chosen = random.Random(1).sample(rows, 2_000)
    several = [sorted({row[place] for row in chosen} - {""}) for place in range(len(columns))]
    return Sample(*several)


def questions(found: Sample, now_s: float) -> list[Question]:
    asked: list[Question] = []

    def ask(name: str, path: str, query: Ask, *roles: Role) -> None:
        asked.extend(
            Question(f"{name}, {role.value.lower()}", role, path, query)
            for role in roles or (Role.MEMBER, Role.AI_GATEWAY_ADMIN, Role.PLATFORM_ADMIN)
        )

    spans = {"24 h": 1, "7 d": 7, "30 d": 30, "90 d": 90}

    def span(dice: random.Random, days: int) -> Query:
        """Whole days, as the page asks; not always the same, so that nothing is remembered."""
        end = datetime.fromtimestamp(now_s, UTC) - timedelta(minutes=dice.randrange(60))
        if days == 1:
            return {"since": _shown(end - timedelta(days=1)), "until": _shown(end)}
        last = end.date() - timedelta(days=dice.randrange(3))
        return {"since": str(last - timedelta(days=days - 1)), "until": str(last)}

    def over(days: int, *more: Ask) -> Ask:
        def query(dice: random.Random) -> Query:
            whole = span(dice, days)
            for one in more:
                whole |= one(dice)
            return whole

        return query

    def always(**values: object) -> Ask:
        return lambda _: values

    metric: Ask = lambda dice: {"metric": dice.choice(["cost", "tokens", "requests"])}  # noqa: E731 - one of many
    for name, days in spans.items():
        ask(f"summary {name}", "/usage/summary", over(days))
        for grain in ("day", "hour"):
            for by in ("source", "model"):
                query = over(days, metric, always(grain=grain, by=by))
                ask(f"trend of {by}s by {grain} {name}", "/usage/trend", query)
        one_model: Ask = lambda dice: {"model": dice.choice(found.models)}  # noqa: E731 - one of many
        ask(f"trend of a model {name}", "/usage/trend", over(days, metric, one_model, always(grain="hour")))
        for by in ("model", "key", "user"):
            ask(f"top {by}s {name}", "/usage/top", over(days, metric, always(by=by)))
        for by in ("model", "tenant", "key", "user", "details"):
            ask(f"breakdown by {by} {name}", "/usage/breakdown", over(days, always(by=by)))
    ask("status", "/usage/status", lambda _: {})
    filters: dict[str, Ask] = {
        "model": lambda dice: {"model": dice.choice(found.models)},
        "provider": lambda dice: {"provider": dice.choice(found.providers)},
        "label": lambda dice: {"label": "=".join(next(iter(dice.choice(LABELS[1:]).items())))},
        "source": lambda dice: {"source": dice.choice(["byok", "system"])},
        "key": lambda dice: {"key": dice.choice(found.keys)},
        "user": lambda dice: {"user": dice.choice(found.users)},
    }
    for name, query in filters.items():
        ask(
            f"breakdown by model of a {name} 30 d",
            "/usage/breakdown",
            over(30, query),
            Role.AI_GATEWAY_ADMIN,
            Role.PLATFORM_ADMIN,
        )
    filters |= {
        "nothing": lambda _: {},
        "outcome": lambda dice: {"outcome": dice.choice(["upstream_failed", "broken_stream", "client_gone"])},
        "absent outcome": lambda _: {"outcome": "lost"},
        "absent label": lambda _: {"label": "team=absent"},
        "request": lambda dice: {"request_id": dice.choice(found.requests)},
        "upstream request": lambda dice: {"upstream_request_id": dice.choice(found.upstream)},
        "task": lambda dice: {"task_id": dice.choice(found.tasks)},
    }
    for name, query in filters.items():
        ask(
            f"calls by {name}",
            "/usage/calls",
            over(90, query),
        )
    for name, hours in (("1 h", 1), ("24 h", 24), ("60 d", 60 * 24 - 2)):

        def since(dice: random.Random, hours: int = hours) -> Query:
            begin_s = now_s - hours * 3600 - dice.randrange(3600)
            return {"since": _shown(datetime.fromtimestamp(begin_s, UTC))}

        ask(f"overview {name}", "/monitoring/overview", since, Role.MEMBER)
        for kind, several in (("model", found.models), ("endpoint", found.endpoints)):
            dice = random.Random(3)
            for one in dice.sample(several, 4):
                ask(
                    f"{kind} {name}", f"/monitoring/{kind}s/{quote(one, safe='')}", since, Role.PLATFORM_ADMIN
                )
    ask("keys", "/keys", lambda _: {}, Role.AI_GATEWAY_ADMIN)
    return asked


def _shown(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


class Served:
    """The admin API on a port of its own."""

    def __init__(self, store: Store, home: Path) -> None:
        self.parts = Parts(
            store=store, settings=settings_of(home), clock=SystemClock(), vault=Vault([Secret(b"k" * 32)])
        )
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self._server = uvicorn.Server(
            uvicorn.Config(make_app(self.parts), http="httptools", lifespan="off", log_config=None)
        )
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]})
        self._thread.start()
        self.tokens = {
            role: self._token(role) for role in (Role.MEMBER, Role.AI_GATEWAY_ADMIN, Role.PLATFORM_ADMIN)
        }

    def _token(self, role: Role) -> str:
        text, now_s = make_token_text(), self.parts.clock.wall_s()
        with self.parts.store.write() as db:
            if role is Role.MEMBER:
                user_id = MEMBER
            else:
                user_id = UserId(new_id("usr", now_s))
                terms = UserTerms(display_name="Scale", email="", role=role, enabled=True)
                new = NewUser(id=user_id, tenant=TenantId(BIG_TENANT), username=user_id.lower(), terms=terms)
                add_user(db, new, now_s)
            user = find_user(db, user_id)
            assert user is not None
            token = Token(
                id=new_id("tok", now_s), tenant=user.tenant, user_id=user.id, name=new_id("scale", now_s),
                masked="at-****", role=role, expires_at_s=None, last_used_at_s=None, created_at_s=now_s,
            )  # fmt: skip
            add_token(db, token, digest(text))
        return text.reveal()

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join(30)
        self._socket.close()


@contextmanager
def served(url: str) -> Iterator[Served]:
    with TemporaryDirectory() as home, opened_store(url) as store:
        found = Served(store, Path(home))
        try:
            yield found
        finally:
            found.close()


def make_sums(url: str) -> int:
    """All that the control process makes when it has nothing else to do. Gives how many days and weeks."""
    count = 0
    with TemporaryDirectory() as home, opened_store(url) as store:
        zone = ZoneInfo(settings_of(Path(home)).timezone)
        while make_next(store, zone, SystemClock().wall_s()) is not None:
            count += 1
    return count


def _alerts(parts: Parts, runs: int) -> list[Answered]:
    """What a rule costs that looks at the last minutes."""
    answered = []
    for kind in (
        RuleKind.ERROR_RATE,
        RuleKind.PROVIDER_DOWN,
        RuleKind.CREDENTIAL_FAILING,
        RuleKind.IMPORT_LAG,
    ):
        took_s, worked_s = [], time.process_time()
        for _ in range(runs):
            began_s = time.perf_counter()
            with parts.store.read() as db:
                look(parts, db, RuleTerms(name=kind.value, kind=kind, channels=()), parts.clock.wall_s())
            took_s.append(time.perf_counter() - began_s)
        answered.append(
            Answered(
                f"alert rule {kind.value}",
                sorted(took_s),
                SUMS_BAR_S,
                (time.process_time() - worked_s) / runs,
            )
        )
    return answered


def get(connection: http.client.HTTPConnection, token: str, path: str, query: Query) -> Json:
    connection.request("GET", f"{API}{path}?{urlencode(query)}", headers={"authorization": f"Bearer {token}"})
    answer = connection.getresponse()
    body = answer.read()
    assert answer.status == 200, (path, query, body[:500])
    told: Json = json.loads(body)
    return told


def measure(
    url: str, *, runs: int = 30, only: str = "", say: Callable[[str], None] = print
) -> list[Answered]:
    answered: list[Answered] = []
    with served(url) as api:
        parts, now_s = api.parts, api.parts.clock.wall_s()
        connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=120)
        asked = [one for one in questions(sample(parts.store), now_s) if only in one.name]
        for question in asked:
            dice, took_s = random.Random(question.name), []
            cpu_s = 0.0
            for run in range(runs + 2):
                query = question.query(dice)
                began_s, worked_s = time.perf_counter(), time.process_time()
                get(connection, api.tokens[question.role], question.path, query)
                if run >= 2:
                    took_s.append(time.perf_counter() - began_s)
                    cpu_s += time.process_time() - worked_s
                if sum(took_s) > _ENOUGH_S:
                    break
            answered.append(
                Answered(question.name, sorted(took_s), question.bar_s, cpu_s / max(1, len(took_s)))
            )
            say(shown(answered[-1]))
        connection.close()
        if not only:
            answered += _alerts(parts, runs)
            for one in answered[-4:]:
                say(shown(one))
    return answered


def shown(one: Answered) -> str:
    mark = "" if one.at_s(0.95) <= one.bar_s else "  OVER"
    took = "  ".join(f"p{share:.0f} {one.at_s(share / 100) * 1000:7.1f} ms" for share in (50, 95))
    return f"{one.name:55} {took}  cpu {one.cpu_s * 1000:6.1f} ms{mark}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--only", default="", help="questions with this in their names")
    given = parser.parse_args()
    print(f"{make_sums(given.url)} days and weeks summed", flush=True)
    found = measure(given.url, runs=given.runs, only=given.only, say=lambda line: print(line, flush=True))
    over = [one for one in found if one.at_s(0.95) > one.bar_s]
    print(f"{len(found)} questions, {len(over)} over their bar")
    sys.exit(1 if over else 0)


if __name__ == "__main__":
    main()
