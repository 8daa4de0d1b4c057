"""SIGTERM lets calls end, SIGHUP changes the configuration under them: nobody's answer is cut."""

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.chaos_calls import CHAT, CHAT_STREAM, MESSAGES_STREAM
from tests.support.chaos_config import SECOND_KEY, TEXT, chaos_config, patient
from tests.support.chaos_http import Open, call, connect, get, request_bytes, until
from tests.support.chaos_load import Load
from tests.support.chaos_process import GatewayProcess
from tests.support.chaos_simulator import SimulatorProcess

pytestmark = pytest.mark.chaos


@pytest.fixture
def process(tmp_path: Path, simulator: SimulatorProcess) -> Iterator[GatewayProcess]:
    gateway = GatewayProcess(tmp_path, patient(chaos_config(simulator.url)))
    gateway.start()
    yield gateway
    gateway.end()


def _slow(simulator: SimulatorProcess, *, chunks: int = 60, pause_ms: int = 15) -> None:
    simulator.fault("chunks", n=chunks)
    simulator.fault("slow_chunks_ms", n=pause_ms)


def _refuses(gateway: GatewayProcess) -> bool:
    """New calls are not served: no connection, or one that is closed, or the documented 503."""
    try:
        seen = get(gateway.url, "/gateway/v1/models")
    except OSError:
        return True
    return seen.status == 503 and seen.json["error"]["code"] == "GATEWAY_DRAINING"


def test_sigterm_lets_streams_end(process: GatewayProcess, simulator: SimulatorProcess) -> None:
    _slow(simulator)
    streams = [Open(process.url, style.path, style.body) for style in (CHAT_STREAM, MESSAGES_STREAM) * 3]
    for stream in streams:
        stream.read_frames(5)
    process.signal(signal.SIGTERM)
    until(lambda: _refuses(process), "new calls are still served", within_s=2)
    assert process.is_running
    for stream in streams:
        body = stream.read_to_end()
        assert body.endswith(b"0\r\n\r\n")
        assert b"[DONE]" in body or b"message_stop" in body
        stream.hang_up()
    assert process.wait() == 0
    assert sorted(record.outcome for record in process.records()) == ["ok"] * 6


def test_sigterm_lets_a_whole_call_end(process: GatewayProcess, simulator: SimulatorProcess) -> None:
    simulator.fault("latency_ms", n=400)
    with connect(process.url) as caller:
        caller.sendall(request_bytes(CHAT.path, CHAT.body))
        until(lambda: simulator.requests("alpha"), "the upstream was not called")
        process.signal(signal.SIGTERM)
        answer = b""
        while piece := caller.recv(65536):
            answer += piece
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"connection: close" in answer.partition(b"\r\n\r\n")[0].lower()
    assert process.wait() == 0


def test_sigterm_closes_idle_connections_at_once(process: GatewayProcess) -> None:
    with connect(process.url) as idle:
        idle.sendall(request_bytes(CHAT.path, CHAT.body))
        assert idle.recv(65536).startswith(b"HTTP/1.1 200 ")
        process.signal(signal.SIGTERM)
        assert process.wait(5) == 0


def test_sigterm_does_not_wait_for_ever(tmp_path: Path, simulator: SimulatorProcess) -> None:
    config = chaos_config(simulator.url)
    config["timeouts"] |= {"drain_s": 0.5, "idle_s": 60}
    gateway = GatewayProcess(tmp_path, config)
    gateway.start()
    simulator.fault("stall_after_chunks", n=5)
    try:
        stream = Open(gateway.url, CHAT_STREAM.path, CHAT_STREAM.body)
        stream.read_frames(5)
        gateway.signal(signal.SIGTERM)
        assert gateway.wait(8) == 0
        stream.hang_up()
    finally:
        gateway.end()
    assert len(gateway.records()) == 1
    assert "closed" in gateway.log


