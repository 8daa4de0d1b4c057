"""The control process on a real socket, with an admin API that the test can look into, and with the real one."""

import asyncio
import json
import os
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import msgspec
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from tests.support.loopback import eventually, run

from aimesh.control import process
from aimesh.control.process import Opened, Opener, Supervision, open_control, serve
from aimesh.core.clock import SystemClock
from aimesh.net.listen import bind_unix
from aimesh.settings import compile_settings
from aimesh.store.database import StoreError
from aimesh.store.journal import Journal
from aimesh.telemetry.logs import Level, Log


class Running:
    def __init__(self, client: httpx.AsyncClient, stop: Callable[[], None]) -> None:
        self.client = client
        self.stop = stop
        self.said: list[str] = []
        self.logged: list[bytes] = []


@asynccontextmanager
async def running(path: Path, opener: Opener) -> AsyncIterator[Running]:
    stopped, ready = asyncio.Event(), asyncio.Event()
    transport = httpx.AsyncHTTPTransport(uds=str(path))
    with bind_unix(path) as listener:
        listener.listen(64)
        async with httpx.AsyncClient(transport=transport, base_url="http://control") as client:
            state = Running(client, stopped.set)
            log = Log(SystemClock(), as_json=True, level=Level.INFO, access=False, write=state.logged.append)
            told = Supervision(
                stopped=stopped, ready=ready.set, say=state.said.append, address="http://gate.test"
            )
            descriptor = os.dup(listener.fileno())
            serving = asyncio.get_running_loop().create_task(serve(opener, descriptor, told, log=log))
            await ready.wait()
            try:
                yield state
            finally:
                stopped.set()
                await serving
                os.close(descriptor)
                log.close()


class Desk:
    """An admin API of two pages, its publisher, and what became of them."""

    def __init__(self) -> None:
        self.steps = 0
        self.step_threads: set[str] = set()
        self.is_closed = False
        self.is_asked = threading.Event()
        self.may_answer = threading.Event()

    def open(self) -> Opened:
        routes = [Route("/quick", self._quick), Route("/slow", self._slow), Route("/broken", self._broken)]
        return Opened(
            app=Starlette(routes=routes), step=self._step, close=self._close, first_link="/setup#setup=t"
        )

    def _quick(self, request: Request) -> Response:
        return PlainTextResponse(request.headers.get("x-forwarded-for", ""))

    def _slow(self, _request: Request) -> Response:
        self.is_asked.set()
        self.may_answer.wait(10)
        return PlainTextResponse("done")

    def _broken(self, _request: Request) -> Response:
        raise ZeroDivisionError

    def _step(self) -> None:
        assert not self.is_closed
        self.steps += 1
        self.step_threads.add(threading.current_thread().name)
        if self.steps == 2:
            raise ZeroDivisionError("a step that fails")

    def _close(self) -> None:
        self.is_closed = True


def test_it_serves_publishes_and_ends_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "STEP_EVERY_S", 0.01)
    desk = Desk()

    async def main() -> None:
        async with running(tmp_path / "c.sock", desk.open) as control:
            await eventually(lambda: desk.steps > 3)
            answer = await control.client.get("/quick", headers={"x-forwarded-for": "10.1.2.3"})
            assert (answer.status_code, answer.text) == (200, "10.1.2.3")
            assert not {"server", "date"} & set(answer.headers)
            assert control.said == [
                "nobody administers aimesh yet; the first administrator is made at http://gate.test/setup#setup=t"
            ]
            assert len(desk.step_threads) == 1
            assert any(b"a step that fails" in line for line in control.logged)
            assert not desk.is_closed
        assert desk.is_closed

    run(main)


