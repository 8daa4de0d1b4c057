"""Options and arguments that commands of several nouns share, and small things that their answers have in common."""

from pathlib import Path
from typing import Annotated

import typer

from aimesh.cli.faults import Misused
from aimesh.cli.output import Document
from aimesh.core.secret import Secret

YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
PageOption = Annotated[int, typer.Option(min=1, help="Which page.")]
PageSizeOption = Annotated[int, typer.Option(min=1, max=10_000, help="Rows on a page.")]
SecretFileOption = Annotated[
    Path | None,
    typer.Option(
        "--secret-file", metavar="FILE", help="File with the secret; default: asked for, or read from a pipe."
    ),
]


def read_secret(file: Path | None, prompt: str) -> Secret[str]:
    """From a file, a pipe or the keyboard; never from the command line, which every user of the machine can see."""
    if file is not None:
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise Misused(f"{file} cannot be read: {error}") from error
    elif typer.get_text_stream("stdin").isatty():
        text = str(typer.prompt(prompt, hide_input=True, err=True))
    else:
        text = typer.get_text_stream("stdin").read()
    text = text.strip()
    if not text:
        raise Misused("the secret is empty: pipe it in, or give --secret-file")
    return Secret(text)


def etag_of(row: Document) -> str:
    """For a change to what was just read."""
    return f'"{row["version"]}"'


def page_note(number: int, shown: int, total: int | None, what: str) -> str:
    return f"Page {number}, showing {shown} of {shown if total is None else total} {what}."
