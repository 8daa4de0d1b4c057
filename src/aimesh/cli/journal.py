"""``aimesh journal``: usage records on their way from this machine's journal into the database."""

from typing import Annotated

import typer

from aimesh.cli.connect import Session, command
from aimesh.cli.inspect import read_settings
from aimesh.cli.output import Answer, Document

app = typer.Typer(no_args_is_help=True)


@app.callback()
def journal() -> None:
    """Usage records between the calls and the database, on this machine."""


@command(app, is_local=True)
def status(session: Session) -> Answer:
    """Show how much of the journal is not in the database yet, and since when.

    \b
    Examples:
      aimesh journal status
      aimesh journal status --json
    """
    # Here, because a database takes longer to load than --help takes to run.
    from aimesh.cli import local_journal  # noqa: PLC0415

    return _answer(local_journal.status(read_settings(session.given.config)))


@command(app, is_local=True)
def drain(
    session: Session,
    *,
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", min=0.0, help="Give up after so long; 0: never.")
    ] = 0.0,
) -> Answer:
    """Bring everything that is in the journal now into the database, and say when it is done.

    A running gateway does it, if it imports; otherwise this command does. Exit code 1: something is left.

    \b
    Examples:
      aimesh journal drain
      aimesh journal drain --timeout 60
    """
    from aimesh.cli import local_journal  # noqa: PLC0415 - as in status

    return _answer(local_journal.drain(read_settings(session.given.config), timeout))


@command(app, is_local=True)
def retry(
    session: Session,
    *,
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", min=0.0, help="Give up after so long; 0: never.")
    ] = 0.0,
) -> Answer:
    """Try the records again that could not be imported and were set aside, for example after an upgrade.

    A running gateway does it, if it imports; otherwise this command does. Exit code 1: some still cannot be imported.

    \b
    Examples:
      aimesh journal status --field rejected_records,rejected_because
      aimesh journal retry
    """
    from aimesh.cli import local_journal  # noqa: PLC0415 - as in status

    found = local_journal.retry(read_settings(session.given.config), timeout)
    return _answer(found, is_failure=not found["tried_again"] or found["rejected_records"] > 0)


def _answer(found: Document, *, is_failure: bool = False) -> Answer:
    is_failure = is_failure or found.get("drained") is False
    return Answer(data=found, title="Journal", note=found["problem"] or "", is_failure=is_failure)
