"""Many connections, slow readers, long loads: service goes on and memory stays where it was.

The long versions are ``make soak``; the short ones look for the same faults in seconds.
"""

import asyncio
import contextlib
import os
import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.support.chaos_calls import CHAT, CHAT_STREAM, EMBEDDINGS, MESSAGES
from tests.support.chaos_config import chaos_config, patient
from tests.support.chaos_http import Open, call, connect, request_bytes, until
from tests.support.chaos_load import Load, read_answer
from tests.support.chaos_process import GatewayProcess
from tests.support.chaos_simulator import SimulatorProcess

pytestmark = pytest.mark.chaos

MIB = 1 << 20


@pytest.fixture
def process(tmp_path: Path, simulator: SimulatorProcess) -> Iterator[GatewayProcess]:
    gateway = GatewayProcess(tmp_path, patient(chaos_config(simulator.url)))
    gateway.start()
    yield gateway
    gateway.end()


def _allow_files(count: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        pytest.skip(f"this test needs {count} open files, the limit is {hard}")
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))


def _slow_headers(gateway: GatewayProcess, count: int) -> float:
    """Connections that never finish their head, while others are served; gives the slowest good call."""
    half = request_bytes(CHAT.path, CHAT.body)[:60]
    slowest_s = 0.0
    with ExitStack() as stack:
        for _ in range(count):
            caller = stack.enter_context(connect(gateway.url))
            with contextlib.suppress(ConnectionError):
                caller.sendall(half)
        # Times of waiting are known to half a second.
        time.sleep(0.6)
        for _ in range(20):
            seen = call(gateway.url, CHAT.path, CHAT.body)
            assert seen.status == 200
            slowest_s = max(slowest_s, seen.took_s)
    return slowest_s


def test_500_slow_headers(process: GatewayProcess) -> None:
    assert _slow_headers(process, 500) < 2


@pytest.mark.long
def test_soak_10000_slow_headers(process: GatewayProcess) -> None:
    _allow_files(10_500)
    idle_bytes = process.rss_bytes
    assert _slow_headers(process, 10_000) < 5
    assert process.rss_bytes - idle_bytes < 10_000 * 32 * 1024
    until(lambda: process.open_files < 200, "connections of callers who left stay open")


def test_slow_headers_are_cut_off_in_time(tmp_path: Path, simulator: SimulatorProcess) -> None:
    config = chaos_config(simulator.url)
    config["timeouts"]["request_s"] = 0.5
    gateway = GatewayProcess(tmp_path, config)
    gateway.start()
    try:
        with connect(gateway.url) as caller:
            caller.settimeout(0.05)
            began_s = time.monotonic()
            answer = b""
            for byte in request_bytes(CHAT.path, CHAT.body):
                # A byte now and then does not extend a head's time.
                caller.sendall(bytes([byte]))
                with contextlib.suppress(TimeoutError):
                    answer = caller.recv(65536)
                if answer:
                    break
            assert answer.startswith(b"HTTP/1.1 408 ")
            assert time.monotonic() - began_s < 3
    finally:
        gateway.end()


def test_more_connections_than_allowed(tmp_path: Path, simulator: SimulatorProcess) -> None:
    """The ones that wait longest go; whoever asks something is served."""
    config = patient(chaos_config(simulator.url)) | {"limits": {"max_connections": 100}}
    gateway = GatewayProcess(tmp_path, config)
    gateway.start()
    try:
        assert _slow_headers(gateway, 300) < 2
    finally:
        gateway.end()


def test_a_slow_reader_is_not_a_silent_upstream(tmp_path: Path, simulator: SimulatorProcess) -> None:
    """The upstream is held back while the caller reads nothing; that is not the upstream's silence."""
    gateway = GatewayProcess(tmp_path, chaos_config(simulator.url))
    gateway.start()
    try:
        simulator.fault("chunks", n=6_000)
        simulator.fault("chunk_bytes", n=4000)
        stream = Open(gateway.url, CHAT_STREAM.path, CHAT_STREAM.body)
        stream.read_frames(3)
        time.sleep(2.0)
        body = stream.read_to_end()
        stream.hang_up()
        assert b"UPSTREAM_BROKEN_STREAM" not in body
        assert b"[DONE]" in body
        assert [record.outcome for record in gateway.records()] == ["ok"]
    finally:
        gateway.end()


