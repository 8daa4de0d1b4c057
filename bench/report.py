"""A run's results as a person reads them."""

from rich.console import Console
from rich.table import Table

from bench.figures import Bar, Figure, Machine, Results

_TITLES = {
    "calls": "a. Whole chat calls",
    "streams": "b. Relayed chunks of streams",
    "latency": "c. Latency at a constant rate of arrivals",
    "many": "d. Many streams at once",
    "start": "e. Start and idle memory",
}


def print_results(results: Results, console: Console) -> None:
    console.print(_describe(results.machine))
    versions = ", ".join(f"{name} {version}" for name, version in sorted(results.versions.items()))
    console.print(f"{'quick run; ' if results.quick else ''}{versions}\n", highlight=False)
    for measure, title in _TITLES.items():
        figures = [figure for figure in results.figures if figure.measure == measure]
        if figures:
            console.print(_figure_table(title, figures))
    if results.bars:
        console.print(_bar_table(results.bars))
    for problem in results.problems:
        console.print(f"[yellow]note[/yellow] {problem}", highlight=False)


def _describe(machine: Machine) -> str:
    packages = ", ".join(f"{name} {version}" for name, version in machine.packages.items())
    apart = "" if machine.cores_apart else "\n[yellow]one core only: gateway and load share it[/yellow]"
    noise = (
        f"\n[yellow]load average {machine.load_before} before the run[/yellow]"
        if machine.load_before > 0.5
        else ""
    )
    return (
        f"{machine.date}  {machine.cpu}, {machine.cores} cores, {machine.memory_mib} MiB, "
        f"Linux {machine.kernel}, Python {machine.python}, {packages}{apart}{noise}"
    )


def _figure_table(title: str, figures: list[Figure]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("quantity")
    table.add_column("of")
    table.add_column("median", justify="right")
    table.add_column("lowest .. highest", justify="right")
    table.add_column("runs", justify="right")
    for figure in sorted(figures, key=lambda figure: figure.quantity):
        spread = f"{_show(figure.low)} .. {_show(figure.high)}" if len(figure.runs) > 1 else ""
        table.add_row(
            figure.quantity,
            figure.subject,
            f"{_show(figure.median)} {figure.unit}".rstrip(),
            spread,
            str(len(figure.runs)),
        )
    return table


def _bar_table(bars: list[Bar]) -> Table:
    table = Table(title="Bars", title_justify="left", title_style="bold")
    table.add_column("bar")
    table.add_column("measured", justify="right")
    table.add_column("at most", justify="right")
    table.add_column("")
    for bar in bars:
        verdict = "[green]holds[/green]" if bar.holds else "[red]missed[/red]"
        table.add_row(
            bar.name,
            f"{_show(bar.value)} {bar.unit}".rstrip(),
            f"{_show(bar.limit)} {bar.unit}".rstrip(),
            verdict,
        )
    return table


def _show(value: float) -> str:
    if value == int(value) and abs(value) < 10**6:
        return str(int(value))
    return f"{value:.4f}" if abs(value) < 0.1 else f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
