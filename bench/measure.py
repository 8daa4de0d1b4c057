"""The measures: what is done to which gateways, in which order, and which figures come of it.

1. Rounds are interleaved (A B C, A B C, ...), so that a disturbance of the machine hits all alike.
2. Each measure starts fresh gateways, warms them, and ends them.
3. A gateway that fails is reported as a problem; the others are still measured.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from bench import load
from bench.calls import Pace, Target, encode_call
from bench.figures import Results
from bench.gateway import start_aimesh
from bench.litellm_proxy import start_litellm
from bench.nginx import start_nginx
from bench.processes import Fleet
from bench.stage import Stage
from bench.streams import Streams, run_streams
from bench.subject import AbsentError, Site, Starter, Subject, await_served

APART = (("nginx", "aimesh"), ("litellm",))
"""Who shares the gateway's core while CPU time is measured. LiteLLM works on in the background after its calls (its
logging, its schedulers), which takes caches and turns from whoever is measured next."""

CONNECTIONS = 64
"""In flight at once: enough to keep the gateway's core busy, few enough to be ordinary."""

WORKER = "aimesh.supervisor.worker"
"""On the command line of a process of the data plane."""

_STARTERS: dict[str, Starter] = {"nginx": start_nginx, "aimesh": start_aimesh, "litellm": start_litellm}
_SERVE_LIMIT_S = {"nginx": 5.0, "aimesh": 20.0, "litellm": 90.0}


class Effort(Struct, frozen=True):
    """How much is done; the bounds of a run."""

    rounds: int
    calls: int
    slow_calls: int
    """Calls per round of a gateway that needs milliseconds for each."""
    long_chunks: int
    stream_rounds: int
    slow_stream_rounds: int
    rate: int
    rate_duration_s: float
    rate_rounds: int
    many_streams: int
    many_chunks: int
    starts: int


FULL = Effort(
    rounds=7,
    calls=20_000,
    slow_calls=400,
    long_chunks=600,
    stream_rounds=5,
    slow_stream_rounds=3,
    rate=1000,
    rate_duration_s=10.0,
    rate_rounds=4,
    many_streams=5000,
    many_chunks=15,
    starts=7,
)

QUICK = Effort(
    rounds=3,
    calls=6_000,
    slow_calls=120,
    long_chunks=200,
    stream_rounds=2,
    slow_stream_rounds=1,
    rate=1000,
    rate_duration_s=3.0,
    rate_rounds=2,
    many_streams=1000,
    many_chunks=4,
    starts=3,
)

SHORT_CHUNKS = 20
STREAMS = 40
GAP_MS = 10
MANY_GAP_MS = 2000


class Bench(Struct):
    """A run in progress."""

    site: Site
    upstream: Target
    effort: Effort
    results: Results

    @contextmanager
    def running(self, *names: str, stage: Stage | None = None) -> Iterator[list[Subject]]:
        """The named gateways, started and serving, before the mock upstream's process or that of ``stage``.
        One that is absent or does not serve is left out."""
        port = stage.port if stage is not None else self.site.upstream_port
        wait = stage.await_served if stage is not None else await_served
        with Fleet(self.site.directory) as fleet:
            site = Site(fleet, self.site.cores, self.site.directory, port)
            subjects = []
            for name in names:
                try:
                    subject = _STARTERS[name](site)
                    wait(subject, _SERVE_LIMIT_S[name])
                except (AbsentError, load.LoadError) as fault:
                    self.note(f"{name}: {fault}")
                else:
                    subjects.append(subject)
                    self.results.versions[name] = subject.version
            yield subjects

    def note(self, problem: str) -> None:
        if problem not in self.results.problems:
            self.results.problems.append(problem)


def measure_calls(bench: Bench) -> None:
    """a. CPU time of a whole chat call."""
    effort, results = bench.effort, bench.results
    cpu_us: dict[str, list[float]] = {}
    busy: dict[str, list[float]] = {}
    for names in APART:
        with (
            Stage(may_poll=bench.site.cores.are_apart) as stage,
            bench.running(*names, stage=stage) as subjects,
        ):
            counts = {subject.name: effort.calls for subject in subjects} | {"litellm": effort.slow_calls}
            for subject in subjects:
                burst_of(subject, counts[subject.name], stage)
            for _ in range(effort.rounds):
                for subject in subjects:
                    burst = burst_of(subject, counts[subject.name], stage)
                    cpu_us.setdefault(subject.name, []).append(burst.cpu_ns / burst.calls / 1000)
                    busy.setdefault(subject.name, []).append(burst.cpu_ns / 10**7 / burst.wall_s)
                    if burst.errors:
                        bench.note(f"calls: {burst.errors} of {burst.calls} through {subject.name} failed")
    for name, runs in cpu_us.items():
        results.add("calls", "CPU per call", name, "us", runs)
        results.add("calls", "core busy", name, "%", busy[name])
    results.add_ratio_bar("CPU per call, over nginx", "CPU per call", over="nginx", limit=4.0)
    results.add_ratio_bar("CPU per call, over LiteLLM", "CPU per call", over="litellm", limit=0.01)