def test_slow_readers_cost_no_memory(process: GatewayProcess, simulator: SimulatorProcess) -> None:
    """Ten callers ask for 60 MB each and read none of it; then one of them reads it all."""
    call(process.url, CHAT.path, CHAT.body)
    idle_bytes = process.rss_bytes
    simulator.fault("chunks", n=30_000)
    simulator.fault("chunk_bytes", n=2000)
    streams = [Open(process.url, CHAT_STREAM.path, CHAT_STREAM.body) for _ in range(10)]
    for stream in streams:
        stream.read_frames(1)
    deadline_s = time.monotonic() + 2
    most_bytes = 0
    while time.monotonic() < deadline_s:
        most_bytes = max(most_bytes, process.rss_bytes)
        time.sleep(0.05)
    assert most_bytes - idle_bytes < 60 * MIB
    for stream in streams[1:]:
        stream.hang_up(reset=True)
    total = len(streams[0].received)
    tail = bytes(streams[0].received)
    while not tail.endswith(b"\r\n0\r\n\r\n"):
        piece = streams[0].read_some()
        assert piece
        streams[0].received.clear()
        total += len(piece)
        tail = (tail + piece)[-4096:]
        most_bytes = max(most_bytes, process.rss_bytes)
    streams[0].hang_up()
    assert b"[DONE]" in tail
    assert total > 60_000_000
    assert most_bytes - idle_bytes < 60 * MIB
    simulator.wait_idle()


def test_a_large_slow_upload_holds_nobody_up(process: GatewayProcess) -> None:
    payload = request_bytes(CHAT.path, CHAT.body | {"messages": [{"role": "user", "content": "x" * 3 * MIB}]})
    with connect(process.url) as caller:
        caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start in range(0, len(payload), 256 * 1024):
            caller.sendall(payload[start : start + 256 * 1024])
            assert call(process.url, CHAT.path, CHAT.body).took_s < 2
        assert caller.recv(65536).startswith(b"HTTP/1.1 200 ")


async def _stream(url: str) -> bool:
    host, _, port = url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=1 << 16)
    try:
        writer.write(request_bytes(CHAT_STREAM.path, CHAT_STREAM.body))
        head, body = await read_answer(reader)
        return head.startswith(b"HTTP/1.1 200 ") and b"[DONE]" in body
    finally:
        writer.close()


def _streams(process: GatewayProcess, count: int) -> tuple[int, int]:
    """``count`` streams at once, begun over some seconds: how many were good, and the most memory it took."""
    idle_bytes = process.rss_bytes
    most_bytes = 0

    async def watch() -> None:
        nonlocal most_bytes
        while True:
            most_bytes = max(most_bytes, process.rss_bytes)
            await asyncio.sleep(0.1)

    async def run() -> int:
        async with asyncio.TaskGroup() as group:
            watcher = group.create_task(watch())
            running = []
            for number in range(count):
                running.append(group.create_task(_stream(process.url)))
                if number % 50 == 49:
                    await asyncio.sleep(0.05)
            good = await asyncio.gather(*running)
            watcher.cancel()
        return sum(good)

    return asyncio.run(run()), most_bytes - idle_bytes


def test_300_streams_at_once(process: GatewayProcess, simulator: SimulatorProcess) -> None:
    simulator.fault("chunks", provider=None, n=20)
    simulator.fault("slow_chunks_ms", provider=None, n=100)
    good, grown_bytes = _streams(process, 300)
    assert good == 300
    assert grown_bytes < 300 * 64 * 1024 + 8 * MIB
    assert {record.outcome for record in process.records()} == {"ok"}
    assert len(process.records()) == 300


