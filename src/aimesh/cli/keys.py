"""``aimesh key``: virtual keys of the embedded database."""

import typer

app = typer.Typer(no_args_is_help=True)


@app.callback()
def keys() -> None:
    """Virtual keys: make, list, switch on and off."""
