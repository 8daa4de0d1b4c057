"""``python -m bench``: runs the measures, prints a table, writes ``bench/results/latest.json``."""

import argparse
import tempfile
import time

import msgspec
from rich.console import Console

from bench import load
from bench.calls import encode_call
from bench.figures import Results, read_machine, write_results
from bench.measure import FULL, MEASURES, QUICK, Bench, Effort, make_directory, pin_self
from bench.processes import Fleet, choose_cores, leave_cleanly_on_signals
from bench.report import print_results
from bench.subject import ROOT, Site, start_upstream


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    letters = "; ".join(f"{letter}: {title}" for letter, (title, _) in MEASURES.items())
    parser.add_argument("--only", default=",".join(MEASURES), help=f"measures, by letter ({letters})")
    parser.add_argument("--quick", action="store_true", help="at most two minutes; rougher figures")
    parser.add_argument("--rounds", type=int, help="rounds of each repeated measure, 1 to 20")
    parser.add_argument("--json", action="store_true", help="print the results as JSON instead of tables")
    options = parser.parse_args()
    options.only = [letter for letter in options.only.split(",") if letter]
    unknown = sorted(set(options.only) - set(MEASURES))
    if unknown:
        parser.error(f"no such measure: {', '.join(unknown)}")
    if options.rounds is not None and not 1 <= options.rounds <= 20:
        parser.error("--rounds must be from 1 to 20")
    return options


def choose_effort(options: argparse.Namespace) -> Effort:
    effort = QUICK if options.quick else FULL
    if options.rounds is None:
        return effort
    rounds: int = options.rounds
    return msgspec.structs.replace(
        effort, rounds=rounds, stream_rounds=rounds, rate_rounds=rounds, starts=rounds
    )


def main() -> int:
    options = read_options()
    leave_cleanly_on_signals()
    cores = choose_cores()
    results = Results(machine=read_machine(cores), quick=options.quick)
    console = Console(stderr=options.json)
    with tempfile.TemporaryDirectory(prefix="aimesh-bench-") as root, Fleet(make_directory(root)) as fleet:
        pin_self(cores.rest)
        directory = make_directory(root)
        _, upstream = start_upstream(fleet, cores)
        load.wait_served(upstream, encode_call(upstream), timeout_s=10)
        bench = Bench(
            site=Site(fleet, cores, directory, upstream.port),
            upstream=upstream,
            effort=choose_effort(options),
            results=results,
        )
        for letter in options.only:
            title, measure = MEASURES[letter]
            began = time.monotonic()
            measure(bench)
            console.print(f"[dim]{letter}. {title}: {time.monotonic() - began:.0f} s[/dim]")
    write_results(results, ROOT / "bench" / "results" / "latest.json")
    if options.json:
        print(msgspec.json.encode(results).decode())
    else:
        print_results(results, console)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
