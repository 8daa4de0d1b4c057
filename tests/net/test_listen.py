"""Sockets, limits and signals of a process."""

import asyncio
import os
import resource
import signal
import socket
from pathlib import Path

import pytest
import uvloop
from tests.support.loopback import eventually, run

from aimesh.net import listen


def test_the_loop_is_uvloop() -> None:
    loop = listen.new_event_loop()
    assert isinstance(loop, uvloop.Loop)
    loop.close()


def test_a_free_port_is_bound_and_reusable() -> None:
    with listen.bind_tcp("127.0.0.1", 0) as first:
        host, port = first.getsockname()
        assert host == "127.0.0.1"
        assert port > 0
        assert first.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR) == 1
        assert not first.getblocking()
        first.listen()
        with pytest.raises(OSError, match="in use"):
            listen.bind_tcp("127.0.0.1", port)


def test_workers_can_share_a_port() -> None:
    first = listen.bind_tcp("127.0.0.1", 0, reuse_port=True)
    second = listen.bind_tcp("127.0.0.1", first.getsockname()[1], reuse_port=True)
    with first, second:
        assert first.getsockname() == second.getsockname()


def test_a_port_can_be_kept_without_being_served() -> None:
    first = listen.bind_tcp("127.0.0.1", 0, reuse_port=True, reuse_address=False)
    with first, pytest.raises(OSError, match="in use"):
        listen.bind_tcp("127.0.0.1", first.getsockname()[1])


def test_an_inherited_socket_is_the_same_one() -> None:
    with listen.bind_tcp("127.0.0.1", 0) as first, listen.adopt(os.dup(first.fileno())) as second:
        assert first.getsockname() == second.getsockname()


@pytest.mark.skipif(not Path("/proc/net/if_inet6").exists(), reason="this machine has no IPv6")
def test_ipv6() -> None:
    with listen.bind_tcp("::1", 0) as only:
        assert only.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY) == 1
    with listen.bind_tcp("::", 0) as both:
        assert both.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY) == 0


def test_a_unix_socket_is_private_and_replaces_its_dead_predecessor(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    listen.bind_unix(path).close()
    with listen.bind_unix(path, mode=0o660) as second:
        assert second.family == socket.AF_UNIX
        assert path.stat().st_mode & 0o777 == 0o660


def test_a_file_in_the_way_is_not_removed(tmp_path: Path) -> None:
    path = tmp_path / "precious"
    path.write_text("keep me")
    with pytest.raises(FileExistsError):
        listen.bind_unix(path)
    assert path.read_text() == "keep me"
    with pytest.raises(OSError, match="No such file"):
        listen.bind_unix(tmp_path / "missing" / "socket")


def test_the_file_limit_is_raised_and_never_lowered() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
        assert listen.raise_file_limit(512) == 512
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (512, hard)
        assert listen.raise_file_limit(300) == 512
        if hard != resource.RLIM_INFINITY:
            assert listen.raise_file_limit(hard + 1) == hard
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_signal_calls_its_action() -> None:
    seen: list[str] = []

    async def main() -> None:
        listen.on_signal(asyncio.get_running_loop(), signal.SIGUSR1, lambda: seen.append("called"))
        os.kill(os.getpid(), signal.SIGUSR1)
        await eventually(lambda: seen == ["called"])

    run(main)
