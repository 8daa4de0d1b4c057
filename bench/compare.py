"""``python -m bench.compare --rev REV``: is the working tree slower than a commit? Both get the same calls.

1. Both run at once, on the same core, in front of the same upstream; only one is loaded at a time.
2. The order within a pair alternates, and after every few pairs both are started anew, so that neither the
   order nor one process's luck with its memory layout decides.
3. The interval is the distribution-free one for a median (order statistics of the paired differences).
"""

import argparse
import io
import math
import os
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from msgspec import Struct
from rich.console import Console
from rich.table import Table

from bench import load
from bench.calls import encode_call
from bench.gateway import read_revision, start_aimesh
from bench.measure import GAP_MS, burst_of, make_directory, stream_pair
from bench.processes import Fleet, choose_cores, leave_cleanly_on_signals
from bench.stage import Stage
from bench.subject import ROOT, AbsentError, Site, Subject, await_served, start_upstream

PAIRS_PER_BLOCK = 4
CALLS = 8000
CHUNKS = 220


class Side(Struct, frozen=True):
    """One of the two versions."""

    title: str
    source: Path


class Verdict(Struct, frozen=True):
    """Difference in percent of the first side; ``low`` to ``high`` holds the median with ``confidence``."""

    median: float
    low: float
    high: float
    confidence: float

    @property
    def words(self) -> str:
        if self.low > 0:
            return "slower"
        if self.high < 0:
            return "faster"
        return "no difference seen"


def judge(differences: list[float]) -> Verdict:
    """The median of paired differences and its narrowest interval of at least 95 %, if so many there are."""
    ordered = sorted(differences)
    count = len(ordered)
    rank, confidence = 0, 1 - 2 * 0.5**count
    outside = 2 * 0.5**count
    for candidate in range(1, count // 2):
        outside += 2 * math.comb(count, candidate) * 0.5**count
        if 1 - outside < 0.95:
            break
        rank, confidence = candidate, 1 - outside
    return Verdict(
        median=statistics.median(ordered),
        low=ordered[rank],
        high=ordered[count - 1 - rank],
        confidence=confidence,
    )


def unpack(revision: str, directory: Path) -> Side:
    """The sources of a commit, written to ``directory``; the working tree and its index are not touched."""
    name = _git("rev-parse", "--short=12", f"{revision}^{{commit}}").decode().strip()
    with tarfile.open(fileobj=io.BytesIO(_git("archive", name, "src"))) as archive:
        archive.extractall(directory, filter="data")
    return Side(title=f"{revision} ({name})" if revision != name else name, source=directory)


def copy_working_tree(directory: Path) -> Side:
    """The sources as they are now: an edit during the run must not change what is measured."""
    shutil.copytree(ROOT / "src", directory / "src", ignore=shutil.ignore_patterns("__pycache__"))
    return Side(title=f"working tree ({read_revision()})", source=directory)


def _git(*arguments: str) -> bytes:
    return subprocess.run(
        ["git", "-C", str(ROOT), *arguments], check=True, capture_output=True, timeout=60
    ).stdout


def measure_us(subject: Subject, stage: Stage | None) -> float:
    """CPU microseconds of one call on a stage, or of one relayed chunk without."""
    if stage is not None:
        burst = burst_of(subject, CALLS, stage)
        if burst.errors:
            raise load.LoadError(f"{burst.errors} of {burst.calls} calls through {subject.name} failed")
        return burst.cpu_ns / burst.calls / 1000
    short, long = stream_pair(subject, CHUNKS)
    if short.errors or long.errors:
        raise load.LoadError(f"streams through {subject.name} failed: {short.faults + long.faults}")
    return (long.cpu_ns - short.cpu_ns) / (long.events - short.events) / 1000


def run_pairs(
    site: Site, sides: tuple[Side, Side], *, stage: Stage | None, pairs: int
) -> list[tuple[float, float]]:
    """``pairs`` measurements of both sides, in blocks with fresh processes."""
    wait = stage.await_served if stage is not None else await_served
    figures: list[tuple[float, float]] = []
    while len(figures) < pairs:
        with Fleet(site.directory) as fleet:
            block = Site(fleet, site.cores, site.directory, site.upstream_port)
            subjects = []
            for side, name in zip(sides, ("before", "after"), strict=True):
                subject = start_aimesh(block, source=side.source, name=name)
                wait(subject, 20)
                measure_us(subject, stage)
                subjects.append(subject)
            for _ in range(min(PAIRS_PER_BLOCK, pairs - len(figures))):
                order = subjects if len(figures) % 2 == 0 else subjects[::-1]
                measured = {subject.name: measure_us(subject, stage) for subject in order}
                figures.append((measured["before"], measured["after"]))
    return figures


def print_verdict(sides: tuple[Side, Side], figures: list[tuple[float, float]], unit: str) -> None:
    verdict = judge([100 * (after - before) / before for before, after in figures])
    table = Table(title=f"CPU time {unit}, {len(figures)} pairs", title_justify="left")
    for heading in ("", "median", "lowest .. highest"):
        table.add_column(heading, justify="left" if not heading else "right")
    for side, values in zip(sides, zip(*figures, strict=True), strict=True):
        spread = f"{min(values):.2f} .. {max(values):.2f}"
        table.add_row(side.title, f"{statistics.median(values):.2f} us", spread)
    console = Console()
    console.print(table)
    console.print(
        f"{verdict.words}: {verdict.median:+.1f} % "
        f"({verdict.low:+.1f} .. {verdict.high:+.1f} % with {100 * verdict.confidence:.0f} % confidence)",
        highlight=False,
    )


def run_whole(fleet: Fleet, directory: Path, options: argparse.Namespace) -> None:
    """Unpacks, measures and prints."""
    cores = choose_cores()
    before = unpack(options.rev, directory / "before")
    after = (
        unpack(options.after, directory / "after")
        if options.after
        else copy_working_tree(directory / "after")
    )
    sides = (before, after)
    os.sched_setaffinity(0, cores.rest)
    if options.what == "calls":
        unit = "per call"
        with Stage(may_poll=cores.are_apart) as stage:
            site = Site(fleet, cores, directory, stage.port)
            figures = run_pairs(site, sides, stage=stage, pairs=options.pairs)
    else:
        unit = f"per relayed chunk, {GAP_MS} ms apart"
        _, upstream = start_upstream(fleet, cores)
        load.wait_served(upstream, encode_call(upstream), timeout_s=10)
        figures = run_pairs(
            Site(fleet, cores, directory, upstream.port), sides, stage=None, pairs=options.pairs
        )
    print_verdict(sides, figures, unit)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.compare", description=__doc__)
    parser.add_argument("--rev", default="HEAD", help="the commit to compare with (HEAD)")
    parser.add_argument("--after", help="another commit instead of the working tree")
    parser.add_argument("--what", choices=("calls", "streams"), default="calls")
    parser.add_argument("--pairs", type=int, default=16, help="6 to 60")
    options = parser.parse_args()
    if not 6 <= options.pairs <= 60:
        parser.error("--pairs must be from 6 to 60")
    leave_cleanly_on_signals()
    with tempfile.TemporaryDirectory(prefix="aimesh-compare-") as root, Fleet(Path(root)) as fleet:
        try:
            run_whole(fleet, make_directory(root), options)
        except (AbsentError, load.LoadError) as error:
            print(f"cannot compare: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
