"""The ``aimesh`` command: one line per command, the work is in the files beside this one.

Exit codes: 0 done, 1 it did not work (the reason is on stderr), 2 the command line is wrong.
"""

import typer

from aimesh import __version__
from aimesh.cli import demo, inspect, keys, serve, usage

app = typer.Typer(
    name="aimesh",
    help="One address and one key for every model of every vendor.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(demo.demo)
app.command()(serve.serve)
app.command()(serve.simulate)
app.command()(inspect.check_config)
app.command()(inspect.models)
app.command()(inspect.examples)
app.add_typer(keys.app, name="key", help="Virtual keys: make, list, switch on and off.")
app.add_typer(usage.app, name="usage", help="Usage records: what was called, by whom, with what result.")


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


def main() -> None:
    app()


if __name__ == "__main__":
    main()
