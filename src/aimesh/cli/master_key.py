"""``aimesh master-key``: the key under which stored secrets are encrypted, on this machine.

1. A rotation ends with every secret under the new key and the old ones still there, so nothing that is running is
   cut off; they are forgotten by a command of their own, when everything has taken over the change.
2. With ``AIMESH_MASTER_KEY`` the keys are the operator's: the command encrypts anew, the operator changes the setting.
"""

from typing import Annotated

import typer

from aimesh.cli.connect import Session, command
from aimesh.cli.faults import Refused
from aimesh.cli.inspect import read_settings
from aimesh.cli.options import YesOption
from aimesh.cli.output import Answer, Document

app = typer.Typer(no_args_is_help=True)


@app.callback()
def master_key() -> None:
    """The key under which stored secrets are encrypted; on the gateway's own machine."""


@command(app)
def rotate(
    session: Session,
    *,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a rotation that was broken off: no new key.")
    ] = False,
) -> Answer:
    """Make a new master key, and encrypt every stored secret under it. Running gateways take it over by themselves.

    With AIMESH_MASTER_KEY, put the new key first, restart the gateways, and then run this:
    AIMESH_MASTER_KEY=new,old.

    \b
    Examples:
      aimesh master-key rotate
      aimesh master-key forget --yes
    """
    _refuse_remote(session)
    # Here, because a database takes longer to load than --help takes to run.
    from aimesh.cli import local_keys  # noqa: PLC0415

    done = local_keys.rotate(read_settings(session.given.config), resume=resume)
    return _answer(
        done, "aimesh master-key forget lets go of the old one, once every gateway has taken over."
    )


@command(app)
def forget(session: Session, *, yes: YesOption = False) -> Answer:
    """Forget the master keys before the present one. Backups of the database from their time do not open any more."""
    _refuse_remote(session)
    session.confirm("Forget the old master keys? What they alone can open is lost", yes=yes)
    from aimesh.cli import local_keys  # noqa: PLC0415 - as in rotate

    return _answer(local_keys.forget(read_settings(session.given.config)), "")


def _refuse_remote(session: Session) -> None:
    if session.given.url:
        raise Refused("the master key never leaves the gateway's machine: run this there, without --url")


def _answer(done: Document, note: str) -> Answer:
    unreadable = done["unreadable"]
    lines = [f"{done['resealed']} secrets encrypted anew, {done['current']} were already"]
    if "forgotten" in done:
        lines.append(f"{done['forgotten']} old keys forgotten")
    lines += [f"does not open: {one}" for one in unreadable]
    return Answer(
        data=done, text="\n".join(lines), note="" if unreadable else note, is_failure=bool(unreadable)
    )
