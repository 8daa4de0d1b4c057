"""What is measured: a gateway that runs, and where to send calls to it."""

import sys
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from bench import load
from bench.calls import Target, encode_call
from bench.processes import Cores, Fleet, Process, free_port, plain_env

ROOT = Path(__file__).resolve().parent.parent
"""The checkout that this benchmark belongs to."""


class AbsentError(Exception):
    """The gateway cannot be had on this machine; the run says so and goes on without it."""


class Site(Struct, frozen=True):
    """Where a gateway is started: the run's processes, cores and directory, and the upstream it gets."""

    fleet: Fleet
    cores: Cores
    directory: Path
    upstream_port: int


class Subject(Struct, frozen=True):
    name: str
    version: str
    process: Process
    whole: Target
    """Where whole calls go."""
    streamed: Target
    """Where streamed calls go: nginx has buffering off there."""


Starter = Callable[[Site], Subject]


def start_upstream(fleet: Fleet, cores: Cores) -> tuple[Process, Target]:
    """The mock upstream, on the cores of the rest."""
    port = free_port()
    process = fleet.start(
        "upstream",
        [sys.executable, "-m", "bench.mock_upstream", "--port", str(port)],
        cores=cores.rest,
        env=plain_env(PYTHONPATH=str(ROOT)),
    )
    return process, Target("127.0.0.1", port, "/v1/chat/completions", "upstream-key", "bench-model")


def await_served(subject: Subject, timeout_s: float) -> None:
    """Returns after the first 200. Raises ``LoadError`` with the end of the gateway's log."""
    process = subject.process
    try:
        request = encode_call(subject.whole)
        load.wait_served(subject.whole, request, timeout_s=timeout_s, is_alive=process.is_alive)
    except load.LoadError as error:
        raise load.LoadError(f"{subject.name} does not serve: {error}\n{process.log}") from error
