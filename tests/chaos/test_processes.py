"""The processes of a node die, are replaced and are stopped: callers notice as little as can be."""

import asyncio
import contextlib
import http.client
import json
import os
import signal
import socket
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.chaos_calls import CHAT, CHAT_STREAM, EMBEDDINGS, MESSAGES
from tests.support.chaos_config import Config, chaos_config, patient
from tests.support.chaos_http import Open, Seen, call, get, until
from tests.support.chaos_load import Load
from tests.support.chaos_process import GatewayProcess
from tests.support.chaos_simulator import SimulatorProcess

pytestmark = pytest.mark.chaos

Start = Callable[..., GatewayProcess]


@pytest.fixture
def start(tmp_path: Path, simulator: SimulatorProcess) -> Iterator[Start]:
    """Starts a gateway with two workers; ``change`` is merged into its configuration."""
    gateways: list[GatewayProcess] = []

    def begin(**change: Any) -> GatewayProcess:
        config = patient(chaos_config(simulator.url)) | {"workers": 2} | change
        gateways.append(GatewayProcess(tmp_path, config))
        gateways[-1].start()
        return gateways[-1]

    yield begin
    for gateway in gateways:
        gateway.end()


def is_alive(pid: int) -> bool:
    """Neither ended nor waiting to be reaped by whoever adopted it."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def serves(gateway: GatewayProcess, count: int, *, but: set[int] = frozenset()) -> Callable[[], bool]:  # type: ignore[assignment]  # nobody adds to it
    """Whether so many workers are ready, none of them among ``but``."""

    def counted() -> bool:
        workers = set(gateway.children("worker"))
        return len(workers) == count and not workers & but and ready_workers(gateway) == count

    return counted


def ready_workers(gateway: GatewayProcess) -> int:
    return sum(1 for path in worker_sockets(gateway) if ask_unix(path, "/readyz") == 200)


def worker_sockets(gateway: GatewayProcess) -> list[Path]:
    return sorted((gateway.home / "run").glob("worker-*.sock"))


def ask_unix(path: Path, target: str) -> int:
    with socket.socket(socket.AF_UNIX) as caller:
        caller.settimeout(5)
        try:
            caller.connect(str(path))
            caller.sendall(f"GET {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode())
            return int(caller.recv(64)[9:12] or 0)
        except OSError:
            return 0


async def under_load(
    load: Load, meanwhile: Callable[[], Coroutine[Any, Any, None]], *, within_s: float = 60.0
) -> None:
    """Twelve callers; every other one keeps its connection."""
    async with asyncio.timeout(within_s), asyncio.TaskGroup() as group:
        for index in range(12):
            group.create_task(load.caller(keeps_connection=index % 2 == 0))
        try:
            await meanwhile()
        finally:
            load.is_stopped = True


async def reaches(what: Callable[[], bool], within_s: float = 20.0) -> None:
    deadline_s = time.monotonic() + within_s
    while not what():
        assert time.monotonic() < deadline_s, f"waited {within_s:g} s in vain"
        await asyncio.sleep(0.02)


def test_a_worker_that_is_killed_costs_its_own_calls_only(start: Start) -> None:
    gateway = start()
    before = gateway.children("worker")
    load = Load(gateway.url)

    async def meanwhile() -> None:
        for _ in range(3):
            victim = gateway.children("worker")[0]
            so_far = load.statuses[200]
            await reaches(lambda so_far=so_far: load.statuses[200] > so_far + 30)  # type: ignore[misc]  # a default binds it
            os.kill(victim, signal.SIGKILL)
            await reaches(serves(gateway, 2, but={victim}))

    asyncio.run(under_load(load, meanwhile))
    assert set(load.statuses) == {200}
    assert 0 < load.broken <= 3 * 12, "each caller has one call at a time"
    assert not set(gateway.children("worker")) & set(before[:1])
    assert gateway.log.count("ended by SIGKILL") == 3
    recorded = Counter(str(record.id) for record in gateway.records())
    assert [name for name in load.complete if recorded[name] != 1] == []


def test_callers_in_the_queue_of_a_killed_worker_are_served_by_the_next(start: Start) -> None:
    gateway = start(workers=1)
    victim = gateway.worker
    os.kill(victim, signal.SIGSTOP)
    # Whoever comes now waits in the queue of the socket.
    waiting = [Open(gateway.url, style.path, style.body) for style in (CHAT, CHAT_STREAM, EMBEDDINGS) * 4]
    os.kill(victim, signal.SIGKILL)
    for caller in waiting:
        while b"\r\n\r\n" not in caller.received:
            assert caller.read_some(), "a caller in the queue was dropped"
        assert caller.received.startswith(b"HTTP/1.1 200 ")
        caller.hang_up()


def _kill_control(gateway: GatewayProcess, rounds: int) -> None:
    load = Load(gateway.url)
    admin: Counter[int] = Counter()

    async def meanwhile() -> None:
        killed: set[int] = set()
        for number in range(rounds):
            await reaches(lambda: bool(set(gateway.children("control")) - killed), within_s=40)
            # In its life, and while it is being started.
            seen = (
                await asyncio.to_thread(get, gateway.url, "/api/admin/v1/setup") if number % 2 == 0 else None
            )
            admin.update([seen.status] if seen is not None else [])
            killed.update(victims := gateway.children("control"))
            os.kill(victims[0], signal.SIGKILL)
            so_far = load.statuses[200]
            await reaches(lambda so_far=so_far: load.statuses[200] > so_far + 20)  # type: ignore[misc]  # a default binds it

    asyncio.run(under_load(load, meanwhile, within_s=rounds * 30))
    assert set(load.statuses) == {200}
    assert load.broken == 0
    assert gateway.log.count("the control process (process") == rounds
    assert set(admin) <= {200, 503}
    until(lambda: get(gateway.url, "/api/admin/v1/setup").status == 200, "it does not come back", within_s=45)


def test_the_control_process_killed_again_and_again_costs_no_call(start: Start) -> None:
    _kill_control(start(), 4)


@pytest.mark.long
def test_the_control_process_killed_ten_times_costs_no_call(start: Start) -> None:
    """Two minutes, because the gateway waits longer each time."""
    _kill_control(start(), 10)


def test_a_rolling_reload_drops_and_refuses_nobody(start: Start, simulator: SimulatorProcess) -> None:
    gateway = start()
    load = Load(gateway.url)
    simulator.fault("slow_chunks_ms", n=5)
    replaced: set[int] = set()

    async def meanwhile() -> None:
        for number in range(2):
            held = http.client.HTTPConnection(gateway.url.removeprefix("http://"), timeout=20)
            with contextlib.closing(held):
                await asyncio.to_thread(ask_on, held)
                workers = set(gateway.children("worker"))
                replaced.update(workers)
                gateway.signal(signal.SIGHUP)
                await reaches(lambda number=number: gateway.log.count("configuration read again") > number)  # type: ignore[misc]  # a default binds it
                assert len(set(gateway.children("worker")) - workers) == 2
                # A connection that was idle all the while is served once more, and told to go.
                assert await asyncio.to_thread(ask_on, held) == "close"

    asyncio.run(under_load(load, meanwhile))
    assert set(load.statuses) == {200}
    assert load.broken == 0
    assert load.statuses[200] > 100
    until(lambda: not any(is_alive(pid) for pid in replaced), "those who were replaced do not end")
    recorded = [str(record.id) for record in gateway.records()]
    assert set(load.complete) <= set(recorded)
    assert len(recorded) == len(set(recorded))
    assert {record.outcome for record in gateway.records()} == {"ok"}


def ask_on(connection: http.client.HTTPConnection) -> str | None:
    """A call on a connection that stays; gives what the answer says of it."""
    headers = {"authorization": "Bearer ck-chaos-0123456789abcdefghijklmnopqrstuvwxyz"}
    connection.request("POST", CHAT.path, json.dumps(CHAT.body), headers)
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 200
    return answer.getheader("connection")


def test_a_stream_outlives_the_worker_that_was_replaced(start: Start, simulator: SimulatorProcess) -> None:
    gateway = start(workers=1)
    simulator.fault("chunks", n=80)
    simulator.fault("slow_chunks_ms", n=40)
    stream = Open(gateway.url, CHAT_STREAM.path, CHAT_STREAM.body)
    stream.read_frames(3)
    old = gateway.worker
    gateway.signal(signal.SIGHUP)
    until(lambda: "configuration read again" in gateway.log, "no reload")
    assert is_alive(old)
    assert gateway.children("worker")[-1] != old
    simulator.reset()
    assert call(gateway.url, CHAT.path, CHAT.body).status == 200
    assert b"[DONE]" in stream.read_to_end()
    stream.hang_up()
    until(lambda: not is_alive(old), "the old worker stays")


def test_addresses_and_the_number_of_workers_change_with_a_reload(start: Start) -> None:
    gateway = start(workers=1)
    (first,) = gateway.config["listen"]
    unix = f"unix:{gateway.home}/gate.sock"
    gateway.write(gateway.config | {"workers": 2, "listen": [first, unix]})
    gateway.signal(signal.SIGHUP)
    until(lambda: gateway.log.count("configuration read again") == 1, "no reload")
    assert serves(gateway, 2)()
    assert ask_unix(gateway.home / "gate.sock", "/healthz") == 200
    assert get(gateway.url, "/healthz").status == 200
    gateway.write(gateway.config | {"workers": 1, "listen": [first]})
    gateway.signal(signal.SIGHUP)
    until(lambda: gateway.log.count("configuration read again") == 2, "no reload")
    until(serves(gateway, 1), "the second worker stays")
    assert not (gateway.home / "gate.sock").exists()
    assert call(gateway.url, CHAT.path, CHAT.body).status == 200


def test_an_address_that_is_taken_changes_nothing(start: Start) -> None:
    gateway = start(workers=1)
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = f"127.0.0.1:{other.getsockname()[1]}"
        gateway.write(gateway.config | {"listen": [*gateway.config["listen"], taken]})
        worker = gateway.worker
        gateway.signal(signal.SIGHUP)
        until(lambda: "reload refused" in gateway.log, "the refusal is not told")
    assert gateway.worker == worker
    assert call(gateway.url, CHAT.path, CHAT.body).status == 200


def test_a_worker_that_cannot_start_is_told_and_changes_nothing(start: Start, tmp_path: Path) -> None:
    before, after = free_port(), free_port()
    gateway = start(workers=1, admin_listen=[f"127.0.0.1:{before}"])
    (tmp_path / "file").write_text("no directory")
    bad = {"journal": {"directory": str(tmp_path / "file")}, "admin_listen": [f"127.0.0.1:{after}"]}
    gateway.write(gateway.config | bad)
    worker = gateway.worker
    gateway.signal(signal.SIGHUP)
    until(lambda: "reload refused" in gateway.log, "the refusal is not told")
    assert "cannot start" in gateway.log
    assert gateway.worker == worker
    assert get(f"http://127.0.0.1:{before}", "/readyz").status == 200
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", after), timeout=5)
    assert call(gateway.url, CHAT.path, CHAT.body).status == 200
    gateway.signal(signal.SIGTERM)
    assert gateway.wait() == 0
    with pytest.raises(AssertionError, match="cannot start"):
        gateway.start()
    assert gateway.wait() == 1


def test_a_worker_is_followed_though_the_file_has_become_unusable(start: Start) -> None:
    gateway = start(workers=1)
    gateway.file.write_text("listen: [", encoding="utf-8")
    victim = gateway.worker
    os.kill(victim, signal.SIGKILL)
    until(serves(gateway, 1, but={victim}), "the worker does not come back")
    assert call(gateway.url, CHAT.path, CHAT.body).status == 200


def test_a_worker_that_keeps_dying_is_left_alone_and_its_callers_go_elsewhere(start: Start) -> None:
    gateway = start()
    victims: set[int] = set()
    for _ in range(3):
        # Always the youngest: the other seat stays as it is.
        until(serves(gateway, 2, but=victims), "the worker does not come back")
        victim = gateway.children("worker")[-1]
        victims.add(victim)
        os.kill(victim, signal.SIGKILL)
        until(lambda victim=victim: f"(process {victim}) ended by SIGKILL" in gateway.log, "nobody is told")  # type: ignore[misc]  # a default binds it
    said = [line for line in gateway.log.splitlines() if "ended by SIGKILL" in line]
    assert [line.rpartition("starts ")[2] for line in said] == ["at once", "in 1 s", "in 2 s"]
    answers = [call(gateway.url, CHAT.path, CHAT.body) for _ in range(20)]
    assert {seen.status for seen in answers} == {200}
    assert max(seen.took_s for seen in answers) < 1.5, "a caller waited for the vacant seat"
    assert len(gateway.children("worker")) == 1
    until(serves(gateway, 2, but=victims), "the seat stays vacant")


def test_children_do_not_outlive_their_supervisor(start: Start, simulator: SimulatorProcess) -> None:
    gateway = start()
    simulator.fault("chunks", n=100)
    simulator.fault("slow_chunks_ms", n=40)
    stream = Open(gateway.url, CHAT_STREAM.path, CHAT_STREAM.body)
    stream.read_frames(3)
    simulator.reset()
    children = gateway.children()
    assert len(children) == 3
    os.kill(gateway.pid, signal.SIGKILL)
    gateway.wait()
    # The next one need not wait for them.
    gateway.start()
    assert call(gateway.url, CHAT.path, CHAT.body).status == 200
    assert b"[DONE]" in stream.read_to_end(), "a running call is finished all the same"
    stream.hang_up()
    until(lambda: not any(map(is_alive, children)), "children of a dead supervisor", within_s=8)
    assert serves(gateway, 2)()


def test_a_stop_ends_all_in_order(start: Start, simulator: SimulatorProcess) -> None:
    gateway = start()
    simulator.fault("chunks", n=30)
    simulator.fault("slow_chunks_ms", n=20)
    streams = [Open(gateway.url, CHAT_STREAM.path, CHAT_STREAM.body) for _ in range(4)]
    for stream in streams:
        stream.read_frames(3)
    children = gateway.children()
    gateway.signal(signal.SIGTERM)
    for stream in streams:
        assert b"[DONE]" in stream.read_to_end()
        stream.hang_up()
    assert gateway.wait() == 0
    assert not any(map(is_alive, children))
    assert {path.name for path in (gateway.home / "run").glob("*.sock")} == set()


def test_a_second_signal_ends_at_once(start: Start, simulator: SimulatorProcess) -> None:
    gateway = start()
    simulator.fault("stall_after_chunks", n=3)
    stream = Open(gateway.url, CHAT_STREAM.path, CHAT_STREAM.body)
    stream.read_frames(3)
    children = gateway.children()
    gateway.signal(signal.SIGTERM)
    until(lambda: not accepts(gateway), "it goes on listening", within_s=2)
    gateway.signal(signal.SIGTERM)
    assert gateway.wait(5) == -signal.SIGTERM
    until(lambda: not any(map(is_alive, children)), "children stay", within_s=5)
    stream.hang_up()


def accepts(gateway: GatewayProcess) -> bool:
    host, _, port = gateway.url.removeprefix("http://").partition(":")
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except OSError:
        return False
    return True


def test_two_gateways_do_not_share_a_home_or_an_address(start: Start, tmp_path: Path) -> None:
    gateway = start(workers=1)
    for home, why in ((gateway.home, "another aimesh runs"), (tmp_path / "other", "already in use")):
        home.mkdir(exist_ok=True)
        other = GatewayProcess(home, gateway.config)
        with pytest.raises(AssertionError, match=why):
            other.start()
        assert other.wait() == 1
    assert call(gateway.url, CHAT.path, CHAT.body).status == 200


def test_the_admin_address_speaks_for_all_workers(start: Start) -> None:
    port = free_port()
    gateway = start(admin_listen=[f"127.0.0.1:{port}"])
    url = f"http://127.0.0.1:{port}"
    for style in (CHAT, MESSAGES) * 8:
        assert call(gateway.url, style.path, style.body).status == 200
    assert get(url, "/readyz").status == 200
    text = get(url, "/metrics").body.decode()
    assert "aimesh_workers 2" in text
    counted = [line for line in text.splitlines() if line.startswith("aimesh_calls_total{")]
    assert sum(int(line.rpartition(" ")[2]) for line in counted) == 16
    assert all('worker="' in line for line in counted)
    assert text.count("# TYPE aimesh_calls_total counter") == 1
    assert get(gateway.url, "/metrics").status != 200, "never on the callers' address"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def test_the_admin_api_is_behind_the_same_port(start: Start) -> None:
    gateway = start()
    # Requests that come before the process is there are waited for.
    seen: list[Seen] = [get(gateway.url, path) for path in ("/api/admin/v1/setup", "/api/admin/v1/keys")]
    assert [each.status for each in seen] == [200, 401]
    assert seen[1].json["error"]["request_id"] == seen[1].request_id
    assert "/setup#setup=" in gateway.log


def test_no_secret_is_on_a_command_line_or_in_what_is_left_behind(start: Start) -> None:
    gateway = start()
    config: Config = gateway.config
    secrets = [key["key"] for key in config["virtual_keys"]] + list(config["credentials"].values())
    for pid in (gateway.pid, *gateway.children()):
        words = Path(f"/proc/{pid}/cmdline").read_bytes()
        assert not [secret for secret in secrets if secret.encode() in words]
    for file in (gateway.home / "run").iterdir():
        if file.is_file():
            assert not [secret for secret in secrets if secret.encode() in file.read_bytes()]
