"""What a run gives: figures with all their runs, the bars they are held against, and the machine."""

import datetime
import importlib.metadata
import os
import platform
import statistics
from pathlib import Path

import msgspec
from msgspec import Struct

from bench.processes import Cores


class Figure(Struct, frozen=True):
    """One quantity of one subject, measured several times."""

    measure: str
    quantity: str
    subject: str
    unit: str
    median: float
    low: float
    high: float
    runs: list[float]


class Bar(Struct, frozen=True):
    """A limit of the project's, and where a figure stands against it. Printed, never asserted."""

    name: str
    value: float
    limit: float
    unit: str
    holds: bool


class Machine(Struct, frozen=True):
    date: str
    cpu: str
    cores: int
    memory_mib: int
    kernel: str
    python: str
    packages: dict[str, str]
    load_before: float
    """Load average of the last minute before the run: near 0 on a quiet machine."""
    cores_apart: bool


class Results(Struct):
    """The file ``bench/results/latest.json``."""

    machine: Machine
    quick: bool
    versions: dict[str, str] = {}
    figures: list[Figure] = []
    bars: list[Bar] = []
    problems: list[str] = []
    """What could not be measured, or must be known to read the figures."""

    def add(self, measure: str, quantity: str, subject: str, unit: str, runs: list[float]) -> Figure:
        figure = Figure(
            measure=measure,
            quantity=quantity,
            subject=subject,
            unit=unit,
            median=_rounded(statistics.median(runs)),
            low=_rounded(min(runs)),
            high=_rounded(max(runs)),
            runs=[_rounded(value) for value in runs],
        )
        self.figures.append(figure)
        return figure

    def find(self, quantity: str, subject: str) -> Figure | None:
        for figure in self.figures:
            if figure.quantity == quantity and figure.subject == subject:
                return figure
        return None

    def add_bar(self, name: str, value: float, limit: float, unit: str) -> None:
        self.bars.append(
            Bar(name=name, value=_rounded(value), limit=limit, unit=unit, holds=_rounded(value) <= limit)
        )

    def add_ratio_bar(self, name: str, quantity: str, *, over: str, limit: float) -> None:
        """aimesh's median over another subject's; nothing where one of them is missing."""
        ours = self.find(quantity, "aimesh")
        theirs = self.find(quantity, over)
        if ours is not None and theirs is not None and theirs.median > 0:
            self.add_bar(name, ours.median / theirs.median, limit, "x")


def _rounded(value: float) -> float:
    return float(f"{value:.5g}")


def read_machine(cores: Cores) -> Machine:
    cpu = "unknown"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            cpu = line.partition(":")[2].strip()
            break
    memory_kib = int(Path("/proc/meminfo").read_text().split(maxsplit=2)[1])
    return Machine(
        date=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        cpu=cpu,
        cores=os.cpu_count() or 1,
        memory_mib=memory_kib // 1024,
        kernel=platform.release(),
        python=platform.python_version(),
        packages={name: importlib.metadata.version(name) for name in ("uvloop", "httptools", "msgspec")},
        load_before=round(os.getloadavg()[0], 2),
        cores_apart=cores.are_apart,
    )


def write_results(results: Results, path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=2) + b"\n")