def burst_of(subject: Subject, calls: int, stage: Stage | None = None) -> load.Burst:
    """One round of whole calls through a gateway."""
    run = stage.run if stage is not None else load.run
    return run(
        load.run_closed(
            subject.whole,
            encode_call(subject.whole),
            connections=CONNECTIONS,
            warm_up=max(100, calls // 8),
            calls=calls,
            probe=subject.process.cpu_ns,
        )
    )


def measure_streams(bench: Bench) -> None:
    """b. CPU time of one more chunk: long streams against short ones, everything else equal."""
    cpu_us: dict[str, list[float]] = {}
    joined: dict[str, list[float]] = {}
    for names in APART:
        with bench.running(*names) as subjects:
            for subject in subjects:
                stream_pair(subject, SHORT_CHUNKS)
            is_slow = names == APART[1]
            for _ in range(bench.effort.slow_stream_rounds if is_slow else bench.effort.stream_rounds):
                for subject in subjects:
                    chunk_us, joined_percent = _chunk_of(bench, subject)
                    cpu_us.setdefault(subject.name, []).append(chunk_us)
                    joined.setdefault(subject.name, []).append(joined_percent)
    for name, runs in cpu_us.items():
        bench.results.add("streams", "CPU per chunk", name, "us", runs)
        bench.results.add("streams", "chunks joined", name, "%", joined[name])
    bench.results.add_ratio_bar("CPU per chunk, over nginx", "CPU per chunk", over="nginx", limit=1.6)


def _chunk_of(bench: Bench, subject: Subject) -> tuple[float, float]:
    """CPU time of a chunk in microseconds, and the percentage of chunks that came joined."""
    short, long = stream_pair(subject, bench.effort.long_chunks)
    for streams in (short, long):
        if streams.errors:
            bench.note(f"streams: {streams.errors} through {subject.name} failed: {streams.faults}")
    chunks = max(long.events - short.events, 1)
    # Three events of each stream come in its last read (end of choice, usage, [DONE]).
    reads = long.reads - short.reads
    return (long.cpu_ns - short.cpu_ns) / chunks / 1000, max(0.0, 100 * (1 - reads / chunks))


def stream_pair(subject: Subject, long_chunks: int) -> tuple[Streams, Streams]:
    # A gateway that needs a millisecond for a chunk gets fewer and slower streams, or it would fall behind.
    count, gap_ms = (8, 25) if subject.name == "litellm" else (STREAMS, GAP_MS)
    results = []
    for length in (SHORT_CHUNKS, min(long_chunks, 200) if subject.name == "litellm" else long_chunks):
        request = encode_call(subject.streamed, Pace(chunks=length, gap_ms=gap_ms))
        results.append(
            load.run(
                run_streams(
                    subject.streamed,
                    request,
                    count=count,
                    ramp_s=gap_ms / 1000,
                    limit_s=length * gap_ms / 1000 + 20,
                    probe=subject.process.cpu_ns,
                )
            )
        )
    return results[0], results[1]


def measure_latency(bench: Bench) -> None:
    """c. Latency that a gateway adds at a constant rate of arrivals, over the upstream alone."""
    effort, results = bench.effort, bench.results
    added: dict[tuple[str, str], list[float]] = {}
    alone: dict[str, list[float]] = {}
    with bench.running("nginx", "aimesh") as subjects:
        for subject in subjects:
            burst_of(subject, 2000)
        for _ in range(effort.rate_rounds):
            direct = _percentiles(bench, "upstream", bench.upstream)
            for quantity, value in direct.items():
                alone.setdefault(quantity, []).append(value)
            for subject in subjects:
                for quantity, value in _percentiles(bench, subject.name, subject.whole).items():
                    added.setdefault((quantity, subject.name), []).append(value - direct[quantity])
    for quantity, runs in alone.items():
        results.add("latency", f"upstream alone {quantity}", "upstream", "ms", runs)
    for (quantity, name), runs in added.items():
        results.add("latency", f"added {quantity}", name, "ms", runs)
    for quantity, limit in (("p50", 0.5), ("p99", 3.0)):
        ours = results.find(f"added {quantity}", "aimesh")
        if ours is not None:
            results.add_bar(f"added latency {quantity} at {effort.rate}/s", ours.median, limit, "ms")


def _percentiles(bench: Bench, name: str, target: Target) -> dict[str, float]:
    effort = bench.effort
    table = load.run(
        load.run_open(
            target,
            encode_call(target),
            rate=effort.rate,
            duration_s=effort.rate_duration_s,
            connections=CONNECTIONS,
        )
    )
    if table.errors or table.unfinished:
        bench.note(f"latency: through {name} {table.errors} calls failed, {table.unfinished} did not end")
    ordered = sorted(table.latencies_ns) or [0]
    return {
        f"p{percent}": ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] / 10**6
        for percent in (50, 99)
    }