@pytest.mark.long
def test_soak_5000_streams(process: GatewayProcess, simulator: SimulatorProcess) -> None:
    """Each lasts a minute; they are all there at once for most of it."""
    _allow_files(6_000)
    call(process.url, CHAT.path, CHAT.body)
    simulator.fault("chunks", provider=None, n=60)
    simulator.fault("slow_chunks_ms", provider=None, n=1000)
    good, grown_bytes = _streams(process, 5000)
    print(f"5,000 streams: {good} good, {grown_bytes / 5000 / 1024:.1f} KiB each")
    assert good == 5000
    assert grown_bytes < 5000 * 64 * 1024
    assert {record.outcome for record in process.records()} == {"ok"}


def _loaded(process: GatewayProcess, simulator: SimulatorProcess, for_s: float) -> list[int]:
    """Mixed load, callers who leave among them; gives memory at regular times."""
    samples: list[int] = []

    async def leaver() -> None:
        """A caller who leaves in the middle, again and again."""
        host, _, port = process.url.removeprefix("http://").partition(":")
        while not load.is_stopped:
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(request_bytes(CHAT_STREAM.path, CHAT_STREAM.body))
            await reader.read(200)
            writer.transport.abort()
            await asyncio.sleep(0.01)

    async def run() -> None:
        async with asyncio.timeout(for_s + 60), asyncio.TaskGroup() as callers:
            for number in range(16):
                callers.create_task(load.caller(keeps_connection=number % 4 != 0))
            for _ in range(2):
                callers.create_task(leaver())
            for _ in range(20):
                await asyncio.sleep(for_s / 20)
                samples.append(process.rss_bytes)
            load.is_stopped = True

    load = Load(process.url)
    asyncio.run(run())
    assert set(load.statuses) == {200}
    assert load.broken == 0
    return samples


def test_mixed_load_for_a_moment(process: GatewayProcess, simulator: SimulatorProcess) -> None:
    samples = _loaded(process, simulator, 3)
    assert samples[-1] - samples[4] < 24 * MIB
    until(lambda: process.open_files < 60, "connections stay open after the load", within_s=45)


_STORM = (
    {"kind": "status", "status": 500},
    {"kind": "reset_before_first_byte"},
    {"kind": "empty_200"},
    {"kind": "status", "status": 429},
    {"kind": "malformed_event_first"},
    {"kind": "half_json"},
    {"kind": "wrong_content_type"},
    {"kind": "latency_ms", "n": 30},
)


def test_a_storm_at_one_provider(process: GatewayProcess, simulator: SimulatorProcess) -> None:
    """``alpha`` fails in a new way every few calls while many callers go on: no caller notices."""
    load = Load(process.url, (CHAT, MESSAGES, EMBEDDINGS))

    async def run() -> None:
        async with asyncio.timeout(30), asyncio.TaskGroup() as callers:
            for number in range(16):
                callers.create_task(load.caller(keeps_connection=number % 4 != 0))
            for number in range(40):
                fault = _STORM[number % len(_STORM)]
                await asyncio.to_thread(simulator.faults, [fault | {"times": 20}], "alpha")
                await asyncio.sleep(0.05)
            load.is_stopped = True

    asyncio.run(run())
    assert set(load.statuses) == {200}
    assert load.broken == 0
    assert len(load.complete) == load.statuses[200] > 100
    records = process.records()
    assert {record.outcome for record in records} == {"ok"}
    assert sum(len(record.attempts) == 2 for record in records) > 5, "the storm met nobody"
    assert sorted(str(record.id) for record in records) == sorted(load.complete)


@pytest.mark.long
def test_soak_mixed_load(process: GatewayProcess, simulator: SimulatorProcess) -> None:
    for_s = float(os.environ.get("AIMESH_SOAK_SECONDS", "600"))  # noqa: TID251 - a test's own knob
    samples = _loaded(process, simulator, for_s)
    print("RSS in MiB:", " ".join(f"{sample / MIB:.1f}" for sample in samples))
    # The first tenth warms pools and allocators up.
    assert max(samples[-3:]) - max(samples[1:4]) < 16 * MIB
    until(lambda: process.open_files < 60, "connections stay open after the load", within_s=60)
