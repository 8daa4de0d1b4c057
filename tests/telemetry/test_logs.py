"""Lines are whole, safe, in order, and never make anybody wait."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import msgspec
import pytest
from tests.support.records import typical_record

from aimesh.core.clock import FixedClock
from aimesh.core.outcome import Outcome
from aimesh.core.record import AttemptRecord, UsageRecord
from aimesh.telemetry import logs
from aimesh.telemetry.logs import Event, Level, Log, wants_json

KEY = "ck-" + "a1B2" * 10


class Written:
    def __init__(self) -> None:
        self.data = b""
        self.writes = 0

    def __call__(self, data: bytes) -> None:
        self.data += data
        self.writes += 1

    def lines(self) -> list[str]:
        assert self.data.endswith(b"\n") or not self.data
        return self.data.decode().splitlines()


@contextmanager
def opened(
    written: Written, *, as_json: bool = True, level: Level = Level.INFO, access: bool = True
) -> Iterator[Log]:
    log = Log(FixedClock(), as_json=as_json, level=level, access=access, write=written)
    try:
        yield log
    finally:
        log.close()


def failed_record(error: str = "connect refused", code: str = "UPSTREAM_ALL_FAILED") -> UsageRecord:
    record = typical_record()
    attempt = AttemptRecord(record.endpoint, record.credential, started_ms=0.1, duration_ms=3, error=error)
    return msgspec.structs.replace(
        record,
        outcome=Outcome.UPSTREAM_FAILED,
        status=502,
        attempts=(attempt,),
        error_code=code,
        ttft_ms=None,
    )


def test_an_access_line_is_one_json_object_of_the_record() -> None:
    written = Written()
    with opened(written) as log:
        log.access(typical_record())
    (line,) = [json.loads(text) for text in written.lines()]
    assert datetime.fromisoformat(line.pop("at")).timestamp() == pytest.approx(typical_record().at, abs=1e-5)
    assert line == {
        "level": "info",
        "event": "call",
        "id": "0197f3a1c2d4deadbeef000000000001",
        "tenant": "default",
        "key": "team-search",
        "operation": "chat",
        "model": "vendor/model-a",
        "endpoint": "example_bj@vendor/model-a@open_ai",
        "outcome": "ok",
        "status": 200,
        "duration_ms": 2311.0,
        "ttft_ms": 412.25,
        "input_tokens": 1200,
        "output_tokens": 345,
        "stream": True,
        "client_ip": "10.1.2.3",
    }


def test_an_access_line_counts_attempts() -> None:
    good, bad = typical_record(), failed_record()
    several = msgspec.structs.replace(good, attempts=(*bad.attempts, *good.attempts))
    refused = msgspec.structs.replace(bad, outcome=Outcome.REFUSED, attempts=())
    written = Written()
    with opened(written) as log:
        for record in (msgspec.structs.replace(good, attempts=()), bad, several, refused):
            log.access(record)
    # One is the default and left out.
    assert [json.loads(text).get("attempts", 1) for text in written.lines()] == [1, 1, 2, 0]


def test_access_lines_can_be_switched_off() -> None:
    written = Written()
    with opened(written, access=False) as log:
        log.access(typical_record())
        log.event(Level.INFO, Event.STOPPED, "bye")
    assert [json.loads(text)["event"] for text in written.lines()] == ["stopped"]


def test_an_upstreams_words_in_an_access_line_are_redacted() -> None:
    written = Written()
    with opened(written) as log:
        log.access(failed_record(error=f"refused Bearer {KEY}", code=f"bad {KEY}"))
    assert KEY not in written.data.decode()
    line = json.loads(written.lines()[0])
    assert (line["error"], line["error_code"]) == ("refused Bearer ****", "bad ck-****")


def test_an_event_holds_its_fields_and_no_secret() -> None:
    written = Written()
    with opened(written) as log:
        log.event(
            Level.WARNING,
            Event.CREDENTIAL_REFUSED,
            f"upstream said: invalid key {KEY}",
            {"provider": "x", "status": 401, "note": "half \ud800 pair"},
        )
    (line,) = [json.loads(text) for text in written.lines()]
    assert line["message"] == "upstream said: invalid key ck-****"
    assert (line["level"], line["event"], line["status"]) == ("warning", "credential_refused", 401)
    assert line["note"] == "half ? pair"
    assert line["at"].startswith("2025-06-15T15:06:40")


def test_lines_below_the_level_are_not_written() -> None:
    written = Written()
    with opened(written, level=Level.WARNING) as log:
        log.event(Level.INFO, Event.STARTING, "no")
        log.event(Level.ERROR, Event.CRASHED, "yes")
    assert [json.loads(text)["message"] for text in written.lines()] == ["yes"]


def fail(message: str) -> None:
    raise LookupError(message)


def test_a_crash_says_where_and_shows_no_secret() -> None:
    written = Written()
    with opened(written) as log:
        try:
            fail(f"no such key: {KEY}")
        except LookupError as error:
            log.crash(Event.CRASHED, error, {"id": "r1"})
    line = json.loads(written.lines()[0])
    assert "test_logs.py" in line["traceback"]
    assert line["message"] == "LookupError: no such key: ck-****"
    assert line["id"] == "r1"
    assert KEY not in written.data.decode()


def test_text_lines_are_for_eyes() -> None:
    written = Written()
    with opened(written, as_json=False) as log:
        log.access(typical_record())
        log.access(failed_record())
        log.event(Level.INFO, Event.LISTENING, "ready", {"address": "127.0.0.1:1"})
    good, bad, event = written.lines()
    assert " 200 chat vendor/model-a ok 2311 ms first 412 tokens 1200+345 key=team-search " in good
    assert " 502 chat vendor/model-a upstream_failed 2311 ms" in bad
    assert " UPSTREAM_ALL_FAILED connect refused " in bad
    assert event == "15:06:40.000 INFO listening: ready address=127.0.0.1:1"


def test_a_text_line_cannot_be_forged() -> None:
    written = Written()
    with opened(written, as_json=False) as log:
        log.access(failed_record(error="a\n2026 forged\x1b[2J\r"))
        log.event(Level.INFO, Event.REFUSED, "x\ny", {"model": "a\u2028b"})
    assert len(written.data.decode().split("\n")) == 3
    assert written.data.count(b"\n") == 2
    assert b"\x1b" not in written.data
    assert r"a\n2026 forged\x1b[2J\r" in written.data.decode()


def test_lines_of_one_moment_go_out_together_and_in_order() -> None:
    written = Written()
    with opened(written) as log:
        for number in range(1000):
            log.access(typical_record(f"r{number}"))
    assert [json.loads(text)["id"] for text in written.lines()] == [f"r{number}" for number in range(1000)]
    assert written.writes < 100


def test_a_warning_does_not_wait_for_company(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "GROUP_S", 60.0)
    written = Written()
    with opened(written) as log:
        log.event(Level.WARNING, Event.JOURNAL_ALARM, "disk full")
        end_s = time.monotonic() + 10
        while not written.data:
            assert time.monotonic() < end_s
            time.sleep(0.002)


def test_a_reader_that_does_not_read_costs_lines_and_never_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "BUFFER_BYTES", 10_000)
    gate, entered = threading.Event(), threading.Event()
    written = Written()

    def write(data: bytes) -> None:
        entered.set()
        assert gate.wait(30)
        written(data)

    log = Log(FixedClock(), as_json=True, level=Level.INFO, access=True, write=write)
    log.event(Level.WARNING, Event.STARTING, "blocks the writer")
    assert entered.wait(30)
    for number in range(500):
        log.access(typical_record(f"r{number}"))
    dropped = log.dropped
    assert 400 < dropped < 500
    gate.set()
    log.close()
    lines = [json.loads(text) for text in written.lines()]
    calls = [line["id"] for line in lines if line["event"] == "call"]
    assert calls == [f"r{number}" for number in range(500 - dropped)]
    assert [line["lines"] for line in lines if line["event"] == "lines_dropped"] == [dropped]


_PROGRAM = """
import sys
from aimesh.core.clock import SystemClock
from aimesh.telemetry.logs import Event, Level, Log
log = Log(SystemClock(), as_json=True, level=Level.INFO, access=True)
for number in range(2000):
    log.event(Level.INFO, Event.REFUSED, "x" * 200, {"number": number})
log.close()
print("done")
"""


def test_a_pipe_gets_every_line_whole() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        env={"PYTHONPATH": os.pathsep.join(sys.path)}, capture_output=True, check=True, timeout=60,
    )  # fmt: skip
    assert [json.loads(line)["number"] for line in done.stderr.splitlines()] == list(range(2000))


def test_a_reader_that_is_gone_ends_nothing() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-c", _PROGRAM],
            env={"PYTHONPATH": os.pathsep.join(sys.path)}, stdout=subprocess.PIPE, stderr=writing, check=True,
            timeout=60,
        )  # fmt: skip
    finally:
        os.close(writing)
    assert done.stdout == b"done\n"


@pytest.mark.parametrize(
    ("setting", "is_terminal", "as_json"),
    [("auto", True, False), ("auto", False, True), ("json", True, True), ("text", False, False)],
)
def test_the_format_follows_the_setting_and_the_terminal(
    setting: str, is_terminal: bool, as_json: bool
) -> None:
    assert wants_json(setting, is_terminal) is as_json