def measure_many(bench: Bench) -> None:
    """d. Thousands of streams at once: errors, and what each costs in memory."""
    for name in ("nginx", "aimesh"):
        with bench.running(name) as subjects:
            for subject in subjects:
                _measure_many_of(bench, subject)
    ours = bench.results.find("memory per stream", "aimesh")
    if ours is not None:
        count = bench.effort.many_streams
        errors = bench.results.find("failed streams", "aimesh")
        bench.results.add_bar(f"failed of {count} streams", errors.median if errors else 0.0, 0.0, "")
        bench.results.add_bar(f"memory per stream of {count}", ours.median, 20.0, "KiB")


def _measure_many_of(bench: Bench, subject: Subject) -> None:
    effort, process = bench.effort, subject.process
    burst_of(subject, 2000)
    before_kib = process.rss_kib()
    samples: list[tuple[int, int]] = []
    ramp_s = effort.many_streams / 1000
    pace = Pace(chunks=effort.many_chunks, gap_ms=MANY_GAP_MS)
    streams = load.run(
        run_streams(
            subject.streamed,
            encode_call(subject.streamed, pace),
            count=effort.many_streams,
            ramp_s=ramp_s,
            limit_s=ramp_s + pace.chunks * MANY_GAP_MS / 1000 + 30,
            probe=process.cpu_ns,
            on_sample=lambda count: samples.append((count, process.rss_kib())),
        )
    )
    most = max((count for count, _ in samples), default=0)
    peak_kib = max((rss for _, rss in samples), default=before_kib)
    if streams.errors:
        bench.note(f"many: {streams.errors} streams through {subject.name} failed: {streams.faults}")
    if most < effort.many_streams:
        bench.note(
            f"many: at most {most} of {effort.many_streams} streams were seen open through {subject.name}"
        )
    add = bench.results.add
    add("many", "failed streams", subject.name, "", [float(streams.errors)])
    add("many", "open at once", subject.name, "", [float(most)])
    add("many", "memory before", subject.name, "MiB", [before_kib / 1024])
    add("many", "memory per stream", subject.name, "KiB", [(peak_kib - before_kib) / max(1, most)])


def measure_start(bench: Bench) -> None:
    """e. From spawning aimesh to its first served call, in a new and in a used home; idle memory of its one worker,
    which was all of it before there was a control process, and of all its processes."""
    runs: dict[str, list[float]] = {}
    idle: list[float] = []
    whole: list[float] = []
    for number in range(bench.effort.starts):
        home = bench.site.directory / f"home-{number}"
        for quantity in ("start in a new home", "start in a used home"):
            with Fleet(bench.site.directory) as fleet:
                site = Site(fleet, bench.site.cores, bench.site.directory, bench.site.upstream_port)
                began = time.perf_counter()
                try:
                    subject = start_aimesh(site, home=home)
                    await_served(subject, _SERVE_LIMIT_S["aimesh"])
                except (AbsentError, load.LoadError) as fault:
                    bench.note(f"aimesh: {fault}")
                    return
                runs.setdefault(quantity, []).append(time.perf_counter() - began)
                time.sleep(1.0)
                idle.append(subject.process.rss_kib(WORKER) / 1024)
                whole.append(subject.process.rss_kib() / 1024)
    for quantity, values in runs.items():
        bench.results.add("start", quantity, "aimesh", "s", values)
    idle_figure = bench.results.add("start", "idle memory", "aimesh", "MiB", idle)
    bench.results.add("start", "idle memory with supervisor and control process", "aimesh", "MiB", whole)
    bench.results.add_bar("start to first served call", max(runs["start in a new home"]), 1.5, "s")
    bench.results.add_bar("idle memory", idle_figure.median, 90.0, "MiB")


def measure_start_of_others(bench: Bench) -> None:
    """f. The same of nginx and LiteLLM, once, for scale."""
    for name in ("nginx", "litellm"):
        began = time.perf_counter()
        with bench.running(name) as subjects:
            seconds = time.perf_counter() - began
            time.sleep(1.0)
            for subject in subjects:
                bench.results.add("start", "start", name, "s", [seconds])
                bench.results.add("start", "idle memory", name, "MiB", [subject.process.rss_kib() / 1024])


MEASURES: dict[str, tuple[str, Callable[[Bench], None]]] = {
    "a": ("CPU per whole call", measure_calls),
    "b": ("CPU per relayed chunk", measure_streams),
    "c": ("added latency", measure_latency),
    "d": ("many streams at once", measure_many),
    "e": ("start and idle memory", measure_start),
    "f": ("start and idle memory of the others, for scale", measure_start_of_others),
}


def pin_self(cores: frozenset[int]) -> None:
    """The load generator runs in this process."""
    os.sched_setaffinity(0, cores)


def make_directory(root: str) -> Path:
    directory = Path(root)
    directory.chmod(0o755)
    return directory