def test_sigterm_under_load(process: GatewayProcess) -> None:
    """Every answer that began is finished, and every finished one is recorded."""

    async def run() -> Load:
        load = Load(process.url)
        async with asyncio.timeout(30), asyncio.TaskGroup() as callers:
            for index in range(24):
                callers.create_task(load.caller(keeps_connection=index % 2 == 0))
            await asyncio.sleep(0.5)
            process.signal(signal.SIGTERM)
            await asyncio.sleep(1)
            load.is_stopped = True
        return load

    load = asyncio.run(run())
    assert process.wait() == 0
    assert load.cut == 0
    assert set(load.statuses) <= {200, 503}
    assert len(load.complete) > 50
    recorded = [str(record.id) for record in process.records()]
    assert len(recorded) == len(set(recorded))
    assert set(load.complete) <= set(recorded)
    assert {record.outcome for record in process.records()} == {"ok"}


def test_sighup_applies_and_cuts_nothing(process: GatewayProcess, simulator: SimulatorProcess) -> None:
    _slow(simulator)
    stream = Open(process.url, CHAT_STREAM.path, CHAT_STREAM.body, key=SECOND_KEY)
    stream.read_frames(5)
    config = process.config
    new_model = next(model for model in config["models"] if model["name"] == TEXT) | {"name": "chaos/new"}
    keys = [config["virtual_keys"][0], config["virtual_keys"][1] | {"enabled": False}]
    process.write(config | {"models": [*config["models"], new_model], "virtual_keys": keys})
    process.signal(signal.SIGHUP)

    def is_known() -> bool:
        return call(process.url, CHAT.path, CHAT.body | {"model": "chaos/new"}).status == 200

    until(is_known, "the new model is not served", within_s=5)
    seen = call(process.url, CHAT.path, CHAT.body, key=SECOND_KEY)
    assert (seen.status, seen.json["error"]["code"]) == (401, "GATEWAY_VIRTUAL_KEY_DISABLED")
    assert b"[DONE]" in stream.read_to_end()
    stream.hang_up()
    assert "chaos/new" in str(get(process.url, "/gateway/v1/models").json)


@pytest.mark.parametrize("broken", ["unknown", "no-yaml", "gone"])
def test_sighup_with_a_broken_file_keeps_the_old_one(broken: str, process: GatewayProcess) -> None:
    before = len(process.log)
    match broken:
        case "unknown":
            process.write(process.config | {"virtual_kyes": []})
        case "no-yaml":
            process.file.write_text("models: [", encoding="utf-8")
        case _:
            process.file.unlink()
    process.signal(signal.SIGHUP)
    until(lambda: "reload refused" in process.log[before:], "the refusal is not logged", within_s=5)
    said = process.log[before:]
    assert "aimesh.yaml" in said
    if broken == "unknown":
        assert "virtual_kyes" in said
        assert "virtual_keys" in said, "no suggestion"
    for key in (None, SECOND_KEY):
        seen = (
            call(process.url, CHAT.path, CHAT.body)
            if key is None
            else call(process.url, CHAT.path, CHAT.body, key=key)
        )
        assert seen.status == 200


def test_sighup_again_and_again_under_load(process: GatewayProcess) -> None:
    async def run() -> Load:
        load = Load(process.url)
        async with asyncio.timeout(90), asyncio.TaskGroup() as callers:
            for index in range(12):
                callers.create_task(load.caller(keeps_connection=index % 2 == 0))
            for number in range(6):
                keys = [key | {"labels": {"round": str(number)}} for key in process.config["virtual_keys"]]
                process.write(process.config | {"virtual_keys": keys})
                process.signal(signal.SIGHUP)
                while process.log.count("configuration read again") <= number:
                    await asyncio.sleep(0.01)
                await asyncio.sleep(0.05)
            load.is_stopped = True
        return load

    load = asyncio.run(run())
    assert set(load.statuses) == {200}
    assert load.broken == 0
    assert load.statuses[200] > 100
    rounds = {record.labels.get("round") for record in process.records()}
    assert len(rounds) >= 5, "the labels of the records show which configuration a call began with"