def test_alerts_have_a_thread_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "STEP_EVERY_S", 0.01)
    monkeypatch.setattr(process, "ALERT_EVERY_S", 0.01)
    desk = Desk()
    goes_on = threading.Event()
    alerting: list[str] = []

    def slow() -> None:
        alerting.append(threading.current_thread().name)
        goes_on.wait(10)

    async def main() -> None:
        async with running(
            tmp_path / "c.sock", lambda: msgspec.structs.replace(desk.open(), alert_step=slow)
        ) as control:
            await eventually(lambda: bool(alerting))
            steps = desk.steps
            # A webhook that is slow holds up no publication and no request.
            await eventually(lambda: desk.steps > steps + 3)
            assert (await control.client.get("/quick")).status_code == 200
            assert len(alerting) == 1
            goes_on.set()
            await eventually(lambda: len(alerting) > 2)
        assert not set(alerting) & desk.step_threads

    run(main)


def test_a_request_that_runs_when_it_ends_is_answered(tmp_path: Path) -> None:
    desk = Desk()

    async def main() -> None:
        async with running(tmp_path / "c.sock", desk.open) as control:
            await eventually(lambda: bool(control.said))
            slow = asyncio.get_running_loop().create_task(control.client.get("/slow"))
            await eventually(desk.is_asked.is_set)
            control.stop()
            desk.may_answer.set()
            assert (await slow).text == "done"

    run(main)


def test_a_database_that_is_away_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "RETRY_S", 0.02)
    desk = Desk()
    tries: list[int] = []

    def opener() -> Opened:
        tries.append(1)
        if len(tries) < 4:
            raise StoreError("the database is away")
        return desk.open()

    async def main() -> None:
        async with running(tmp_path / "c.sock", opener) as control:
            first = await control.client.get("/quick")
            if len(tries) < 4:
                assert first.json()["error"]["code"] == "DATABASE_UNAVAILABLE"
            await eventually(lambda: bool(control.said))
            assert (await control.client.get("/quick")).status_code == 200
            await eventually(lambda: bool(control.logged))
            lines = b"\n".join(control.logged).splitlines()
            assert [json.loads(line)["message"] for line in lines if line] == ["the database is away"]

    run(main)


def test_what_uvicorn_has_to_say_is_in_our_log(tmp_path: Path) -> None:
    desk = Desk()

    async def main() -> None:
        async with running(tmp_path / "c.sock", desk.open) as control:
            await eventually(lambda: bool(control.said))
            assert (await control.client.get("/broken")).status_code == 500
            await eventually(lambda: b"ZeroDivisionError" in b"".join(control.logged))

    run(main)


def test_the_real_one(tmp_path: Path) -> None:
    settings = compile_settings(None, {"AIMESH_HOME": str(tmp_path / "home"), "HOME": str(tmp_path)})
    clock = SystemClock()
    log = Log(clock, as_json=True, level=Level.INFO, access=False, write=lambda _data: None)

    async def main() -> None:
        async with running(tmp_path / "c.sock", lambda: open_control(settings, clock, log)) as control:
            await eventually(lambda: bool(control.said), within_s=20)
            assert "/setup#setup=" in control.said[0]
            answer = await control.client.get("/api/admin/v1/setup")
            assert answer.json()["needed"] is True
            assert (await control.client.get("/api/admin/v1/keys")).status_code == 401
            manifest = settings.home / "published" / "current.json"
            await eventually(manifest.exists)

    run(main)
    log.close()


def test_alarms_are_named_after_what_they_are_about(tmp_path: Path) -> None:
    settings = compile_settings(None, {"AIMESH_HOME": str(tmp_path / "home"), "HOME": str(tmp_path)})
    clock = SystemClock()
    written: list[bytes] = []
    log = Log(clock, as_json=True, level=Level.INFO, access=False, write=written.append)
    journal = Journal(settings.journal_directory, process=1, clock=clock, on_alarm=lambda *_: None)
    journal.append_bytes(b"no record at all")
    journal.close()
    opened = open_control(settings, clock, log)
    assert opened.import_step is not None
    opened.import_step()
    opened.close()
    log.close()
    (line,) = [json.loads(line) for line in b"".join(written).splitlines() if b'"alarm"' in line]
    assert (line["event"], line["alarm"]) == ("import_alarm", "record")
